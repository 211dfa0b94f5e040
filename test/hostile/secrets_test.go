package hostile

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/event/audit"
	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/redact"
)

// The one who plants secrets here is careless and no attacker: people put passwords everywhere that text may stand.

var isLabel = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)

// argv is a command line as its program is given it, where the text is one; a text with quotes is one word.
func argv(text string) []string {
	if strings.ContainsAny(text, "'\"<>:\n") || strings.Contains(text, " = ") {
		return []string{text}
	}
	return strings.Fields(text)
}

// objects are one text at every place of a cluster's objects.
func objects(n int, text string) []any {
	type m = map[string]any
	named := func(kind string) m {
		return m{"name": fmt.Sprintf("%s-%d", kind, n), "namespace": "shop", "annotations": m{
			"kubectl.kubernetes.io/last-applied-configuration": text, collect.OwnPrefix + "note": text,
			"alb.ingress.kubernetes.io/wafv2-acl-name": text}}
	}
	probe := m{"exec": m{"command": []string{"sh", "-c", text}}, "periodSeconds": 1}
	asked := m{"httpGet": m{"port": 1, "path": "/" + url.PathEscape(text), "httpHeaders": []m{{"name": "X-Any", "value": text}}}}
	pod := m{"containers": []m{{"name": "app", "image": "r.example/app:1", "command": []string{"sh", "-c", text}, "args": argv(text),
		"env": []m{{"name": "ANY", "value": text}}, "livenessProbe": probe, "readinessProbe": asked,
		"lifecycle": m{"preStop": m{"exec": m{"command": []string{text}}}}},
		{"name": "side", "image": "r.example/side:1", "args": []string{text}}}}
	labels := m{}
	if isLabel.MatchString(text) {
		labels = m{"any": text}
	}
	labelled := named("pod")
	labelled["labels"] = labels
	headers := []m{{"name": "X-Any", "value": text}}
	return []any{
		m{"apiVersion": "v1", "kind": "Pod", "metadata": labelled, "spec": pod},
		m{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": named("web"), "spec": m{"selector": m{"matchLabels": m{"a": "b"}},
			"template": m{"metadata": m{"labels": m{"a": "b"}}, "spec": pod}}},
		m{"apiVersion": "v1", "kind": "Service", "metadata": named("service"), "spec": m{"type": "ExternalName", "externalName": text}},
		m{"apiVersion": "v1", "kind": "ConfigMap", "metadata": named("map"), "data": m{"any": text}},
		m{"apiVersion": "v1", "kind": "Secret", "metadata": named("secret"), "stringData": m{"any": text}},
		m{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": named("ingress"), "spec": m{"rules": []m{{"http": m{
			"paths": []m{{"path": "/" + text, "pathType": "Prefix", "backend": m{"service": m{"name": "s", "port": m{"number": 80}}}}}}}}}},
		m{"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": named("route"), "spec": m{"rules": []m{{
			"matches": []m{{"path": m{"type": "PathPrefix", "value": "/" + text}, "headers": headers, "queryParams": headers}},
			"filters": []m{{"type": "RequestHeaderModifier", "requestHeaderModifier": m{"set": headers}}}}}}},
		m{"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": named("webhook"),
			"webhooks": []m{{"name": "w.example.com", "clientConfig": m{"url": "https://w.example.com/ " + text}, "sideEffects": "None",
				"admissionReviewVersions": []string{"v1"}}}},
		m{"apiVersion": "widgets.example.com/v1", "kind": "Widget", "metadata": named("widget"), "spec": m{"any": text,
			"template": m{"spec": pod}}},
	}
}

