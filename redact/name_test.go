package redact

import (
	"strings"
	"testing"
)

func TestANameIsReadWordByWord(t *testing.T) {
	for name, want := range map[string]bool{
		"pw": true, "p": false, "": false, "--": false, "1": false,
		strings.Repeat("a", 71) + "_password": true, strings.Repeat("a", 72) + "_password": false,
		// Capitals.
		"DBPwd": true, "dbPwd": true, "myPW": true, "PW": true, "dbPWd": true, "compASS": false, "APIKey": true, "apiKey": true,
		"ApiKEY": true, "aPass": true, "TOPass": true, "bypass": false, "compass": false,
		// Numbers.
		"token2": true, "TOKEN_2": true, "pass1word": false, "2fa_token": true, "password9name": false, "passWord": true,
		"myPassWord": true, "pwd9Name": false,
		// Words that say what it is not.
		"no-password": false, "use_token": false, "usetoken": true, "disable-auth": false, "no": false, "show": false,
		"password_file": false, "file_password": true, "tokenTTL": false, "passwordName": false, "token.name": false,
		// Words behind.
		"token_prod": true, "prod_token": true, "prod": false, "page_prod": false, "mysecret_old": true, "secret_a_old": false,
		"x_api_key": true, "api_key_x": false, "key_api": false, "page_key": false, "key": false,
		"x_password_x": true, "x_token_x": false, "dbpassword_x": true,
		// More words than are looked at: the first count.
		"a.b.c.d.e.f.g.h.i.j.k.token": true, "a.b.c.d.e.f.g.h.i.j.k.token.name": true,
	} {
		if got := secretName(name); got != want {
			t.Errorf("%q is the name of a secret: %v, want %v", name, got, want)
		}
	}
}

func TestWordsOfANameAreTakenApart(t *testing.T) {
	for name, want := range map[string]string{
		"fooBar": "foo bar", "foo-bar": "foo bar", "FOO_BAR": "foo bar", "foo.bar": "foo bar", "FOOBar": "foo bar", "FBar": "fbar",
		"aFBar": "a fbar", "barFOO": "bar foo", "foo12Bar3": "foo12bar", "foo12_bar3": "foo bar", "1_a_2": "a", "_a__b_": "a b",
		"Z": "z", "AZ": "az", "aZ": "a z", "zA": "z a", "az@Z[z`a{": "az z z a",
	} {
		var space [12]string
		if got := strings.Join(split(space[:0], name), " "); got != want {
			t.Errorf("%q became %q, want %q", name, got, want)
		}
	}
}

func TestAValueThatIsNoneStays(t *testing.T) {
	for _, v := range []string{"", `""`, "''", `\"\"`, "True", "FALSE", "none", "null", "nil", "yes", "no", "on", "off",
		"required", "optional",
		"/var/a", "/etc/a", "/run/a", "/opt/a", "/tmp/a", "/secrets/a", "/mnt/a", "/home/a", "/root", "/usr/a", "/srv/a", `"/etc/a"`,
		Mark, Mark + "x", "$(cat a)", "${A}", "{{ .Values.a }}", "$A", "$AZ", "$_A", "$A_1", "$A09", `"$A"`} {
		if got := Value("password", v); got != v {
			t.Errorf("%q became %q", v, got)
		}
		if got := new(Memo).Value("password", v); got != v {
			t.Errorf("%q became %q where texts are remembered", v, got)
		}
	}
	for _, v := range []string{"$", "$1", "$hunter2", "$Ab", "$A-", "$A@", "$A[", "A$B", "$$A", "$A:", "$A/", "trueish",
		"/hunter2", "/etcetera", "hunter2",
		"x" + Mark, "{a", "{ {", "`true`"} {
		if got := Value("password", v); got != Mark {
			t.Errorf("%q became %q", v, got)
		}
		if got := new(Memo).Value("password", v); got != Mark {
			t.Errorf("%q became %q where texts are remembered", v, got)
		}
		if got := Value("page", v); strings.Contains(got, Mark) && got != v {
			t.Errorf("%q of a page became %q", v, got)
		}
	}
}
