package vuln

import (
	"encoding/csv"
	"os"
	"strings"
	"testing"
)

// label is one vulnerability judged by hand from its public description.
type label struct {
	cve, words, source string
	rce                bool
	vector             string
	cwes               []string
	text               string
}

func labels(t *testing.T, file string) []label {
	t.Helper()
	f, err := os.Open("testdata/rce/" + file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []label
	for _, r := range rows[1:] {
		out = append(out, label{cve: r[0], rce: r[1] == "yes", words: r[2], source: r[3], vector: r[4], cwes: strings.Fields(r[5]), text: r[6]})
	}
	return out
}

func TestRemoteCodeRule(t *testing.T) {
	tests := []struct {
		file string
		// least is the number of labels; the rule must keep the quality it has reached.
		least             int
		precision, recall float64
	}{
		{file: "labels.csv", least: 200, precision: 0.93, recall: 0.96},
		{file: "trial.csv", least: 75, precision: 0.90, recall: 0.90},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			all := labels(t, test.file)
			hit, wrong, missed := tallyUp(t, all)
			precision, recall := float64(hit)/float64(hit+wrong), float64(hit)/float64(hit+missed)
			t.Logf("remote code rule on %s: %d labels, %d positive; precision %.3f, recall %.3f", test.file, len(all), hit+missed, precision, recall)
			if len(all) < test.least || precision < test.precision || recall < test.recall {
				t.Errorf("%d labels, precision %.3f, recall %.3f; want %d, %.2f, %.2f", len(all), precision, recall, test.least,
					test.precision, test.recall)
			}
		})
	}
}

// tallyUp counts the rule's answers and prints those that differ from the labels.
func tallyUp(t *testing.T, all []label) (hit, wrong, missed int) {
	t.Helper()
	for _, l := range all {
		if l.words == "" || l.text == "" {
			t.Errorf("%s: a label needs the words that decided", l.cve)
		}
		got, why := judgeRemoteCode(metrics(l.vector), l.cwes, l.text)
		switch {
		case got && l.rce:
			hit++
		case got:
			wrong++
			t.Logf("%s is called remote code (%s), by hand it is not: %s", l.cve, why, l.words)
		case l.rce:
			missed++
			t.Logf("%s is missed (%s), by hand it is: %s", l.cve, why, l.words)
		}
	}
	return hit, wrong, missed
}

func TestRemoteCodeSaysWhatDecided(t *testing.T) {
	tests := []struct {
		name, vector, cwe, text string
		want                    bool
		why                     string
	}{
		{"CVSS that sees no change of data overrules words", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "CWE-787",
			"potentially remote code execution", false, "integrity"},
		{"a local vector", "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", "CWE-78", "execute arbitrary code", false, "attack vector L"},
		{"privileges needed", "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H", "CWE-78", "execute arbitrary code", false, "privileges"},
		{"words and vector agree", "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", "", "lets attackers execute arbitrary code", true,
			`"execute arbitrary code"; CVSS`},
		{"weakness and full loss", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CWE-502", "mishandles gadgets", true, "CWE-502"},
		{"full loss of another weakness", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CWE-287", "login without password", false, "neither"},
		{"CVSS 4", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "CWE-78", "", true, "CWE-78"},
		{"CVSS 2 with a login", "AV:N/AC:L/Au:S/C:C/I:C/A:C", "CWE-78", "", false, "privileges"},
		{"words alone", "", "", "allows remote attackers to execute arbitrary commands", true, "execute arbitrary commands"},
		{"an authenticated attacker", "", "", "allows authenticated users to execute arbitrary code", false, "authenticated"},
		{"an unauthenticated one", "", "", "allows unauthenticated users to execute arbitrary code", true, "execute arbitrary code"},
		{"nothing said", "", "", "", false, "neither"},
		{"an adjacent network", "CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "", "execute arbitrary code", false, "attack vector A"},
		{"CVSS 2 with partial loss leaves it to the words", "AV:N/AC:L/Au:N/C:P/I:P/A:P", "CWE-78", "execute arbitrary code", true, "execute"},
		{"and the weakness alone is not enough", "AV:N/AC:L/Au:N/C:P/I:P/A:P", "CWE-78", "", false, "neither"},
		{"CVSS 2 with complete loss", "AV:N/AC:L/Au:N/C:C/I:C/A:C", "CWE-78", "", true, "CWE-78"},
		{"CVSS 4 with a low impact on integrity", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:L/VA:H/SC:N/SI:N/SA:N", "CWE-78",
			"execute arbitrary code", false, "integrity"},
		{"what is still available is no full loss", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N", "CWE-78", "", false, "neither"},
		{"nor what is still secret", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:H/A:H", "CWE-78", "", false, "neither"},
		{"the second weakness", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CWE-20 CWE-78", "", true, "CWE-78, and CVSS"},
		{"a weakness without a vector", "", "CWE-78", "", false, "neither"},
		{"a weakness where an account is needed", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CWE-78", "with valid credentials", false,
			`"valid credentials"`},
		{"privileges are raised by running commands", "", "", "privilege escalation: attackers run their own commands", false,
			`"privilege escalation"`},
		{"privileges are raised, or code is run from afar", "", "", "privilege escalation or remote code execution", true,
			`"code execution"`},
		{"a local user is no stranger, whatever is run", "", "", "lets local users execute arbitrary code", false, `"local users"`},
		{"unless strangers can as well", "", "", "lets local users and unauthenticated strangers execute arbitrary code", true, "execute"},
		{"anonymous users are strangers", "", "", "low-privileged or anonymous users execute arbitrary code", true, "execute"},
		{"their own commands", "", "", "users may run their own commands", true, `"run their own commands"`},
		{"commands of a tool", "", "", "who can run unit test commands", false, "neither"},
		{"code that the attacker brings", "", "", "executes attacker-supplied code", true, `"executes attacker-supplied code"`},
		{"the second statement of two", "", "", "it runs unit test commands and executes code", true, `"executes code"`},
		{"a short word for it", "", "", "This is an RCE.", true, `"RCE"`},
		{"code that would be executed", "", "", "the code of a sender would be executed", true, "would be executed"},
		{"heap corruption that is exploited", "", "", "potentially exploit heap corruption via a page", true, "exploit heap corruption"},
		{"code from elsewhere", "", "", "executes remote code", true, `"executes remote code"`},
		{"code that means harm", "", "", "runs malicious code", true, `"runs malicious code"`},
		{"far into the text", "", "", "The code of the parser is old. " + strings.Repeat("It was not checked. ", 40) +
			"Attackers execute arbitrary code. " + strings.Repeat("It is mended. ", 40), true, `"execute arbitrary code"`},
		{"a hindrance far from it", "", "", "Attackers execute arbitrary code. " + strings.Repeat("It was not checked. ", 40) +
			"They need valid credentials.", false, `"valid credentials"`},
		{"letters whose small ones are longer", "", "", strings.Repeat("Ⱥ", 200) + " lets attackers execute arbitrary code", true,
			`"execute arbitrary code"`},
		{"one long word before it", "", "", strings.Repeat("x", 300) + "-command execution", true, `"command execution"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, why := judgeRemoteCode(metrics(test.vector), strings.Fields(test.cwe), test.text)
			if got != test.want || !strings.Contains(why, test.why) {
				t.Errorf("%v because %q, want %v because %q", got, why, test.want, test.why)
			}
			if strings.HasSuffix(why, "; CVSS: network, no privileges") != (got && test.vector != "" && !strings.HasPrefix(why, "CWE-")) {
				t.Errorf("%q, of vector %q", why, test.vector)
			}
		})
	}
}
