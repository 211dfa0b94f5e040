package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/event"
)

// toldOf is all that comes of an event but its identity.
func toldOf(b *Batch) string {
	var out strings.Builder
	for _, e := range b.Events {
		fields, _ := json.Marshal(e.Fields)
		fmt.Fprintf(&out, "%s %s %v %v %s\n", e.Time, fields, e.Entities, e.Object, e.Evidence())
	}
	fmt.Fprint(&out, b.Announced, b.Blind, b.Rejections)
	return out.String()
}

func sameWhenClean(t *testing.T, d Decoder, text string, want *Batch) {
	t.Helper()
	clean := Clean(oneLine(t, text))
	d.before = nil
	got, err := d.Decode(clean)
	if err != nil {
		t.Fatalf("%s: %v", clean, err)
	}
	if toldOf(got) != toldOf(want) {
		t.Errorf("cleaned, an event tells\n%s\nwant\n%s\nof %s\ncleaned %s", toldOf(got), toldOf(want), text, clean)
	}
	if again := Clean(clean); !bytes.Equal(again, clean) {
		t.Errorf("cleaned again:\n%s\nwant\n%s", again, clean)
	}
}

// oneLine is an event as the endpoint takes it.
func oneLine(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestACleanedLogTellsWhatTheLogTells(t *testing.T) {
	logs, err := filepath.Glob("../../packs/detect/audit/testdata/*.jsonl")
	if err != nil || len(logs) < 20 {
		t.Fatalf("%d logs, error %v", len(logs), err)
	}
	changed := 0
	for _, name := range logs {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		raw, clean := &Decoder{Cluster: "c"}, &Decoder{Cluster: "c"}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, MaxEvent)
		for lines.Scan() {
			want, err := raw.Decode(lines.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			cleaned := Clean(lines.Bytes())
			got, err := clean.Decode(cleaned)
			if err != nil {
				t.Fatal(err)
			}
			if toldOf(got) != toldOf(want) {
				t.Errorf("%s: cleaned, an event tells\n%s\nwant\n%s", name, toldOf(got), toldOf(want))
			}
			if len(cleaned) < len(lines.Bytes()) {
				changed++
			}
		}
		_ = f.Close()
	}
	if changed == 0 {
		t.Error("no event of any log has lost anything")
	}
}

func TestWhatNobodyReadsOfAnEventIsNotKept(t *testing.T) {
	const secret = "hunter2"
	object := `{"kind":"Secret","metadata":{"name":"a","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"hunter2"},` +
		`"labels":{"password":"hunter2"}},"data":{"password":"hunter2"},"stringData":{"any":"hunter2"}}`
	pod := `{"kind":"Pod","metadata":{"name":"a","annotations":{"any":"hunter2","kubernetes.io/config.mirror":"0f0e"}},` +
		`"spec":{"containers":[{"name":"app","command":["sh"],` +
		`"args":["--password","hunter2"],"env":[{"name":"ANY","value":"hunter2"}]}]},"any":"hunter2"}`
	operations := `[{"op":"add","path":"/spec/containers/0/env/-","value":{"name":"A","value":"hunter2"}},` +
		`{"op":"test","path":"/spec/containers/0/command","value":["hunter2"]},` +
		`{"op":"add","path":"/metadata/annotations/any","value":"hunter2"},` +
		`{"op":"add","path":"/spec/containers/0/args/-","value":"--password"},` +
		`{"op":"add","path":"/spec/containers/0/args/-","value":"hunter2"},` +
		`{"op":"add","path":"/spec/containers/0/command","value":["app","--password=hunter2"]},` +
		`{"op":"add","path":"/metadata/labels/password","value":"hunter2"},{"op":"replace","path":"","value":` + pod + `}]`
	in := func(text, what, instead string) string { return strings.Replace(text, what, instead, 1) }
	for name, text := range map[string]string{
		"a Secret":      request("create", "secrets", `,"requestObject":`+object+`,"responseObject":`+object),
		"a pod":         request("create", "pods", `,"requestObject":`+pod+`,"responseObject":`+pod),
		"a patch":       request("patch", "deployments", `,"requestObject":`+object),
		"a JSON patch":  request("patch", "deployments", `,"requestObject":`+operations),
		"one answered":  request("patch", "deployments", `,"requestObject":`+operations+`,"responseObject":`+pod),
		"a list":        request("list", "secrets", `,"responseObject":{"kind":"SecretList","items":[`+object+`]}`),
		"an annotation": request("create", "pods", `,"annotations":{"mutation.webhook/patch":"hunter2"}`),
		"a message":     in(request("get", "pods", ""), `{"code":201}`, `{"code":403,"message":"hunter2","details":{"a":"hunter2"}}`),
		"a parameter":   in(request("get", "pods", ""), "/x", "/x?any=hunter2&token=hunter2"),
		"an exec":       in(request("get", "pods", ""), "/x", "/x/exec?command=app&command=--password&command=hunter2"),
		"a body of exec": in(request("create", "pods", `,"requestObject":{"kind":"PodExecOptions","any":"hunter2",`+
			`"command":["app","--password=hunter2"]}`), `"name":"a"`, `"name":"a","subresource":"exec"`),
		"a user": in(request("get", "pods", ""), `"username":"alice"`,
			`"username":"alice","extra":{"password":["hunter2"]},"any":"hunter2"`),
		"a client's name": request("get", "pods", `,"userAgent":"curl --password=hunter2"`),
		"a member":        request("get", "pods", `,"any":{"any":"hunter2"}`),
		"a wrong type":    request("get", "pods", `,"userAgent":{"any":"hunter2"}`),
		"no event":        `{"any":"hunter2"}`,
	} {
		if !strings.Contains(text, secret) {
			t.Fatalf("%s has no secret", name)
		}
		clean := Clean(oneLine(t, text))
		if !json.Valid(clean) || bytes.Contains(clean, []byte(secret)) {
			t.Errorf("%s: %s", name, clean)
		}
	}
}

func TestASecretThatChangesAloneIsNoChangeOfACommand(t *testing.T) {
	pod := func(version int, command string) string {
		return fmt.Sprintf(`{"kind":"Deployment","metadata":{"name":"a","uid":"u","resourceVersion":"%d"},`+
			`"spec":{"template":{"spec":{"containers":[{"name":"app","image":"i","command":%s,"securityContext":{"privileged":true}}]}}}}`,
			version, command)
	}
	d := Decoder{Cluster: "c"}
	said := func(version int, command string) event.Fields {
		b, err := d.Decode(Clean(oneLine(t, request("update", "deployments", `,"responseObject":`+pod(version, command)))))
		if err != nil || len(b.Events) != 1 {
			t.Fatalf("%d events, error %v", len(b.Events), err)
		}
		return b.Events[0].Fields
	}
	said(1, `["app","--password=hunter2"]`)
	if f := said(2, `["app","--password=hunter3"]`); f["container.reprogrammed"] != nil {
		t.Errorf("%v", f)
	}
	if f := said(3, `["evil","--password=hunter3"]`); f["container.reprogrammed"] == nil {
		t.Errorf("%v", f)
	}
}
