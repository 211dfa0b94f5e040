package redact

import (
	"strings"
	"testing"
)

// became fails where a text, which is given before what it becomes, becomes another. No second one: it stays.
func became(t *testing.T, of string, f func(string) string, pairs [][2]string) {
	t.Helper()
	for _, p := range pairs {
		want := p[1]
		if want == "" {
			want = p[0]
		}
		want = strings.ReplaceAll(want, "§", Mark)
		if got := f(p[0]); got != want {
			t.Errorf("%s: %q became %q, want %q", of, p[0], got, want)
		}
	}
}

func TestAValueEndsWhereItEnds(t *testing.T) {
	became(t, "assigned", Text, [][2]string{
		// Words of a command line and of a script.
		{"password=hunter2 x", "password=§ x"}, {"password=hunter2\tx", "password=§\tx"}, {"password=hunter2\nx", "password=§\nx"},
		{"password=hunter2;x", "password=§;x"}, {"password=hunter2&x", "password=§&x"}, {"password=hunter2|x", "password=§|x"},
		{"password=hunter2>x", "password=§>x"}, {"password=hunter2,x", "password=§"}, {"password=hunter2\rx", "password=§\rx"},
		{"(password=hunter2) x", "(password=§ x"}, {"a=b password=x c=d", "a=b password=§ c=d"},
		{"-password=hunter2 x", "-password=§ x"},
		{"---password=hunter2 x", "---password=§ x"}, {"PASSWORD=hunter2 x", "PASSWORD=§ x"},
		{"my.passWord=hunter2 x", "my.passWord=§ x"},
		{"x[password]=hunter2&y", "x[password]=§&y"}, {"'password'=hunter2 y", "'password'=§ y"},
		{"password=Bearer hunter2 y", "password=§ y"},
		{"password=bearers hunter2 y", "password=§ hunter2 y"}, {"token=Splunk  hunter2 y", "token=§ y"},
		{"token=apikey\thunter2 y", "token=§ y"},
		{"token=aws4-hmac-sha256 hunter2 y", "token=§ y"}, {"password=", ""}, {"password= y z", ""}, {"password=h", "password=§"},
		// Spaces around the sign.
		{"password = hunter2 y", "password = § y"}, {"password\t=\thunter2 y", "password\t=\t§ y"},
		{"password    = hunter2 y", "password    = § y"},
		{"password     = hunter2 y", ""}, {"password = ", ""}, {"x password := \"hunter2\" y", "x password := \"§\" y"},
		{"x password:=hunter2 y", "x password:=§ y"}, {"password := ", ""}, {"password :=", ""},
		// Quotes.
		{`password="hunter2 a" y`, `password="§" y`}, {`password="hun\"ter2" y`, `password="§" y`},
		{`password='hun"ter2' y`, `password='§' y`},
		{"password=`hunter2 a` y", "password=`§` y"}, {`password="hunter2 a`, `password="§`},
		{`password="hunter2\\" y`, `password="§" y`},
		{`password="hunter2\`, `password="§`}, {`password="token=" y z`, `password="§" y z`},
		{`sh "password=hunter2 y" z`, `sh "password=§ y" z`},
		{`"password":"hunter2","y":1`, `"password":"§","y":1`}, {`"password": hunter2, "y": 1`, `"password": §, "y": 1`},
		{`{\"password\":\"hunter2\",\"y\":1}`, `{\"password\":\"§\",\"y\":1}`}, {`\"password\":\"hunter2 y`, `\"password\":\"§`},
		{`{\\\"password\\\":\\\"hunter2\\\",\\\"y\\\":1}`, `{\\\"password\\\":\\\"§\\\",\\\"y\\\":1}`},
		{`x password=\hunter2 y`, `x password=§ y`}, {`x password=\`, ""}, {`-H "password: hunter2 a" y`, `-H "password: §" y`},
		{`-H 'password: hunter2 a`, `-H 'password: §`},
		{`x "password" : hunter2 y`, `x "password" : § y`},
		// Lines.
		{"password: hunter2 a\ny", "password: §\ny"}, {"password: hunter2 a\r\ny", "password: §\r\ny"},
		{"- password: hunter2 a", "- password: §"},
		{"# password: hunter2 a", "# password: §"}, {"> password: hunter2 a", "> password: §"},
		{"y\n\t password: hunter2 a", "y\n\t password: §"},
		{"y\rpassword: hunter2 a", "y\rpassword: §"}, {"y password: hunter2 a", "y password: § a"},
		{"y password:hunter2,a", "y password:§,a"},
		{"y {password: hunter2} a", "y {password: §} a"}, {"y (password: hunter2) a", "y (password: §) a"}, {"password:", ""},
		{"password:  ", ""},
		{"y password: bearer hunter2 a", "y password: § a"}, {"y password: hunter2;a", "y password: §;a"},
		{"y password: hunter2&a", "y password: §&a"},
		{"y Cookie: a=hunter2; b=hunter3\nz", "y Cookie: §\nz"}, {"y X-Authorization: some hunter2 a\nz", "y X-Authorization: §\nz"},
		// Tags.
		{"<password>hunter2</password> y", "<password>§</password> y"},
		{"<a><password>hunter2 a</password><b/>", "<a><password>§</password><b/>"},
		{"<page>hunter2</page>", ""}, {"password>hunter2</x>", ""}, {"a password>hunter2</x>", ""}, {"<password>hunter2", ""},
		{"<password></password>", ""}, {"</a><password>hunter2", ""}, {`<password">hunter2</x>`, `<password">§</x>`},
		{"<password >hunter2</x>", ""},
		{"<password>=hunter2</x>", ""}, {"><a>hunter2</a>", ""},
		// PHP and Ruby.
		{`'password' => 'hunter2', 'y' => 1`, `'password' => '§', 'y' => 1`}, {`password=>"hunter2" y`, `password=>"§" y`},
		{`"{\"password\" => \"hunter2\"} y"`, `"{\"password\" => \"§\"} y"`}, {"token => token.id", ""}, {"token=>", ""},
		{"token =>  ", ""},
	})
}

func TestWhatComparesOrNamesAnotherThingStays(t *testing.T) {
	became(t, "assigned", Text, [][2]string{
		{"token==hunter2"}, {"a.token=="}, {"token=~hunter2"}, {"a.token=~"}, {"token!=hunter2"}, {"token<=hunter2"}, {"token>=hunter2"},
		{"token~=hunter2"}, {"token::hunter2"}, {"token://hunter2"}, {"a:token:hunter2"}, {":token:hunter2"}, {"x::token:hunter2"},
		{"token: {a: hunter2}"}, {"token: [hunter2]"}, {"token: *anchor"}, {"token={a"}, {"token=[a"}, {"=hunter2"}, {":hunter2"},
		{"-=hunter2"},
		{"--: hunter2"}, {" = hunter2"}, {"token[a]: hunter2"}, {"a token=| sort\n    page"}, {"token hunter2"}, {"token(a)=hunter2"},
		{strings.Repeat("a", 72) + "_password=hunter2"},
		{strings.Repeat("a", 80) + "_password=hunter2"},
		{strings.Repeat("a", 71) + "_password=hunter2", strings.Repeat("a", 71) + "_password=§"},
		{"password=h", "password=§"}, {"pwd=h"}, {"pwd=hu", "pwd=§"}, // five characters tell nothing
	})
}

func TestABlockOfYAMLGoesWhole(t *testing.T) {
	for text, stays := range map[string]string{
		"password: |\n  hunter2\n  hunter2\nx: 1":                   "\nx: 1",
		"password: >-\n  hunter2\n\n  hunter2\nx: 1":                "\nx: 1",
		"a:\n  password: |\n    hunter2\n     hunter2\n  x: 1":      "\n  x: 1",
		"a:\n  password: |\n   hunter2\n  x: 1":                     "\n  x: 1",
		"a: 1\n\"password\": |\n  hunter2\nx: 1":                    "\nx: 1",
		"a: 1\npassword: |\n  hunter2":                              "a: 1\npassword: ",
		"a: 1\npassword: |\n  hunter2\n\n\n  hunter2\n\n":           "a: 1\npassword: ",
		"a: 1\npassword: |\n\n  hunter2\nx: 1":                      "\nx: 1",
		"a: 1\npassword: |\n    hunter2\n  hunter2\n hunter2\nx: 1": "\nx: 1",
	} {
		got := Text(text)
		if strings.Contains(got, "hunter2") || !strings.Contains(got, stays) || !strings.Contains(got, Mark) {
			t.Errorf("%q became %q", text, got)
		}
	}
	for _, s := range []string{"token: |\nx: 1", "a:\n  b: |\n   hunter2\n  token: 1"} {
		if got := Text(s); !strings.Contains(got, "x: 1") && !strings.Contains(got, "hunter2") {
			t.Errorf("%q became %q", s, got)
		}
	}
	became(t, "block", assigned, [][2]string{
		{"password: |\n  hunter2\n  a\nx: 1", "password: |\n§\nx: 1"},
		{"a:\n  password: |\n    hunter2\n  x: 1", "a:\n  password: |\n  §\n  x: 1"},
		{"a:\n  password: |\n  hunter2: 1", "a:\n  password: §\n  hunter2: 1"}, {"password: |", "password: §"},
		{"password: |\n\n", "password: |\n§"},
	})
}
