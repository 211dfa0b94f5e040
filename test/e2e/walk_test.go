package e2e

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
)

// walk is a person who has just built Breakwater: a home of their own with nothing in it,
// their files, and what they type.
type walk struct {
	bin, home, registry string
}

// step is a command of the README as this person gives it.
type step struct {
	readme string // how the README has it
	args   []string
	stdin  string
	code   int
	finds  []string // what must be among the answers
	// none is what may be said to be none, and why it was looked for.
	none map[string]string
}

// TestAFreshUsersWalk follows the README's commands with a person's own files. It fails
// where something is said to be none that was not looked for, and where the README has a
// command that is not walked.
func TestAFreshUsersWalk(t *testing.T) {
	w := newWalk(t)
	unread := "image " + w.registry + "/team/gone:1"
	scanned := "breakwater scan image docker.io/library/debian:12 --exceptions accepted.yaml"
	mirror := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(w.home, "mirror"))))
	t.Cleanup(mirror.Close)
	steps := []step{
		{readme: scanned, args: []string{"scan", "image", w.registry + "/team/front:1"},
			finds: []string{"Unknown, not clean", "no advisories"}},
		{readme: "breakwater db update", args: []string{"db", "update", "--mirror", mirror.URL, "osv/Debian", "kev"},
			finds: []string{"osv/Debian", "2 records"}},
		{readme: scanned, args: []string{"scan", "image", w.registry + "/team/front:1"},
			finds: []string{"CVE-2099-0001", "openssl", "known exploited"}},
		{readme: scanned, args: []string{"scan", "image", w.registry + "/team/front:1", "--exceptions", "accepted.yaml"},
			finds: []string{"accepted until 2099-12-31: not reached", "none that was not accepted"}},
		{readme: scanned, args: []string{"scan", "image", w.registry + "/team/tool:1"},
			finds: []string{"there is no package database in the image"}},
		{readme: scanned, args: []string{"scan", "image", w.registry + "/team/gone:1"}, code: 2,
			finds: []string{"has no such image (404)"}},
		{readme: "breakwater paths --from ./manifests --images", args: []string{"paths", "--from", "./manifests", "--images",
			"--allow-private", w.registry},
			finds: []string{unread}},
		{readme: "breakwater vulnerability CVE-2021-44228",
			args:  []string{"vulnerability", "CVE-2099-0001", "--from", "./manifests", "--images", "--allow-private", w.registry},
			finds: []string{"CVE-2099-0001: affected", "Deployment/front", "openssl", "could not be read"}},
		{readme: "breakwater vulnerability CVE-2021-44228", args: []string{"vulnerability", "CVE-2021-44228", "--from", "./manifests"},
			finds: []string{"CVE-2021-44228: unknown", "nothing could be looked for"}},
		{readme: "breakwater exposure --from context:prod -o json", args: []string{"exposure", "--from", "./manifests", "-o", "json"},
			finds: []string{"manifests/team/Deployment/front"}},
		{readme: "breakwater paths --from ./manifests --assume any", args: []string{"paths", "--from", "./manifests", "--assume", "any"},
			finds: []string{"Assume that an attacker has", "Rollout cache", "privileged", unread}},
		{readme: "breakwater cut --from ./manifests", args: []string{"cut", "--from", "./manifests", "--assume", "any"},
			finds: []string{"Drop `privileged: true`", unread}},
		{readme: "breakwater fix path-b0a4c88e --from ./manifests", args: []string{"fix", "path-", "--from", "./branch"},
			finds: []string{"Drop `privileged: true`", "Deployment team/front", "As commands"}},
		{readme: "breakwater what-if --from ./manifests --apply policy.yaml",
			args:  []string{"what-if", "--from", "./manifests", "--apply", "policy.yaml"},
			finds: []string{"loses 2 routes of traffic", "manifests/team/CronJob/report → manifests/team/Deployment/front", unread}},
		{readme: "breakwater paths --from ./manifests --why-not workload:shop/web cluster",
			args:  []string{"paths", "--from", "./manifests", "--why-not", "workload:team/front", "cluster"},
			finds: []string{"No path", "1 guard", "no binding gives it this permission"}},
		{readme: "breakwater diff --base ./main --head ./branch", args: []string{"diff", "--base", "./main", "--head", "./branch"},
			finds: []string{"Opens 1 attack path", "privileged", "Not seen"}},
		{readme: "breakwater paths --from context:prod --prove", args: []string{"paths", "--from", "./manifests", "--prove"}, code: 2,
			finds: []string{"--prove asks an API server, and ./manifests is none"}},
		{readme: "breakwater can serviceaccount:shop/web get secrets -n shop --from context:prod",
			args:  []string{"can", "serviceaccount:team/report", "get", "configmaps", "-n", "team", "--from", "./manifests"},
			finds: []string{"yes", "reads"}},
		{readme: "breakwater least-privilege serviceaccount:shop/web --audit audit.log --from context:prod",
			args:  []string{"least-privilege", "serviceaccount:team/report", "--audit", "requests.log", "--from", "./manifests"},
			finds: []string{"configmaps", "kind: Role"}},
		{args: []string{"dump", "./manifests", "--to", "prod.dump"}, finds: []string{"prod.dump"}},
		{readme: `breakwater query --from prod.dump "MATCH (p:Pod) WHERE p.privileged RETURN p"`,
			args:  []string{"query", "--from", "prod.dump", "MATCH (p:Pod) WHERE p.privileged RETURN p"},
			finds: []string{"cache", "images are not read here"}},
		{args: []string{"query", "--from", "./manifests", "--images", "--allow-private", w.registry,
			"MATCH (i:Image)-[:HAS_VULNERABILITY]->(v) WHERE v.id = 'CVE-2099-0002' RETURN i"},
			finds: []string{unread, "not seen"}, none: map[string]string{"0 found": "front was read and has another; what was not read is told"}},
		{readme: "breakwater recommendations --from context:prod --images",
			args:  []string{"recommendations", "--from", "./manifests", "--images", "--allow-private", w.registry},
			finds: []string{"openssl", unread}},
		{readme: "breakwater recommendations --from context:prod --images", // a registry that nobody named is not asked
			args:  []string{"recommendations", "--from", "./manifests", "--images"},
			finds: []string{unread, "--allow-private " + w.registry, "unknown for 3"}},
		{readme: "breakwater registry check registry.example", args: []string{"registry", "check", w.registry},
			finds: []string{"read layers"}},
		{readme: "breakwater scan image oci-archive:web.tar --upload https://breakwater.example:7878",
			args: []string{"scan", "image", w.registry + "/team/front:1", "--upload", "https://breakwater.example:7878"}, code: 2,
			finds: []string{"breakwater tokens upload NAME makes one"}},
		{readme: "breakwater registry webhook registry.example", args: []string{"registry", "webhook", w.registry}, code: 2,
			finds: []string{"start breakwater serve first"}},
		{readme: "breakwater detect --audit /var/log/kubernetes/audit.log --fail-on high",
			args: []string{"detect", "--audit", "audit.log", "--fail-on", "high"}, code: 1, finds: []string{"privileged"}},
		{readme: "breakwater-sensor --stdout | breakwater detect --runtime -", args: []string{"detect", "--runtime", "-"},
			stdin: "runtime.jsonl", finds: []string{"A server program started a shell"}},
		{readme: "breakwater rules test ./my-rules", args: []string{"rules", "test", "./my-rules"}, finds: []string{"1 rules", "0 failed"}},
	}
	walked := map[string]bool{}
	for _, s := range steps {
		walked[s.readme] = true
		t.Run(strings.Join(s.args, " "), func(t *testing.T) { w.take(t, s) })
	}
	for _, command := range readmesCommands(t) {
		if !walked[command] {
			t.Errorf("the README says %q, and nobody walked it", command)
		}
	}
	t.Run("serve", w.serves)
}

