package redact

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestARunIsJudgedByHowItChanges(t *testing.T) {
	hex := func(n int) string { return strings.Repeat("0f3e9d7c1b5a8642", n)[:n] }
	for run, want := range map[string]bool{
		// Small letters, capitals and figures: three parts in ten characters, every third of them one character, more than two.
		"aaaaa1bbbbb2CCCC3333": false, "aaaaa1bbbbb2CCCCCCC3": true, "aaaa1bbbbbb2CCCCCCC3": true, "aaaaa1bbbbb2CCCCCCCC3": false,
		"1aaaaa2bbbbbCCCC3333": false, "1aaaaa2bbbbbCCCCCCC3": true, "+aaaaa2bbbbbCCCCCCC3": true,
		"aa11bb22CC3e5DD": true, "aa11bb22CC33e5DD": false, "3ee55DD1aa11bb2": true, "3ee55DD1aa11bb2CC": false,
		"aa11bb22CC33dd44EE556": false, "Aaaaaaa1Bbbbb2Ccccc3": true, "Aaaaaaa1Bbbbbb2Ccccc3": false, "aB3xK9mQ7zR2tY5vW8nP": true,
		"ABb3XxK9mQ7zR2tY5vWw": true,
		// Words.
		"TestWhatIsInAFolderOf3Files": false, "aBcDeFgHiJkLmNoPqRsT": false, "abcdefghijklmnopqrst": false, "": false, "=": false,
		"a": false,
		// Figures alone, and digests.
		strings.Repeat("1", 65): false, strings.Repeat("1+", 40): false, hex(32): false, hex(40): false, hex(64): false, hex(65): true,
		hex(66): true,
		hex(95): true, hex(96): false, hex(97): true, hex(127): true, hex(128): false, hex(129): true, strings.ToUpper(hex(40)): false,
		strings.ToUpper(hex(65)): true, hex(20) + strings.ToUpper(hex(20)): true, strings.Repeat("a", 65): false,
		strings.Repeat("A", 65): false,
		// One case.
		"abc1efg2ijk3mno4qrs5uvw6yza7cdg8": true, "abc1efg2ijk3mno4qrs5uvw6yza7cdg": false, "ggggggg1ggggggg2ggggggg3ggggggg4": true,
		"ggggggg1ggggggg2ggggggg3ggggggg44": false,
		"ABC1EFG2IJK3MNO4QRS5UVW6YZA7CDG8":  true, "g" + hex(31): true, hex(31) + "g": true, "G" + strings.ToUpper(hex(31)): true,
		"abc1efg2ijk3mno4qrs5uvw6yza7cdg8==": true,
	} {
		if got := random(run); got != want {
			t.Errorf("%q is random: %v, want %v", run, got, want)
		}
	}
}

func TestARunIsOneFromItsFirstCharacterToItsLast(t *testing.T) {
	f := filled
	became(t, "runs", Text, [][2]string{
		{f("{19}")}, {f("{20}"), "§"}, {f("{20} y"), "§ y"}, {f("y {20}"), "y §"}, {f("y {20}-{19}"), f("y §-{19}")},
		{f("y {19}-{20}"), f("y {19}-§")},
		{f("y {20}_{20}.{20}"), "y §_§.§"}, {"cGFzc3dvcmQ9aHVudGVyMg==", "§"}, {"cGFzc3dvcmQ9aHVudGVyMg", "§"},
		{"y:cGFzc3dvcmQ9aHVudGVyMg==;a", "y:§;a"},
		// Digests and integrity.
		{f("sha256:{40}")}, {f("sha512:{40}")}, {f("sha384:{40}")}, {f("sha1:{40}")}, {f("md5:{40}")}, {f("SHA256:{40}")},
		{f("sha2:{40}"), "sha2:§"},
		{f("sha256-{43}=")}, {f("sha384-{64}")}, {f("sha512-{86}==")}, {f("sha-{40}"), "sha-§"}, {f("a sha512-{86}== b")},
		// Base64 of bytes, no part of which is long.
		{"aB3xK9mQ7zR2tY5/W8nP4cD6fG1hJ0k/aB3xK9mQ7zR2tY=", "§"}, {"aB3xK9mQ7zR2tY5+W8nP4cD6fG1hJ0k/aB3xK9mQ7zR2tY5", "§"},
		{"aB3xK9mQ7zR2tY5/W8nP4cD6fG1hJ0k/aB3xK9mQ7"}, {"aB3xK9mQ7zR2tY5/W8nP4cD6fG1hJ0k/aB3xK9mQ", "§"},
		{"/B3xK9mQ7zR2tY5/W8nP4cD6fG1hJ0k/aB3xK9mQ"},
		{"aB3xK9mQ7zR2tY5/W8nP4cD6fG1hJ0k/aB3xK9m"}, {"aB3xK9mQ7zR2tY5/W8nP4cD6fG1hJ0k/aB3xK9=", ""},
		{"aB3xK9mQ7zR2tY5-W8nP4cD6fG1hJ0k/aB3xK9mQ7zR2tY="},
	})
}

