package audit

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	auditinternal "k8s.io/apiserver/pkg/apis/audit"
	"k8s.io/apiserver/pkg/audit"
	"k8s.io/apiserver/pkg/audit/policy"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"sigs.k8s.io/yaml"

	shipped "github.com/breakwater-sec/breakwater/deploy/audit"
	decode "github.com/breakwater-sec/breakwater/event/audit"
)

// unseen are the rules that the shipped policy shows nothing to, and why it does not.
var unseen = map[string]string{
	"credential-in-config-map": "config maps hold what must not leave the cluster; the policy never keeps their values",
}

// TestTheShippedPolicyKeepsWhatEachRuleNeeds asks the API server's own evaluator what the policy keeps of the
// events that rules are tested on, and whether the rules still fire on that.
func TestTheShippedPolicyKeepsWhatEachRuleNeeds(t *testing.T) {
	p, err := policy.LoadPolicyFromBytes(shipped.Policy)
	if err != nil {
		t.Fatal(err)
	}
	evaluator := policy.NewPolicyRuleEvaluator(p)
	files, err := filepath.Glob("../../packs/detect/audit/*.yaml")
	if err != nil || len(files) < 70 {
		t.Fatal(len(files), err)
	}
	type written struct {
		ID          string
		Correlation struct{ Rules []string }
		Tests       []struct {
			Name, Event string
			Fires       bool
		}
	}
	var rules []written
	parts := map[string]bool{} // rules that tell of nothing themselves: the correlations they are part of are looked at
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var rule written
		if err := yaml.Unmarshal(text, &rule); err != nil {
			t.Fatal(err)
		}
		rules = append(rules, rule)
		for _, part := range rule.Correlation.Rules {
			parts[part] = true
		}
	}
	for _, rule := range rules {
		for _, test := range rule.Tests {
			if !test.Fires || parts[rule.ID] {
				continue
			}
			log, err := os.ReadFile(filepath.Join("../../packs/detect/audit", test.Event))
			if err != nil {
				t.Fatal(err)
			}
			kept := keptOf(t, evaluator, log)
			events, err := (&decode.Decoder{Cluster: "test"}).All(bytes.NewReader(kept))
			if err != nil {
				t.Fatal(err)
			}
			fires := strings.Contains(" "+strings.Join(fired(t, events), " ")+" ", " "+rule.ID+" ")
			if why := unseen[rule.ID]; fires != (why == "") {
				t.Errorf("%s: %s: of what the policy keeps it fires %v; left out because %q", rule.ID, test.Name, fires, why)
			}
		}
	}
}

// keptOf is what a policy keeps of a log.
func keptOf(t *testing.T, evaluator audit.PolicyRuleEvaluator, log []byte) (out []byte) {
	t.Helper()
	for line := range bytes.Lines(log) {
		var whole map[string]json.RawMessage
		var e struct {
			Verb, RequestURI string
			User             struct {
				Username string
				Groups   []string
			}
			ObjectRef *struct{ Resource, Subresource, Namespace, Name, APIGroup, APIVersion string }
		}
		if json.Unmarshal(line, &whole) != nil || json.Unmarshal(line, &e) != nil {
			t.Fatalf("no event: %.100s", line)
		}
		path, _, _ := strings.Cut(e.RequestURI, "?")
		a := authorizer.AttributesRecord{User: &user.DefaultInfo{Name: e.User.Username, Groups: e.User.Groups}, Verb: e.Verb, Path: path}
		if o := e.ObjectRef; o != nil {
			a.ResourceRequest, a.APIGroup, a.APIVersion, a.Resource, a.Subresource = true, o.APIGroup, o.APIVersion, o.Resource, o.Subresource
			a.Namespace = o.Namespace
			if e.Verb != "create" || o.Subresource != "" { // of what is made the server knows no name when it decides
				a.Name = o.Name
			}
		}
		level := evaluator.EvaluatePolicyRule(a).Level
		if level == auditinternal.LevelNone {
			continue
		}
		if level.Less(auditinternal.LevelRequest) {
			delete(whole, "requestObject")
		}
		if level.Less(auditinternal.LevelRequestResponse) {
			delete(whole, "responseObject")
		}
		whole["level"], _ = json.Marshal(level)
		kept, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		out = append(append(out, kept...), '\n')
	}
	return out
}
