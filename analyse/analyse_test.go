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
