package analyse

import (
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/rule"
)

func builtIn(t testing.TB) *Rules {
	t.Helper()
	r, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryBuiltInRuleDoesWhatItsTestsSay(t *testing.T) {
	var out strings.Builder
	if !rule.Report(&out, rule.Test(builtIn(t).All())) {
		t.Error(out.String())
	}
	t.Log(out.String())
}

func TestTheMissionsWordsAreATitle(t *testing.T) {
	const words = "Internet exposed Kubernetes pod is running a container with high severity vulnerabilities"
	for _, h := range builtIn(t).PathTypes() {
		if strings.ContainsAny(h.Title, "{}") {
			t.Errorf("%s: title %q has a blank", h.ID, h.Title)
		}
		if h.Title == words {
			return
		}
	}
	t.Errorf("no path type is titled %q", words)
}