func TestWhatIsEncodedIsLookedInto(t *testing.T) {
	std, url := base64.StdEncoding.EncodeToString, base64.URLEncoding.EncodeToString
	secrets := []string{"password=hunter2", "a: 1\npassword: hunter2\n",
		"\tpassword=hunter2\r\n", `{"password":"hunter2???>>>???"}`, "pass=h ü € 😀 12",
		"ééé password=hunter2", "token=hunter", "pwd=hunter23"}
	for _, s := range secrets {
		for of, text := range map[string]string{"once": std([]byte(s)), "twice": std([]byte(std([]byte(s)))), "for addresses": url([]byte(s)),
			"without padding": strings.TrimRight(std([]byte(s)), "=")} {
			if got := Text("y " + text + " z"); len(text) >= minEncoded && got != "y "+Mark+" z" {
				t.Errorf("%q encoded %s (%s) became %q", s, of, text, got)
			}
			if got := Text(text); len(text) >= minEncoded && got != Mark {
				t.Errorf("%q encoded %s (%s) and alone became %q", s, of, text, got)
			}
		}
	}
	if text := url([]byte(secrets[3])); !strings.ContainsAny(text, "-_") {
		t.Errorf("%s is the same in both alphabets", text)
	}
	for _, s := range []string{"page=hunter2 xyz", "hunter2 hunter2", "\x00password=hunter2", "\x7fpassword=hunter2",
		"password=hunter2\x01", "\xff\xfepassword=hunter2",
		"password=hunter2\xff"} {
		if text := std([]byte(s)); hidesSecret(text, 0) {
			t.Errorf("%q encoded (%s) has a secret", s, text)
		}
	}
	for text, want := range map[string]bool{"cHdkPWgxMjM0": true, "cHdkPWgxMjM": false, "cHdkPWgxMjM0N": false,
		"cHdkPWgxMjM0NQ": true, "cHdkPWgxMjM0NQ==": true,
		"cHdkPWgxMjM0NTY=": true, "": false, "====": false, "cHdk_PWg+MjM0NTY": false} {
		if got := hidesSecret(text, 0); got != want {
			t.Errorf("%q hides a secret: %v, want %v", text, got, want)
		}
	}
}

func TestASecretIsKnownAmongAllCharacters(t *testing.T) {
	token := filled("ghp_{36}")
	became(t, "known", Known, [][2]string{
		{"über " + token + " ß", "über § ß"}, {"\x80\xbf\xc0\xff\x00\x3f\x40\x7f " + token, "\x80\xbf\xc0\xff\x00\x3f\x40\x7f §"},
		{token, "§"},
		{token + " " + token, "§ §"}, {token + filled(" glpat-{20} y"), "§ § y"}, {"a@b https://x:hunter2@y", "a@b https://x:§@y"},
		{"://a:pw@b"}, {"://a:pw@bcde", "://a:§@bcde"}, {"a://b:true@c.example"}, {"a://b:" + Mark + "@c.example"}, {"a://b:@c.example"},
	})
}

func TestWhatIsEncodedTooOftenIsNotLookedInto(t *testing.T) {
	const text = "dG9rZW49aHVudGVy" // token=hunter
	for depth, want := range []string{Mark, Mark, text, text} {
		if got := runs(text, depth); got != want {
			t.Errorf("encoded %d times more: %q, want %q", depth, got, want)
		}
	}
}
