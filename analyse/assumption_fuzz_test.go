package analyse

import (
	"errors"
	"strings"
	"testing"
)

// FuzzAssumption reads what askers say that an attacker has: a known kind with a name, or an error that says what is wanted.
func FuzzAssumption(f *testing.F) {
	for _, seed := range []string{"any", "third-party", "workload:shop/cart", "sa:shop/", "node:", "user:system:admin",
		"pod:a/b/c", ":", "image:\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := parseAssumption(text)
		switch {
		case err != nil && !errors.Is(err, ErrAssumption):
			t.Errorf("%q: %v", text, err)
		case err == nil && a.kind == "" || err == nil && a.name == "" && text != "any" && text != thirdParty:
			t.Errorf("%q is %+v", text, a)
		case err == nil && !strings.HasSuffix(text, a.name):
			t.Errorf("%q names %q", text, a.name)
		}
	})
}