// dumped is everything that is kept of manifests, as it is written.
func dumped(t *testing.T, files fstest.MapFS) string {
	t.Helper()
	f, err := kube.ReadFS(files)
	if err != nil {
		return err.Error() // which is shown
	}
	var zipped bytes.Buffer
	if err := kube.Save(&zipped, f); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(&zipped)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// holds says whether a text holds a secret, also as it is written in JSON or in an address.
func holds(text, secret string) bool {
	quoted, _ := json.Marshal(secret)
	for _, s := range []string{secret, strings.Trim(string(quoted), `"`), url.QueryEscape(secret), url.PathEscape(secret)} {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

func TestNoSecretOfAnyShapePassesAnyDoor(t *testing.T) {
	doors := map[string]func(t *testing.T, n int, text string) string{
		"manifests": func(t *testing.T, n int, text string) string {
			list, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": objects(n, text)})
			if err != nil {
				t.Fatal(err)
			}
			return dumped(t, fstest.MapFS{"in.json": {Data: list}})
		},
		"manifests that are none": func(t *testing.T, _ int, text string) string {
			return dumped(t, fstest.MapFS{"a.yaml": {Data: []byte("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: [" + text)},
				"b.yaml": {Data: []byte("kind: " + text)}, "c.json": {Data: []byte(`{"kind": ` + text)},
				"d.yaml": {Data: []byte("apiVersion: v1\nkind: Namespace\nmetadata: {name: d}\n")}})
		},
		"an audit event": func(t *testing.T, n int, text string) string {
			words := url.Values{"command": append([]string{"sh", "-c", text}, argv(text)...)}.Encode()
			return audited(t, "get", "exec", "/api/v1/namespaces/shop/pods/a/exec?x="+url.QueryEscape(text)+"&"+words, text, nil) +
				audited(t, "create", "", "/api/v1/namespaces/shop/pods", text, objects(n, text)[0]) +
				audited(t, "patch", "", "/api/v1/namespaces/shop/pods/a", text, objects(n, text)[8])
		},
		"a node's record": func(t *testing.T, _ int, text string) string {
			return started(t, []string{"sh", "-c", text}) + started(t, argv(text))
		},
		"an image": inImage,
		"an error": func(_ *testing.T, _ int, text string) string { return collect.Why(errors.New("it said " + text)) },
		"a log": func(_ *testing.T, _ int, text string) string {
			var out strings.Builder
			log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: redact.Log}))
			log.Error(text, "error", errors.New(text), "said", text)
			return out.String()
		},
	}
	for of, door := range doors {
		t.Run(of, func(t *testing.T) {
			for n, p := range redact.Examples() {
				if kept := door(t, n, p.Text); holds(kept, p.Secret) {
					at := strings.Index(kept, p.Secret)
					t.Errorf("%s: %q of %q: …%s…", p.Of, p.Secret, p.Text, kept[max(0, at-150):min(len(kept), max(at, 0)+150)])
				}
			}
		})
	}
}

