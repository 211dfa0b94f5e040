package redact

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestATextIsCutAtItsBound(t *testing.T) {
	const bound = 1 << 20
	word := strings.Repeat("word ", bound/5+1)
	for n, want := range map[int]int{bound - 1: bound - 1, bound: bound, bound + 1: bound} {
		if got := Text(word[:n]); got != word[:want] {
			t.Errorf("%d bytes became %d, want %d", n, len(got), want)
		}
	}
	if got := Text(word[:bound-16] + "password=hunter2"); !strings.HasSuffix(got, "password="+Mark) {
		t.Errorf("at the bound stays %q", got[len(got)-20:])
	}
	for s, want := range map[string]string{"pwd=hu": "pwd=" + Mark, "pwd=h": "pwd=h", "": ""} {
		if got := Text(s); got != want {
			t.Errorf("%q became %q", s, got)
		}
	}
}

// TestWhatDoesNotSettleGoesWhole is about a look that finds something new each time.
func TestWhatDoesNotSettleGoesWhole(t *testing.T) {
	times := func(n int) func(string, int) string {
		return func(s string, depth int) string {
			if depth != 0 {
				t.Errorf("looked at depth %d", depth)
			}
			if n--; n < 0 {
				return s
			}
			return s + "x"
		}
	}
	for n, want := range []string{"secret", "secretx", "secretxx", "secretxxx", Mark, Mark} {
		if got := settled("secret", times(n)); got != want {
			t.Errorf("changed %d times: %q, want %q", n, got, want)
		}
	}
}

func TestSpansAreTakenOutInOrder(t *testing.T) {
	s := "ab" + Mark + "cd"
	for want, spans := range map[string][]span{s: nil, Mark + "b" + Mark + "cd": {{0, 1}}, "a" + Mark + Mark + Mark + "d": {{1, 2},
		{2, 12}, {12, 13}},
		"ab" + Mark + "c" + Mark: {{2, 12}, {13, 14}}, Mark + "cd": {{0, 12}, {5, 13}}, Mark: {{0, 14}}} {
		if got := without(s, spans); got != want {
			t.Errorf("%v: %q, want %q", spans, got, want)
		}
	}
	if got := without(s, []span{{2, 12}}); got != s {
		t.Errorf("a mark became %q", got)
	}
}

func TestOnlyShortCleanTextsAreRemembered(t *testing.T) {
	kept := func(m *Memo) (n int) {
		for i := range m.clean {
			if m.clean[i].Load() != nil {
				n++
			}
		}
		return n
	}
	word := strings.Repeat("word ", 200)
	for n, want := range map[int]int{511: 1, 512: 1, 513: 0} {
		var m Memo
		if got := m.Text(word[:n]); got != word[:n] || kept(&m) != want {
			t.Errorf("of %d bytes %d are remembered, want %d; they became %q", n, kept(&m), want, got)
		}
	}
	var m Memo
	if got := m.Text("a password=hunter2"); got != "a password="+Mark || kept(&m) != 0 {
		t.Errorf("%q, and %d are remembered", got, kept(&m))
	}
	if got := m.Text(word + " password=hunter2"); got != word+" password="+Mark || kept(&m) != 0 {
		t.Errorf("a long text keeps its secret, or %d are remembered", kept(&m))
	}
	for range 3 { // all places are taken again and again
		for i := range 4 * len(m.clean) {
			s := "page " + strings.Repeat("y", i%200) + strings.Repeat("z", i/200)
			if got := m.Text(s); got != s {
				t.Fatalf("%q became %q", s, got)
			}
		}
	}
	if m.Value("token", "page") != Mark || m.Value("page", "token=hunter2") != "token="+Mark || m.Value("page", "x") != "x" {
		t.Error("a value is not judged by its name and its text")
	}
}

func TestNamesAndLabelsLoseOnlyWhatIsLongEnough(t *testing.T) {
	for s, want := range map[string]string{"a://b:x@c.de": "a://b:" + Mark + "@c.de", "a://b:x@c.d": "a://b:x@c.d",
		"password=hunter2": "password=hunter2"} {
		if got := Known(s); got != want {
			t.Errorf("%q became %q, want %q", s, got, want)
		}
	}
}

func TestWhatIsLoggedIsJudgedByKind(t *testing.T) {
	for _, c := range []struct {
		attr slog.Attr
		want string
	}{
		{slog.String("token", "hunter2"), Mark}, {slog.String("page", "pwd=hunter2"), "pwd=" + Mark}, {slog.String("page", "two"), "two"},
		{slog.Any("error", errors.New("pwd=hunter2")), "pwd=" + Mark}, {slog.Any("error", errors.New("no page")), "no page"},
		{slog.Int("token", 2), "2"}, {slog.Any("pages", []string{"a"}), "[a]"},
	} {
		if got := Log(nil, c.attr); got.Value.String() != c.want || got.Key != c.attr.Key {
			t.Errorf("%v became %v", c.attr, got)
		}
	}
}

func TestFreshExamplesHaveOtherSecrets(t *testing.T) {
	old := map[string]bool{}
	for _, p := range Examples() {
		old[p.Secret] = true
	}
	for _, p := range Fresh("zebra471") {
		if old[p.Secret] || !strings.Contains(p.Text, p.Secret) {
			t.Errorf("%s: %q with the secret %q", p.Of, p.Text, p.Secret)
		}
	}
}

func TestPlaceholdersOfExamplesAreFilled(t *testing.T) {
	for s, want := range map[string]string{"": "", "a": "a", "{3}": "aB3", "x{3:hex}y": "x0f3y", "{": "{", "{a}": "{a}",
		"{{2}": "{aB", "{a}{2}{b": "{a}aB{b",
		"{0}": "", "a{12}": "aaB3xK9mQ7zR2", "{1}{1}": "aa", "{32:hex}": "0f3e9d7c1b5a86420f3e9d7c1b5a8642", "{a} {1} {": "{a} a {"} {
		if got := filled(s); got != want {
			t.Errorf("%q became %q, want %q", s, got, want)
		}
	}
}
