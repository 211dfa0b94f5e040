package audit

import (
	"slices"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestWaysIntoPodsAreLoggedWhoeverTakesThem: the first rule that fits decides, so
// none may drop a request before those that enter pods and nodes are kept.
func TestWaysIntoPodsAreLoggedWhoeverTakesThem(t *testing.T) {
	var policy struct {
		Rules []struct {
			Level      string
			Users      []string
			UserGroups []string
			Verbs      []string
			Resources  []struct {
				Group     string
				Resources []string
			}
		}
	}
	if err := yaml.Unmarshal(Policy, &policy); err != nil {
		t.Fatal(err)
	}
	for _, way := range []string{"pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "services/proxy", "nodes/proxy"} {
		level := ""
		for _, r := range policy.Rules {
			everyone := len(r.Users)+len(r.UserGroups)+len(r.Verbs) == 0
			names := false
			for _, g := range r.Resources {
				names = names || g.Group == "" && slices.Contains(g.Resources, way)
			}
			if names && everyone {
				level = r.Level
				break
			}
			if r.Level == "None" && len(r.Resources) == 0 {
				t.Errorf("%s: a rule that drops requests stands before it", way)
				break
			}
		}
		if level == "" || level == "None" {
			t.Errorf("%s: level %q", way, level)
		}
	}
}
