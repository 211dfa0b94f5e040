package secret

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
)

// secrets are of the shape of real ones, put together here so that none stands in this file.
var secrets = map[string]string{
	"GitHub personal access token":              "ghp_" + summed(strings.Repeat("a1B2", 8)[:30]),
	"GitHub fine-grained personal access token": "github_pat_" + strings.Repeat("aB", 11) + "_" + strings.Repeat("a", 59),
	"GitLab personal access token":              "glpat-" + strings.Repeat("aB3-", 5),
	"npm access token":                          "npm_" + strings.Repeat("a1B2", 9),
	"PyPI API token":                            "pypi-AgEIcHlwaS5vcmc" + strings.Repeat("aB_1", 30),
	"RubyGems API key":                          "rubygems_" + strings.Repeat("0af1", 12),
	"HashiCorp Vault token":                     "hvs." + strings.Repeat("aB3_", 8),
	"Stripe secret key":                         "sk_live_" + strings.Repeat("aB3x", 8),
	"SendGrid API key":                          "SG." + strings.Repeat("aB", 11) + "." + strings.Repeat("c", 43),
	"OpenAI API key":                            "sk-proj-" + strings.Repeat("aB3_", 5) + "T3BlbkFJ" + strings.Repeat("aB3_", 5),
	"Hugging Face token":                        "hf_" + strings.Repeat("aB", 17),
	"DigitalOcean API token":                    "dop_v1_" + strings.Repeat("0af1", 16),
	"Google API key":                            "AIzaSyA" + strings.Repeat("aB3_", 8),
	"AWS access key":                            "aws_access_key_id = AKIA" + strings.Repeat("Q7", 8) + "\naws_secret_access_key = " + strings.Repeat("aB3/x", 8),
	"Docker Hub personal access token":          "docker login -u ann -p dckr_pat_" + strings.Repeat("aB3", 9),
	"Deno user token":                           "ddp_" + strings.Repeat("aB3x", 9),
	"Slack app token":                           "xapp-1-" + strings.Repeat("A", 11) + "-1234567890123-" + strings.Repeat("0af1", 16),
	"Telegram bot token":                        "telegram_token=12345678:" + strings.Repeat("aB3_x", 7),
}

// summed ends as GitHub's tokens do: with six digits of a checksum.
func summed(text string) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	n, sum := crc32.ChecksumIEEE([]byte(text)), [6]byte{}
	for i := range sum {
		sum[5-i] = digits[n%62]
		n /= 62
	}
	return text + string(sum[:])
}

func search(t *testing.T, name, text string) []string {
	t.Helper()
	found, err := New([]byte("salt")).Search(name, []byte(text))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var out []string
	for _, f := range found {
		out = append(out, fmt.Sprintf("%s:%d", f.Kind, f.Line))
	}
	return out
}

func key(t testing.TB) string {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

func TestASecretIsFoundWhereverItStands(t *testing.T) {
	all := map[string]string{"private key": key(t)}
	for kind, s := range secrets {
		all[kind] = s
	}
	for kind, s := range all {
		for _, c := range []struct{ before, behind string }{{"", ""}, {"a\nb\nTOKEN=", "\nx"}, {strings.Repeat("é\n", 60_000), "\n"},
			{"a\n", strings.Repeat("\x00\xff", 1000)}} {
			got := search(t, "app/settings", c.before+s+c.behind)
			line := 1 + strings.Count(c.before, "\n")
			if !slices.ContainsFunc(got, func(g string) bool {
				return strings.HasPrefix(g, kind+":") && (g == fmt.Sprintf("%s:%d", kind, line) || kind == "AWS access key")
			}) {
				t.Errorf("%s in line %d of %d bytes: %q", kind, line, len(c.before)+len(s)+len(c.behind), got)
			}
		}
	}
}

func TestFilesThatProgramsKeepAccountsInAreReadByTheirNames(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"etc/shadow", "root:*:19000:0:::::\nann:$6$salt$hash.of.a.password:19000:0:::::\nbob:!:1::::::\n", "password hash:2"},
		{"etc/shadow-", "ann:$6$salt$hash.of.a.password:19000:0:::::\n", ""},
		{"root/.docker/config.json", "{\"auths\": {\"r.example\": {\n \"auth\" : \"YW5uOmh1bnRlcjI=\"}}}", "account of a container registry:2"},
		{"root/.docker/config.json", `{"auths": {"r.example": {}}, "credsStore": "auth"}`, ""},
		{"root/.netrc", "machine r.example login ann password hunter2\n", "password of a server:1"},
		{"home/a/.npmrc", "# a\n//r.example/:_authToken=hunter2hunter2\n", "account of an npm registry:2"},
		{"home/a/.npmrc", "//r.example/:_authToken=${NPM_TOKEN}\n;_auth=x1\n", ""},
		{"root/.pypirc", "[pypi]\nusername = ann\npassword = hunter2\n", "account of a Python package index:3"},
		{"root/.git-credentials", "https://ann:hunter2@git.example\nhttps://ann@git.example\n", "account of a Git server:1"},
		{"root/.pgpass", "#db:5432:shop:ann:x\ndb:5432:shop:ann:hunter2\n", "password of a PostgreSQL server:2"},
		{"root/npmrc", "_authToken=hunter2\n", ""},
	}
	for _, c := range tests {
		if got := strings.Join(search(t, c.name, c.text), " "); got != c.want {
			t.Errorf("%s with %q: %q, want %q", c.name, c.text, got, c.want)
		}
	}
}