// newWalk is the person's home: a registry of their own, advisories, manifests, a log.
func newWalk(t *testing.T) *walk {
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(s.Close)
	w := &walk{plainBinary(t), t.TempDir(), strings.TrimPrefix(s.URL, "http://")}
	pushFiles(t, w.registry+"/team/front:1", realFiles(t))
	pushFiles(t, w.registry+"/team/tool:1", map[string]string{"usr/bin/tool": "a program that no package brought"})
	manifests, err := os.ReadFile("testdata/walk/team.yaml")
	if err != nil {
		t.Fatal(err)
	}
	team := strings.ReplaceAll(string(manifests), "REGISTRY", w.registry)
	w.put(t, "manifests/team.yaml", team)
	w.put(t, "main/team.yaml", team)
	w.put(t, "branch/team.yaml", strings.Replace(team, "        - name: front",
		"        - securityContext: {privileged: true}\n          name: front", 1))
	w.put(t, "policy.yaml", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: front, namespace: team}\n"+
		"spec: {podSelector: {matchLabels: {app: front}}, policyTypes: [Ingress]}\n")
	w.put(t, "requests.log", `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","stage":"ResponseComplete","auditID":"1",`+
		`"verb":"list","requestURI":"/api/v1/namespaces/team/configmaps","requestReceivedTimestamp":"2099-01-01T00:00:00.000000Z",`+
		`"user":{"username":"system:serviceaccount:team:report","groups":["system:serviceaccounts","system:authenticated"]},`+
		`"objectRef":{"resource":"configmaps","namespace":"team","apiVersion":"v1"},"responseStatus":{"metadata":{},"code":200},`+
		`"stageTimestamp":"2099-01-01T00:00:00.000000Z"}`+"\n")
	w.put(t, "accepted.yaml", "exceptions:\n  - {vulnerability: CVE-2099-0001, reason: not reached, author: alice, expires: 2099-12-31}\n")
	w.put(t, "mirror/kev/known_exploited_vulnerabilities.json",
		`{"catalogVersion":"2099.01.01","dateReleased":"2099-01-01T00:00:00Z","count":1,`+
			`"vulnerabilities":[{"cveID":"CVE-2099-0001","dateAdded":"2099-01-01"}]}`)
	w.put(t, "mirror/Debian/all.zip", zipped(t, osv("CVE-2099-0001", "openssl", `,{"fixed":"99"}`), osv("CVE-2099-0002", "nobody-has-it", "")))
	for to, from := range map[string]string{"audit.log": "audit/testdata/privileged-pod.jsonl",
		"runtime.jsonl":                   "runtime/testdata/web-shell.jsonl",
		"my-rules/attack/privileged.yaml": "../attack/privileged-container.yaml"} {
		b, err := os.ReadFile(filepath.Join("../../packs/detect", from))
		if err != nil {
			t.Fatal(err)
		}
		w.put(t, to, strings.Replace(string(b), "id: privileged-container", "id: my-privileged", 1))
	}
	return w
}

