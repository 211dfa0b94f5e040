package analyse

import "testing"

func TestTheTitleOfAFixIsItsFirstClause(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"Drop the capability, or all of them. Then roll out.", "Drop the capability"},
		{"Label the namespace `pod-security.kubernetes.io/enforce: baseline`, better restricted.",
			"Label the namespace `pod-security.kubernetes.io/enforce: baseline`"},
		{"Mount one\n folder", "Mount one folder"}, {"`a.b", "`a.b"},
	} {
		if got := clause(c.text); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}
