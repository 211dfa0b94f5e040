package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/report"
	"github.com/breakwater-sec/breakwater/test/golden"
)

const before, after = "testdata/shop", "testdata/shop-changed"

func TestADifferenceIsToldAsPromised(t *testing.T) {
	mirror, data := estate(t)
	said := func(form string) string {
		out, errOut, code := command(t, "diff", "--base", before, "--head", after, "--images", mirror, "--data", data, "-o", form)
		if code != 0 {
			t.Fatalf("%s: exit code %d: %s", form, code, errOut)
		}
		return out
	}
	golden.Compare(t, filepath.Join("testdata", "golden", "diff.txt"), said("table"))
	golden.Compare(t, filepath.Join("testdata", "golden", "diff.md"), said("markdown"))
	var s struct {
		Runs []struct {
			Results     []struct{ Level, RuleID string }
			Invocations []struct{ ToolExecutionNotifications []any }
		}
	}
	d := differ(t, "--base", before, "--head", after, "--images", mirror, "--data", data)
	if err := json.Unmarshal([]byte(said("sarif")), &s); err != nil || len(s.Runs) != 1 || len(s.Runs[0].Results) != len(d.Opened) ||
		len(s.Runs[0].Invocations[0].ToolExecutionNotifications) == 0 {
		t.Errorf("%v: %+v, want %d results and what was not seen", err, s, len(d.Opened))
	}
}

// differ is the difference that the arguments tell of.
func differ(t *testing.T, args ...string) report.Difference {
	t.Helper()
	out, errOut, code := command(t, append([]string{"diff", "-o", "json"}, args...)...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	var d report.Difference
	if err := json.Unmarshal([]byte(out), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTheSameTwiceIsNoDifference(t *testing.T) {
	mirror, data := estate(t)
	d := differ(t, "--base", before, "--head", before, "--images", mirror, "--data", data)
	if len(d.Opened)+len(d.Closed)+len(d.Changed)+len(d.Hidden)+d.RoutesLost > 0 || d.Kept == 0 {
		t.Errorf("%+v", d)
	}
}

func TestWhatIfSomethingWereAppliedOrDeleted(t *testing.T) {
	mirror, data := estate(t)
	write := func(text string) string {
		file := filepath.Join(t.TempDir(), "change.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	const closing = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: calico-node, namespace: kube-system}
spec:
  selector: {matchLabels: {k8s-app: calico-node}}
  template:
    metadata: {labels: {k8s-app: calico-node}}
    spec: {containers: [{name: calico-node, image: "docker.io/calico/node:v3.27.2"}]}
`
	for _, test := range []struct {
		name          string
		args          []string
		closes, opens bool
		lost          string
		stays         bool
	}{
		{name: "without its binding the account is no administrator", args: []string{"--delete", "ClusterRoleBinding/web-does-everything"},
			closes: true, stays: true},
		{name: "without its service nothing reaches the workload", args: []string{"--delete", "Service/shop/web"}, closes: true},
		{name: "without the workload", args: []string{"--delete", "Deployment/shop/web"}, closes: true},
		{name: "a policy that lets nobody in costs what works", args: []string{"--head", write(closing)}, closes: true,
			lost: "internet → shop/shop/Deployment/web"},
		{name: "a new workload", args: []string{"--head", after, "--delete", "ClusterRoleBinding/web-does-everything"}, opens: true, closes: true,
			stays: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := differ(t, append(test.args, "--against", before, "--images", mirror, "--data", data)...)
			if (len(d.Closed) > 0) != test.closes || (len(d.Opened) > 0) != test.opens || (d.Kept > 0) != test.stays {
				t.Errorf("opens %d, closes %d, keeps %d", len(d.Opened), len(d.Closed), d.Kept)
			}
			var lost []string
			for _, l := range d.Lost {
				lost = append(lost, l.From+" → "+l.To)
			}
			if !strings.Contains(strings.Join(lost, ", "), test.lost) {
				t.Errorf("lost %q, want %q", lost, test.lost)
			}
		})
	}
}

func TestADifferenceSaysWhatItWants(t *testing.T) {
	_, data := estate(t)
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--base", before}, 2, "want --base FROM and --head FROM"},
		{[]string{"--base", before, "--against", before, "--head", after}, 2, "either is the state before"},
		{[]string{"--base", before, "--head", after, "--delete", "Service/shop/web"}, 2, "want --against"},
		{[]string{"--against", before}, 2, "what would change"},
		{[]string{"--against", before, "--delete", "web"}, 2, "want KIND/NAMESPACE/NAME"},
		{[]string{"--against", before, "--delete", "Service/shop/none"}, 2, "there is no Service shop/none"},
		{[]string{"--base", before, "--head", "no/such"}, 2, "no such file"},
		{[]string{"--base", before, "--head", after, "--fail-on-unknown"}, 1, "--fail-on-unknown"},
	} {
		_, errOut, code := command(t, append([]string{"diff", "--data", data}, test.args...)...)
		if code != test.code || !strings.Contains(errOut, test.says) {
			t.Errorf("%q: exit code %d, want %d; says %q, want %q", test.args, code, test.code, errOut, test.says)
		}
	}
}

func TestAPathThatOpensFailsTheCheck(t *testing.T) {
	mirror, data := estate(t)
	for level, want := range map[string]int{"medium": 1, "": 0} {
		args := []string{"diff", "--base", before, "--head", after, "--images", mirror, "--data", data}
		if level != "" {
			args = append(args, "--fail-on", level)
		}
		if _, errOut, code := command(t, args...); code != want {
			t.Errorf("--fail-on %q: exit code %d, want %d: %s", level, code, want, errOut)
		}
	}
}

func TestNamesInMarkdownAreNoMarkup(t *testing.T) {
	for text, want := range map[string]string{
		"a_b [x](y) <img> `c`\x1b[2J":             "a\\_b \\[x\\](y) \\<img\\> \\`c\\`\\\\x1b\\[2J",
		"see https://evil.test and www.evil.test": "see https\\://evil.test and www\\.evil.test",
		"@owner closes #1, &commat;owner":         "\\@<!-- -->owner closes \\#<!-- -->1, \\&commat;owner",
		`a\*b`:                                    `a\\\*b`,
		"\u202egnp":                               "\\\\u202egnp",
	} {
		if got := markdown(text); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestTheTemplatesOfPipelinesUseFlagsThatThereAre(t *testing.T) {
	help, _, _ := command(t, "diff", "--help")
	flag := regexp.MustCompile(` (--[a-z-]+) `)
	for _, file := range []string{"action.yml", "gitlab.yml"} {
		text, err := os.ReadFile(filepath.Join("..", "deploy", "ci", file))
		if err != nil {
			t.Fatal(err)
		}
		used := 0
		for line := range strings.Lines(string(text)) {
			if !strings.Contains(line, "--head") && !strings.Contains(line, "compare ") {
				continue
			}
			for _, m := range flag.FindAllStringSubmatch(line, -1) {
				if used++; !strings.Contains(help, m[1]+" ") {
					t.Errorf("%s: diff has no flag %s", file, m[1])
				}
			}
		}
		if used < 4 {
			t.Errorf("%s: %d flags used", file, used)
		}
	}
}
