package redact

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestEveryExampleOfTheTableLosesItsSecretAndNothingElse(t *testing.T) {
	n := 0
	check := func(of string, examples []example) {
		for _, e := range examples {
			n++
			text, gone, stays := filled(e.Text), filled(e.Gone), filled(e.Stays)
			if got := Text(text); strings.Contains(got, gone) || !strings.Contains(got, stays) || !strings.Contains(got, Mark) {
				t.Errorf("%s: %q became %q: want no %q, and %q", of, text, got, gone, stays)
			}
			words := strings.Fields(text)
			if got := strings.Join(Command(words[0], words), " "); of == "programs" && strings.Contains(got, gone) &&
				!strings.ContainsAny(text, "'") {
				t.Errorf("%s: as a command line %q became %q: want no %q", of, text, got, gone)
			}
		}
	}
	misses := func(of string, misses []string) {
		for _, s := range misses {
			n++
			if got := Text(s); got != s {
				t.Errorf("%s: %q became %q, and there is no secret in it", of, s, got)
			}
			words := strings.Fields(s)
			if got := strings.Join(Command(words[0], words), " "); got != strings.Join(words, " ") {
				t.Errorf("%s: as a command line %q became %q, and there is no secret in it", of, s, got)
			}
		}
	}
	check("names", table.Names.Examples)
	check("programs", table.Examples)
	check("runs", table.Runs.Examples)
	misses("names", table.Names.Misses)
	misses("programs", table.Misses)
	misses("runs", table.Runs.Misses)
	for _, s := range table.Shapes {
		check(s.Name, s.Examples)
		misses(s.Name, s.Misses)
	}
	if n < 120 {
		t.Errorf("the table has %d examples", n)
	}
}

func TestFreshExamplesLoseTheirSecretsToo(t *testing.T) {
	fresh := Fresh("zebra471")
	if len(fresh) < 100 {
		t.Errorf("%d", len(fresh))
	}
	for _, p := range fresh {
		if got := Text(p.Text); strings.Contains(got, p.Secret) {
			t.Errorf("%s: %q became %q", p.Of, p.Text, got)
		}
	}
}

func TestAValueIsJudgedByItsName(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"password", "hunter2", Mark}, {"X-Api-Key", "hunter2", Mark}, {"Authorization", "Basic x", Mark}, {"auth-mode", "server", "server"},
		{"password", "", ""}, {"page", "2", "2"}, {"url", "https://a:hunter2@b/c", "https://a:" + Mark + "@b/c"},
	} {
		if got := Value(c.name, c.value); got != c.want {
			t.Errorf("%s %q became %q, want %q", c.name, c.value, got, c.want)
		}
	}
}

func TestLabelsLoseTokensAndKeepNames(t *testing.T) {
	for s, want := range map[string]string{filled("ghp_{36}"): Mark, "web-6c8f7d5b9c": "web-6c8f7d5b9c", "password": "password",
		"a4c1b1e2f3a4b5c6d7e8f90123456789": "a4c1b1e2f3a4b5c6d7e8f90123456789"} {
		if got := Known(s); got != want {
			t.Errorf("%q became %q", s, got)
		}
	}
}

func TestWhatIsLoggedHasNoSecret(t *testing.T) {
	var out strings.Builder
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: Log}))
	log.Error("cannot read password=hunter2", "error", errors.New("get https://a:hunter2@r.example"), "token", "hunter2",
		"image", "r.example/a:1")
	if got := out.String(); strings.Contains(got, "hunter2") || !strings.Contains(got, "r.example/a:1") {
		t.Error(got)
	}
}

// TestHostileTextIsLookedThrough is about text made to make patterns slow: it would not end.
func TestHostileTextIsLookedThrough(t *testing.T) {
	for _, s := range []string{"a", "password=", "://:", "redis-cli -a abcdef ", "\x00\xff", "-token ", "-----BEGIN PRIVATE KEY-----", "eyJ",
		"{\"password\":", "password: |\n ", "<password>", "cGFzc3dvcmQ9", "'\"", "\\\"", "://a@", "Cookie: "} {
		long := strings.Repeat(s, 200_000/len(s))
		if out := Text(long); len(out) > 12*len(long) {
			t.Errorf("%d bytes of %q became %d", len(long), s, len(out))
		}
	}
}

func FuzzText(f *testing.F) {
	for _, list := range [][]example{table.Names.Examples, table.Examples, table.Runs.Examples} {
		for _, e := range list {
			f.Add(e.Text)
		}
	}
	for _, s := range table.Shapes {
		for _, e := range s.Examples {
			f.Add(filled(e.Text))
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := Text(s)
		if again := Text(once); again != once {
			t.Errorf("%q became %q, and that %q", s, once, again)
		}
		if k := Known(s); Known(k) != k || once == s && k != s {
			t.Errorf("%q became %q, and that %q; of its text %q stays", s, k, Known(k), once)
		}
		words := strings.Split(s, " ")
		if out := Command(words[0], words); len(out) != len(words) {
			t.Errorf("%d words became %d", len(words), len(out))
		}
	})
}

func BenchmarkText(b *testing.B) {
	for name, s := range map[string]string{"agent": "kubectl/v1.31.0 (linux/amd64) kubernetes/9edcffc",
		"word":   "--config=/etc/web/config.yaml",
		"path":   "/api/v1/namespaces/shop/pods/web-6c8f7d5b9c-x2z4v/log",
		"script": "set -e; export HOME=/root; exec app --listen :8080 --verbose"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Text(s)
			}
		})
	}
}

func TestWhatComesAgainIsRememberedUnlessItLostSomething(t *testing.T) {
	var m Memo
	for range 2 {
		if m.Value("password", "hunter2") != Mark || m.Value("password", "none") != "none" {
			t.Error("a value is not judged by its name")
		}
		for _, e := range Examples() {
			if got, want := m.Text(e.Text), Text(e.Text); got != want || strings.Contains(got, e.Secret) {
				t.Errorf("%s: %q became %q, want %q", e.Of, e.Text, got, want)
			}
			m.Text("kubectl/v1.31.0 " + strings.Repeat("x", len(e.Text)%7))
		}
	}
	kept := 0
	for i := range m.clean {
		have := m.clean[i].Load()
		if have == nil {
			continue
		}
		if kept++; Text(*have) != *have {
			t.Errorf("%q is kept", *have)
		}
	}
	if kept == 0 || kept > 8 {
		t.Errorf("%d texts are remembered, want the 8 that lost nothing", kept)
	}
	long := strings.Repeat("word ", maxRemembered)
	var other Memo
	if other.Text(long) != long {
		t.Error("a long text is not what it was")
	}
	for i := range other.clean {
		if other.clean[i].Load() != nil {
			t.Error("a text beyond the bound is kept")
		}
	}
}