func (w *walk) put(t *testing.T, name, content string) {
	t.Helper()
	file := filepath.Join(w.home, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// environment is that of somebody who has configured nothing.
func (w *walk) environment() []string {
	return []string{"HOME=" + w.home, "PATH=" + os.Getenv("PATH"), "DOCKER_CONFIG=" + filepath.Join(w.home, "no-docker")}
}

func (w *walk) take(t *testing.T, s step) {
	c := exec.CommandContext(t.Context(), w.bin, s.args...)
	c.Dir, c.Env = w.home, w.environment()
	if s.stdin != "" {
		f, err := os.Open(filepath.Join(w.home, s.stdin))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		c.Stdin = f
	}
	b, err := c.CombinedOutput()
	out := string(b)
	if code := c.ProcessState.ExitCode(); code != s.code {
		t.Errorf("exit code %d (%v), want %d:\n%s", code, err, s.code, out)
	}
	for _, f := range s.finds {
		if !strings.Contains(strings.ToLower(out), strings.ToLower(f)) {
			t.Errorf("it does not tell %q:\n%s", f, out)
		}
	}
	for _, none := range unlooked(out, s.none) {
		t.Errorf("it says %q of what was not looked for:\n%s", none, out)
	}
}

// saysNone is how Breakwater says that there is nothing, and saysUnseen how it says that
// something was not looked at.
var (
	saysNone = regexp.MustCompile(`(?m)\bnone known\b( in what was read)?|(^| )0 (attack paths|found|alerts|events|packages)\b|` +
		`\b[Nn]o (attack path|alert|vulnerabilit)\w*|\b[Nn]othing (matches|found)\b`)
	saysUnseen = regexp.MustCompile(`(?i)not seen \(\d+\)|unknown, not clean|"gaps": ?\[\s*\{`)
)

// unlooked are the statements of nothing that neither a reason nor a word on what was not
// seen stands beside. A clean image is one of which everything was read: nothing excuses it.
func unlooked(out string, reasons map[string]string) (bad []string) {
	for _, none := range saysNone.FindAllString(out, -1) {
		none = strings.TrimSpace(none)
		if reasons[none] == "" && (none == "none known" || !saysUnseen.MatchString(out)) {
			bad = append(bad, none)
		}
	}
	return bad
}

func TestAWordOfNothingIsHeldAgainstWhatWasLookedFor(t *testing.T) {
	for _, c := range []struct{ out, want string }{
		{"4 packages; vulnerabilities: none known\n", "none known"},
		{"4 packages; vulnerabilities: none known\n\nNot seen (1):\n", "none known"},
		{"4 packages; vulnerabilities: none known in what was read\n\nNot seen (1):\n", ""},
		{"0 attack paths\n", "0 attack paths"}, {"0 attack paths\n\nNot seen (2):\n", ""}, {"10 attack paths\n", ""},
		{"0 found, 0 rows\n", "0 found"}, {"No alert matches", "No alert"}, {`{"alerts": [], "gaps": [{"what": "x"}]} no alerts`, ""},
	} {
		if got := strings.Join(unlooked(c.out, nil), ","); got != c.want {
			t.Errorf("%q: %q, want %q", c.out, got, c.want)
		}
	}
	if got := unlooked("0 attack paths", map[string]string{"0 attack paths": "the folder is empty"}); len(got) > 0 {
		t.Error(got)
	}
}

// readmesCommands are what the README tells people to type, without its remarks.
func readmesCommands(t *testing.T) (out []string) {
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		command, is := strings.CutPrefix(line, "    breakwater")
		if command, _, _ = strings.Cut(command, "   #"); is {
			out = append(out, "breakwater"+strings.TrimSpace(command))
		}
	}
	for i := range out {
		out[i] = strings.Replace(out[i], "breakwater", "breakwater ", 1)
		out[i] = strings.Replace(out[i], "breakwater -sensor", "breakwater-sensor", 1)
	}
	if len(out) < 8 {
		t.Fatalf("the README has %d commands: %v", len(out), out)
	}
	return out
}

// serves looks at a folder through a server: every list that is empty says of what.
func (w *walk) serves(t *testing.T) {
	for _, e := range w.environment() {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
	}
	data := filepath.Join(w.home, ".local", "share", "breakwater")
	s := serve(t, w.bin, "--from", filepath.Join(w.home, "manifests"), "--listen", "127.0.0.1:0", "--allow-private", w.registry)
	a := s.asker(t)
	until(t, "the folder was read, and every image was read or failed", func() bool {
		var st struct {
			Clusters []struct{ State string }
			Images   struct{ Total, Waiting, Failed int }
			Gaps     []struct{ Why string }
		}
		a.get(t, "/status", &st)
		read := len(st.Clusters) == 1 && st.Clusters[0].State == "current"
		if !read && len(st.Gaps) == 0 {
			t.Error("the folder is not read yet, and no gap says so")
		}
		return read && st.Images.Total == 3 && st.Images.Waiting == 0 && st.Images.Failed > 0
	})
	for path, want := range map[string]string{"/status": "team/gone:1", "/home": "team/gone:1", "/coverage": "team/gone:1",
		"/images": "team/front", "/vulnerabilities": "CVE-2099-0001", "/recommendations": "openssl", "/paths": "", "/alerts": "",
		"/registries": "", "/sensors": "",
		"/search?q=front": "team", "/report/paths": "team/gone:1", "/report/exposure": "Deployment/front"} {
		var answer any
		a.get(t, path, &answer)
		b, err := json.MarshalIndent(answer, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "harbor") {
			t.Errorf("%s tells of the sample: %s", path, b)
		}
		if !strings.Contains(string(b), want) {
			t.Errorf("%s does not tell %q: %s", path, want, b)
		}
		if m, is := answer.(map[string]any); is && emptyWithoutAWord(m) {
			t.Errorf("%s has nothing and does not say of what: %s", path, b)
		}
	}
	hook := exec.CommandContext(t.Context(), w.bin, "registry", "webhook", "registry.example", "--data", data)
	hook.Env = w.environment()
	if b, err := hook.CombinedOutput(); err != nil || !strings.Contains(string(b), "/api/v1/registry/pushes") {
		t.Errorf("%v: %s", err, b)
	}
	w.tells(t, data, a.url)
	var out, said bytes.Buffer
	c := exec.CommandContext(t.Context(), w.bin, "query", "--data", data, "-o", "csv", "MATCH (p:Pod) RETURN p.name")
	c.Stdout, c.Stderr, c.Env = &out, &said, w.environment()
	if err := c.Run(); err != nil || !strings.Contains(out.String(), "front") || strings.Contains(out.String(), "#") ||
		!strings.Contains(said.String(), "team/gone:1") {
		t.Errorf("%v: rows %s, beside them %s", err, &out, &said)
	}
}

// tells lets a build tell the server of an image that no cluster runs.
func (w *walk) tells(t *testing.T, data, url string) {
	var made struct{ Token string }
	c := exec.CommandContext(t.Context(), w.bin, "tokens", "upload", "walk-ci", "--data", data, "-o", "json")
	c.Env = w.environment()
	b, err := c.Output()
	if err == nil {
		err = json.Unmarshal(b, &made)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	c = exec.CommandContext(t.Context(), w.bin, "scan", "image", w.registry+"/team/tool:1", "--upload", url)
	c.Env = append(w.environment(), "BREAKWATER_UPLOAD_TOKEN="+made.Token)
	if b, err := c.CombinedOutput(); err != nil || !strings.Contains(string(b), "told the server") {
		t.Errorf("%v: %s", err, b)
	}
}

// emptyWithoutAWord says whether a page has no items, no gaps and no count of what is unknown.
func emptyWithoutAWord(page map[string]any) bool {
	items, is := page["items"].([]any)
	if !is || len(items) > 0 {
		return false
	}
	gaps, _ := page["gaps"].([]any)
	unscanned, _ := page["unscanned"].(float64)
	_, told := page["credentials"] // no registry is connected: this is what one would need
	return len(gaps) == 0 && unscanned == 0 && !told
}

// realFiles are the package database and the name of the system that this runs on or, where
// it has none that is read, of a small Debian.
func realFiles(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range []string{"etc/os-release", "var/lib/dpkg/status"} {
		if b, err := os.ReadFile("/" + name); err == nil {
			out[name] = string(b)
		}
	}
	if !strings.Contains(out["etc/os-release"], "bookworm") || !strings.Contains(out["var/lib/dpkg/status"], "Package: openssl\n") {
		out["etc/os-release"] = "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n"
		out["var/lib/dpkg/status"] = "Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.11-1\n\n"
	}
	return out
}

// osv is an advisory of all versions, or of those before a fix.
func osv(id, source, fix string) string {
	return fmt.Sprintf(`{"schema_version":"1.6.0","id":"DEBIAN-%[1]s","upstream":["%[1]s"],"modified":"2099-01-01T00:00:00Z",`+
		`"affected":[{"package":{"ecosystem":"Debian:12","name":"%[2]s"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}%[3]s]}]}]}`,
		id, source, fix)
}

// zipped is an archive as OSV offers its advisories.
func zipped(t *testing.T, records ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, r := range records {
		f, err := z.Create(fmt.Sprintf("%d.json", i))
		if err == nil {
			_, err = io.WriteString(f, r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