// inImage is all that is kept of an image whose build wrote a text into everything that images tell of it.
func inImage(t *testing.T, _ int, text string) string {
	t.Helper()
	var tarball bytes.Buffer
	if err := tar.NewWriter(&tarball).Close(); err != nil {
		t.Fatal(err)
	}
	img := v1.Image(empty.Image)
	for n, line := range []string{"/bin/sh -c " + text, "RUN /bin/sh -c " + text + " # buildkit", "RUN |1 ANY=x /bin/sh -c " + text,
		"/bin/sh -c #(nop)  ENV ANY='" + text + "'", "ARG ANY='" + text + "'", "LABEL any='" + text + "'",
		fmt.Sprintf("/bin/sh -c #(nop)  CMD [\"sh\" \"-c\" %q]", text)} {
		layer := static.NewLayer(append(tarball.Bytes(), make([]byte, 512*n)...), types.OCIUncompressedLayer)
		var err error
		said := v1.History{CreatedBy: line, Comment: text, Author: text}
		if img, err = mutate.Append(img, mutate.Addendum{Layer: layer, History: said}); err != nil {
			t.Fatal(err)
		}
	}
	file, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	file = file.DeepCopy()
	file.Author, file.OS, file.Architecture = text, "linux", "amd64"
	file.Config = v1.Config{Env: []string{"ANY=" + text}, Labels: map[string]string{"any": text}, Cmd: argv(text), Entrypoint: argv(text)}
	if img, err = mutate.ConfigFile(img, file); err != nil {
		t.Fatal(err)
	}
	img = mutate.MediaType(img, types.OCIManifestSchema1)
	img = mutate.ConfigMediaType(img, types.OCIConfigJSON)
	img = mutate.Annotations(img, map[string]string{"any": text}).(v1.Image)
	dir := t.TempDir()
	to, err := layout.Write(dir, empty.Index)
	if err == nil {
		err = to.AppendImage(img)
	}
	if err != nil {
		t.Fatal(err)
	}
	local, is, err := image.ParseLocal("oci:" + dir)
	if err != nil || !is {
		t.Fatal(err)
	}
	inventory, err := image.ScanLocal(t.Context(), local, image.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(inventory.Layers) != 7 || inventory.Layers[6].Command == "" {
		t.Fatalf("%+v", inventory)
	}
	out, err := json.Marshal(inventory)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// audited is all that is kept of an audit event.
func audited(t *testing.T, verb, sub, uri, text string, object any) string {
	t.Helper()
	body, err := json.Marshal(auditEvent(verb, sub, uri, text, object))
	if err != nil {
		t.Fatal(err)
	}
	b, err := (&audit.Decoder{Cluster: "c"}).Decode(body)
	if err != nil {
		return err.Error()
	}
	out := strings.Builder{}
	out.Write(audit.Clean(body))
	for _, e := range b.Events {
		fmt.Fprintln(&out, e.Fields, e.Entities, string(e.Evidence()))
	}
	return out.String()
}

// auditEvent is an audit event with one text at every place that a person or client writes.
func auditEvent(verb, sub, uri, text string, object any) map[string]any {
	return map[string]any{"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": "1",
		"stage":      "ResponseComplete",
		"requestURI": uri, "verb": verb, "user": map[string]any{"username": "ann", "extra": map[string]any{"password": []string{"hunter2"}}},
		"userAgent": text, "sourceIPs": []string{"192.0.2.1"}, "objectRef": map[string]any{"resource": "pods", "subresource": sub,
			"namespace": "shop", "name": "a", "apiVersion": "v1"}, "responseStatus": map[string]any{"code": 200, "message": text},
		"requestReceivedTimestamp": "2026-01-01T00:00:00.000000Z", "stageTimestamp": "2026-01-01T00:00:00.000000Z",
		"annotations": map[string]string{"authorization.k8s.io/reason": text, "any": text}, "requestObject": object, "responseObject": object}
}

// started is all that is kept of a program's start.
func started(t *testing.T, arguments []string) string {
	t.Helper()
	line, err := json.Marshal(recordOf(arguments))
	if err != nil {
		t.Fatal(err)
	}
	out := strings.Builder{}
	out.Write(runtime.Clean(line))
	if err := (&runtime.Decoder{Cluster: "c"}).Read(bytes.NewReader(append(line, '\n')), func(b *runtime.Batch) error {
		for _, e := range b.Events {
			fmt.Fprintln(&out, e.Fields, e.Entities, string(e.Evidence()))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// recordOf is what a sensor says of a program's start.
func recordOf(arguments []string) runtime.Record {
	program := "/usr/bin/" + arguments[0]
	if !regexp.MustCompile(`^[\w/-]+$`).MatchString(program) {
		program = "/bin/sh"
	}
	p := runtime.Process{PID: 40, Name: "x", Path: program, Arguments: arguments}
	return runtime.Record{Version: 1, Kind: runtime.Exec, Node: "n", Boot: "b", Sequence: 1, Time: time.Unix(1_800_000_000, 0).UTC(),
		Process: &p, Ancestors: []runtime.Process{p}}
}

// TestAServerKeepsTellsAndLogsNoSecretOfItsCluster looks into its folder, a backup, its answers, its log and its memory.
func TestAServerKeepsTellsAndLogsNoSecretOfItsCluster(t *testing.T) {
	overwrites(t)
	var items []any
	var shown, fresh []string // the pods whose labels are shown; secrets that no program holds
	for _, p := range redact.Fresh(word) {
		fresh = append(fresh, p.Secret)
	}
	for n, p := range append(redact.Examples(), redact.Fresh(word)...) {
		items = append(items, objects(n, p.Text)...)
		if isLabel.MatchString(p.Text) {
			shown = append(shown, fmt.Sprintf("/entity?kind=Pod&id=c/shop/Pod/pod-%d", n))
		}
	}
	const argument = "--seen-by=the-test" // of a command line whose secret must be gone beside it
	items = append(items, map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "seen", "namespace": "shop"},
		"spec": map[string]any{"containers": []any{map[string]any{"name": "app", "image": "r.example/app:1",
			"args": []string{argument, "--password=" + word}}}}})
	list, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": items})
	if err != nil {
		t.Fatal(err)
	}
	dir, data := t.TempDir(), filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(filepath.Join(dir, "in.json"), list, 0o600); err != nil {
		t.Fatal(err)
	}
	metrics := freePort(t)
	s := startServe(t, data, "serve", "--from", "c="+dir, "--no-images", "--save-every", "100ms", "--verbose", "--listen",
		"127.0.0.1:0", "--metrics-listen", "127.0.0.1:"+metrics, "--data", data)
	answers := s.answers(t, shown...) + s.read(t, "POST", "/what-if", `{"fixes":["fix-0000000000"],"assume":"any"}`) + metricsAt(t, metrics)
	if !strings.Contains(answers, "web-1") || !strings.Contains(answers, redact.Mark) {
		t.Fatalf("the server tells nothing of what was planted: %.500s", answers)
	}
	s.forgets(t, fresh, argument) // arguments are in memory alone
	backup := t.TempDir()
	if said, err := s.command(t, "backup", filepath.Join(backup, "b.tar.gz")); err != nil {
		t.Fatal(said)
	}
	s.kill()
	kept, packed := stored(t, data), stored(t, backup)
	if !strings.Contains(packed, "SQLite format 3") {
		t.Error("the backup holds no records")
	}
	for _, p := range append(redact.Examples(), redact.Fresh(word)...) {
		for where, text := range map[string]string{"API": answers, "log": s.log.String(), "folder": kept, "backup": packed} {
			if len(p.Secret) > 7 && holds(text, p.Secret) || holds(text, "hunter2") {
				at := strings.Index(text, p.Secret)
				t.Fatalf("%s: %q of %q is in the %s: …%q…", p.Of, p.Secret, p.Text, where, text[max(0, at-80):min(len(text), max(0, at)+80)])
			}
		}
	}
}

// metricsAt is what Prometheus is told.
func metricsAt(t *testing.T, port string) string {
	t.Helper()
	resp, err := http.Get("http://127.0.0.1:" + port + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(text), "breakwater_ready") {
		t.Fatalf("%v: %.200s", err, text)
	}
	return string(text)
}

// stored is every byte of a server's folder, unpacked where it is packed.
func stored(t *testing.T, data string) string {
	t.Helper()
	var out strings.Builder
	if err := filepath.WalkDir(data, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		out.Write(b)
		for rest := b; err == nil; { // what is packed within files
			at := bytes.Index(rest, []byte{0x1f, 0x8b, 8})
			if at < 0 {
				break
			}
			if z, err := gzip.NewReader(bytes.NewReader(rest[at:])); err == nil {
				z.Multistream(false)
				_, _ = io.Copy(&out, io.LimitReader(z, 64<<20)) // of what is cut, what there is
			}
			rest = rest[at+3:]
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
