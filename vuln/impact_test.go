package vuln

import (
	"encoding/csv"
	"os"
	"strings"
	"testing"
)

// told is a vulnerability whose impact was labelled by reading.
type told struct {
	id, vector, text string
	impact           Impact
	cwes             []string
}

func toldImpacts(t *testing.T) (out []told) {
	t.Helper()
	f, err := os.Open("testdata/impact/labels.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows[1:] {
		out = append(out, told{id: r[0], impact: Impact(r[1]), vector: r[3], cwes: strings.Fields(r[4]), text: r[5]})
	}
	return out
}

func (l told) judged() (Impact, string) {
	vector := metrics(l.vector)
	rce, _ := judgeRemoteCode(vector, l.cwes, l.text)
	return judgeImpact(rce, vector, l.cwes, l.text)
}

// TestImpactRule holds the rule to the quality it has reached, class by class. Every
// second label was held out while the words of the rule were chosen.
func TestImpactRule(t *testing.T) {
	floors := map[Impact]struct{ precision, recall float64 }{
		CodeExecution: {0.93, 0.93}, PrivilegeEscalation: {0.95, 0.80}, Disclosure: {0.95, 0.89}, Bypass: {0.95, 0.78},
		DenialOfService: {0.94, 0.94}, UnknownImpact: {0.30, 0.83},
	}
	all := toldImpacts(t)
	if len(all) < 250 {
		t.Fatalf("only %d labels", len(all))
	}
	for half, name := range []string{"tuned", "held out"} {
		t.Run(name, func(t *testing.T) {
			said, right, are := map[Impact]int{}, map[Impact]int{}, map[Impact]int{}
			for i, l := range all {
				if i%2 != half {
					continue
				}
				got, why := l.judged()
				said[got]++
				are[l.impact]++
				if got == l.impact {
					right[got]++
				} else {
					t.Logf("%s is called %s (%s), by hand it is %s", l.id, got, why, l.impact)
				}
			}
			for _, class := range Impacts {
				precision, recall := float64(right[class])/float64(said[class]), float64(right[class])/float64(are[class])
				t.Logf("%s: %d labels, precision %.2f, recall %.2f", class, are[class], precision, recall)
				if floor := floors[class]; precision < floor.precision || recall < floor.recall {
					t.Errorf("%s: precision %.2f, recall %.2f; want %.2f, %.2f", class, precision, recall, floor.precision, floor.recall)
				}
			}
		})
	}
}

func TestImpactSaysWhatDecided(t *testing.T) {
	const local, network = "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
	tests := []struct {
		name, vector, cwe, text string
		want                    Impact
		why                     string
	}{
		{"remote code", network, "CWE-502", "execute arbitrary code", CodeExecution, "remote code execution"},
		{"availability alone overrules words", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "", "sensitive information", DenialOfService,
			"availability alone"},
		{"confidentiality alone", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N", "", "", Disclosure, "confidentiality alone"},
		{"integrity alone, by CVSS 4", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:H/VA:N/SC:N/SI:N/SA:N", "", "", Bypass, "integrity alone"},
		{"script in a browser is not code where the software runs", "", "", "XSS lets attackers run web script", Bypass, `"xss `},
		{"forged requests that run code do", "", "", "authenticated users, by CSRF, cause code execution", CodeExecution, `"code execution"`},
		{"an insider's gain, also where code is run", local, "", "allows local users to execute arbitrary code", PrivilegeEscalation,
			"allows local users to"},
		{"out of the container", "", "", "a container escape", PrivilegeEscalation, "container escape"},
		{"code that needs an account", "", "", "authenticated users can execute arbitrary code", CodeExecution, "execute arbitrary code"},
		{"the first sentence decides between lesser losses", "", "", "A denial of service. It was found when a check was bypassed",
			DenialOfService, "denial of service"},
		{"else the greater one", "", "", "A crash or information disclosure", Disclosure, "information disclosure"},
		{"an archive that is unpacked writes", "", "", "path traversal while extracting", Bypass, "traversal"},
		{"other paths are read", "", "", "path traversal in the web server", Disclosure, "path traversal"},
		{"memory that is written, at full loss", local, "", "a use after free", CodeExecution, "use after free"},
		{"without a vector it is not told", "", "", "a use after free", UnknownImpact, "neither"},
		{"the weakness", "", "CWE-1 CWE-400", "An issue", DenialOfService, "CWE-400"},
		{"the graver weakness", "", "CWE-400 CWE-269", "An issue", PrivilegeEscalation, "CWE-269"},
		{"nothing", "", "", "", UnknownImpact, "neither"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			vector := metrics(test.vector)
			rce, _ := judgeRemoteCode(vector, strings.Fields(test.cwe), test.text)
			got, why := judgeImpact(rce, vector, strings.Fields(test.cwe), test.text)
			if got != test.want || !strings.Contains(why, test.why) {
				t.Errorf("%s because %s, want %s because %s", got, why, test.want, test.why)
			}
		})
	}
}

func TestWhatStrangersRead(t *testing.T) {
	for _, test := range []struct {
		name, vector, text string
		want               bool
	}{
		{"files across the network", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "path traversal", true},
		{"files, without a vector", "", "lets attackers read arbitrary files: information disclosure", true},
		{"with an account", "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N", "path traversal", false},
		{"by an administrator", "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:N/A:N", "path traversal", false},
		{"on the machine", "CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "path traversal", false},
		{"an account, in words", "", "authenticated users read arbitrary files: information disclosure", false},
		{"a list of users is no file", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N", "lists the users", false},
		{"no disclosure", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "path traversal", false},
	} {
		m := Match{}
		if test.vector != "" {
			m.CVSS = &CVSS{Vector: test.vector}
		}
		if m.judge(test.text); m.Reads != test.want {
			t.Errorf("%s: %v (%s)", test.name, m.Reads, m.ImpactWhy)
		}
	}
}

func TestWhatMayBeRemoteCode(t *testing.T) {
	const full, down, local = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
		"CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
	for _, test := range []struct {
		name, vector string
		severity     Severity
		text, why    string
	}{
		{"nobody says anything", "", High, "An issue", "nobody says"},
		{"nor CVSS more than full loss", full, Critical, "An issue", "nobody says"},
		{"nobody says anything of a lesser one", "", Medium, "An issue", ""},
		{"on the machine", local, High, "An issue", ""},
		{"a check is got around at full loss", full, High, "request smuggling", "full loss"},
		{"by somebody with an account", full, High, "request smuggling by authenticated users", ""},
		{"a check is got around at some loss", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N", High, "request smuggling", ""},
		{"CVSS sees a crash, the text fears code", down, High, "a crash; remote code execution was feared", "availability alone"},
		{"the text too sees a crash", down, High, "a crash", ""},
		{"the text fears code run with an account", down, High, "authenticated users crash it; code execution was feared", ""},
		{"across an account", "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H", High, "a crash; code execution was feared", ""},
		{"on a neighbouring network", "CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", High, "a crash; code execution was feared", ""},
		{"it is remote code", full, High, "execute arbitrary code", ""},
	} {
		m := Match{Severity: test.severity}
		if test.vector != "" {
			m.CVSS = &CVSS{Vector: test.vector}
		}
		if m.judge(test.text); (m.Unclear == "") != (test.why == "") || !strings.Contains(m.Unclear, test.why) {
			t.Errorf("%s: %q, want %q (%s)", test.name, m.Unclear, test.why, m.ImpactWhy)
		}
	}
}