func TestWhatIsNoSecretIsNotCalledOne(t *testing.T) {
	for _, text := range []string{"", "ghp_", "npm_config_registry=https://r.example npm_" + strings.Repeat("x", 20), "AKIA", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
		"-----BEGIN PRIVATE KEY-----\nnot one\n-----END PRIVATE KEY-----", "task-proj-x sk-proj-", strings.Repeat("-----BEGIN ", 20),
		"-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----", "hf_hub_download(repo)", "SG.js"} {
		if got := search(t, "app/readme", text); len(got) > 0 {
			t.Errorf("%.80q: %q", text, got)
		}
	}
}

func TestTheSameSecretHasTheSameHashAndASecretIsNeverTold(t *testing.T) {
	a, b := New([]byte("one")), New([]byte("two"))
	value := secrets["npm access token"]
	first, _ := a.Search("x", []byte("token "+value))
	again, _ := a.Search("y/z", []byte("\n\n"+value+"\n"))
	other, _ := b.Search("x", []byte(value))
	second, _ := a.Search("x", []byte("npm_"+strings.Repeat("z1B2", 9)))
	if len(first) != 1 || len(again) != 1 || len(other) != 1 || len(second) != 1 {
		t.Fatalf("%v %v %v %v", first, again, other, second)
	}
	if first[0].Hash != again[0].Hash || first[0].Hash == other[0].Hash || first[0].Hash == second[0].Hash {
		t.Errorf("hashes %s %s %s %s", first[0].Hash, again[0].Hash, other[0].Hash, second[0].Hash)
	}
	if text := fmt.Sprintf("%+v", first); strings.Contains(text, value[4:]) {
		t.Errorf("told: %s", text)
	}
}

func TestAHostileTextCostsNoMoreThanItsShareAndIsToldOf(t *testing.T) {
	tests := map[string]string{
		"signs without end":        strings.Repeat("ghp_", 60_000),
		"secrets without end":      strings.Repeat(secrets["npm access token"]+"\n", 5000),
		"pairs that could be many": strings.Repeat("AKIA"+strings.Repeat("Q7", 8)+" ", 10_000),
		"a text that is too long":  strings.Repeat("a", Longest+1),
	}
	for name, text := range tests {
		s := New([]byte("salt"))
		found, err := s.Search("x", []byte(text))
		if !errors.Is(err, ErrMuch) || len(found) > mostOfOne {
			t.Errorf("%s: %d found, %v", name, len(found), err)
		}
	}
	s := New([]byte("salt"))
	s.left = 10
	if _, err := s.Search("x", []byte(secrets["npm access token"])); !errors.Is(err, ErrMuch) {
		t.Errorf("with nothing left to show: %v", err)
	}
}

func TestEverySignIsFoundAtEveryPlace(t *testing.T) {
	for d := range detectors {
		for _, sign := range detectors[d].signs {
			for before := range 9 {
				text := strings.Repeat("-", before%3) + strings.Repeat("x", before) + sign
				at := len(text) - len(sign)
				seen := false
				searchSigns([]byte(text), func(detector, place int) bool {
					seen = seen || detector == d && place == at
					return true
				})
				if !seen {
					t.Errorf("%q at %d is not seen", sign, at)
				}
			}
		}
	}
}

func FuzzSearch(f *testing.F) {
	for kind, s := range secrets {
		f.Add("root/.npmrc", s+"\n_auth="+kind)
	}
	f.Add("etc/shadow", "a:$6$x$y:1:2\n"+key(f))
	f.Add(".docker/config.json", `{"auths":{"x":{"auth":"`)
	f.Fuzz(func(t *testing.T, name, text string) {
		found, _ := New([]byte("salt")).Search(name, []byte(text))
		for _, s := range found {
			if s.Kind == "" || len(s.Hash) != 32 || s.Line < 0 || s.Line > 1+strings.Count(text, "\n") {
				t.Errorf("%+v in %q", s, text)
			}
		}
	})
}

func BenchmarkSearchOfWhatHasNoSecret(b *testing.B) {
	text := []byte(strings.Repeat("for (int i = 0; i < n; i++) { sum += values[i] * weights[i]; } // as told in the manual\n", 2000))
	s := New([]byte("salt"))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		_, _ = s.Search("usr/src/a.c", text)
	}
}
