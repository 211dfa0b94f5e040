package audit

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const asked = `{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a","stage":"ResponseComplete","level":"Metadata",` +
	`"requestURI":"/api/v1/namespaces/shop/secrets/db","verb":"get","user":{"username":"alice"},` +
	`"objectRef":{"resource":"secrets","namespace":"shop","name":"db","apiVersion":"v1"},"responseStatus":{"code":200}}`

func quoted(t testing.TB, text string) string {
	t.Helper()
	b, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func packed(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// TestEventsInEnvelopesAreReadByTheirForm: as the clouds that run clusters hand them on, as bodies and as lines.
func TestEventsInEnvelopesAreReadByTheirForm(t *testing.T) {
	watch := func(stream string, messages ...string) string {
		var all []string
		for _, m := range messages {
			all = append(all, `{"id":"1","timestamp":1,"message":`+quoted(t, m)+`}`)
		}
		return `{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"/aws/eks/prod/cluster","logStream":"` + stream +
			`","subscriptionFilters":["f"],"logEvents":[` + strings.Join(all, ",") + `]}`
	}
	const stream = "kube-apiserver-audit-0a"
	two := watch(stream, asked, asked)
	diagnostic := `{"time":"2026-01-01T00:00:00Z","category":"kube-audit","resourceId":"/SUBSCRIPTIONS/1","properties":{"log":` + quoted(
		t,
		asked,
	) +
		`,"stream":"stdout"}}`
	entry := `{"insertId":"i","logName":"projects/p/logs/cloudaudit.googleapis.com%2Factivity","resource":{"type":"k8s_cluster"},` +
		`"timestamp":"2026-01-01T00:00:00Z","protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog",` +
		`"authenticationInfo":{"principalEmail":"alice"},"methodName":"io.k8s.core.v1.secrets.get",` +
		`"resourceName":"core/v1/namespaces/shop/secrets/db","requestMetadata":{"callerIp":"203.0.113.7"},"serviceName":"k8s.io"}}`
	for _, c := range []struct {
		name, text       string
		events, rejected int
	}{
		{"CloudWatch Logs", two, 2, 0},
		{"one of them is broken", watch(stream, asked, "not audit", asked), 2, 1},
		{"another log of the control plane", watch("authenticator-0a", "time=x level=info"), 0, 0},
		{"CloudWatch asks whether somebody is there",
			`{"messageType":"CONTROL_MESSAGE","logEvents":[{"id":"","message":"CWL CONTROL MESSAGE"}]}`, 0, 0},
		{"Firehose", `{"requestId":"r","timestamp":1,"records":[{"data":"` + packed(t, two) + `"},{"data":"` +
			packed(t, two+"\n"+two) + `"}]}`, 6, 0},
		{"Firehose, one record broken", `{"requestId":"r","records":[{"data":"!"},{"data":"` + packed(t, two) + `"}]}`, 2, 1},
		{"Event Hubs", `{"records":[` + diagnostic + `,` + diagnostic + `]}`, 2, 0},
		{"Event Hubs, several messages", `[{"records":[` + diagnostic + `]},{"records":[` + diagnostic + `]}]`, 2, 0},
		{"a storage account", diagnostic, 1, 0},
		{"the log is an object", `{"category":"kube-audit-admin","properties":{"log":` + asked + `}}`, 1, 0},
		{"another log of AKS", `{"category":"guard","properties":{"log":"x"}}`, 0, 0},
		{"Cloud Logging", entry, 1, 0},
		{"Cloud Logging, several", `[` + entry + `,` + entry + `]`, 2, 0},
		{"Pub/Sub", `{"message":{"data":"` + base64.StdEncoding.EncodeToString([]byte(entry)) + `","messageId":"1"},"subscription":"s"}`, 1, 0},
		{"in the order of another type", `{"records":"none"}`, 0, 1},
	} {
		d := Decoder{Envelopes: true}
		b, err := d.Decode([]byte(c.text))
		refused := b.Refused()
		if err != nil {
			refused++
		}
		if len(b.Events) != c.events || refused != c.rejected {
			t.Errorf("%s: %d events, rejected %d (%v), want %d, %d", c.name, len(b.Events), refused, err, c.events, c.rejected)
		}
		if inside, is, err := Unpack([]byte(c.text), maxUnpacked); err != nil || len(inside) < c.events || is != (c.events > 0) {
			t.Errorf("%s: %d events are unpacked, %v, %v", c.name, len(inside), is, err)
		}
		lines := 0
		l := Decoder{Envelopes: true}
		if err := l.Lines([]byte(c.text+"\n"+c.text), func(b *Batch) error { lines += len(b.Events); return nil }); err != nil ||
			lines != 2*c.events {
			t.Errorf("%s: %d events of two lines, %v", c.name, lines, err)
		}
		for _, e := range b.Events {
			if e.Fields["user.name"] == nil && fmt.Sprint(e.Fields) == "" {
				t.Errorf("%s: an event without fields", c.name)
			}
		}
	}
}

// TestALogEntryIsTheRequestThatItTellsOf: Cloud Audit Logs name things in their own way.
func TestALogEntryIsTheRequestThatItTellsOf(t *testing.T) {
	for _, c := range []struct{ method, resource, status, want string }{
		{"io.k8s.core.v1.pods.create", "core/v1/namespaces/shop/pods/web", `{}`, "create pods shop/web 201 /api/v1/namespaces/shop/pods"},
		{"io.k8s.core.v1.pods.exec.create", "core/v1/namespaces/shop/pods/web/exec", `{}`,
			"create pods/exec shop/web 200 /api/v1/namespaces/shop/pods/web/exec"},
		{"io.k8s.authorization.rbac.v1.clusterrolebindings.create", "rbac.authorization.k8s.io/v1/clusterrolebindings/all", `{"code":7}`,
			"create clusterrolebindings /all 403 /apis/rbac.authorization.k8s.io/v1/clusterrolebindings"},
		{"io.k8s.core.v1.namespaces.delete", "core/v1/namespaces/shop", `{}`, "delete namespaces /shop 200 /api/v1/namespaces/shop"},
		{"io.k8s.core.v1.namespaces.finalize.update", "core/v1/namespaces/shop/finalize", `{}`,
			"update namespaces/finalize /shop 200 /api/v1/namespaces/shop/finalize"},
		{"io.k8s.core.v1.secrets.list", "core/v1/namespaces/shop/secrets", `{}`, "list secrets shop/ 200 /api/v1/namespaces/shop/secrets"},
		{"io.k8s.core.v1.pods.create", "", `{}`, "create pods / 201 /api/v1/pods"},
		{"io.k8s.authorization.rbac.v1.clusterrolebindings.delete", "", `{}`,
			"delete clusterrolebindings / 200 /apis/rbac.authorization.k8s.io/v1/clusterrolebindings"},
		{"io.k8s.core.v1.nodes.proxy.get", "core/v1/nodes/n1/proxy/pods", `{"code":5}`, "get nodes/proxy /n1 404 /api/v1/nodes/n1/proxy/pods"},
	} {
		text := `{"insertId":"i","timestamp":"2026-01-01T00:00:00Z","protoPayload":{"methodName":"` + c.method +
			`","resourceName":"` + c.resource +
			`","status":` + c.status + `}}`
		inside, is, err := unpacked(text, new(maxUnpacked))
		if err != nil || !is || len(inside) != 1 {
			t.Errorf("%s: %v, %v", c.method, inside, err)
			continue
		}
		r, err := parse(inside[0])
		if err != nil || r.check() != nil {
			t.Errorf("%s: %v, %v", c.method, err, r.check())
			continue
		}
		got := fmt.Sprintf(
			"%s %s %s/%s %s %s",
			r.verb,
			strings.TrimSuffix(r.ref.resource+"/"+r.ref.subresource, "/"),
			r.ref.namespace,
			r.ref.name,
			r.code,
			r.uri,
		)
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.method, got, c.want)
		}
	}
	for name, text := range map[string]string{
		"another service": `{"protoPayload":{"methodName":"google.container.v1.ClusterManager.GetCluster"}}`,
		"no object":       `{"protoPayload":{"methodName":"io.k8s.core.v1.pods.get","resourceName":"core"}}`} {
		d := Decoder{Envelopes: true}
		if b, err := d.Decode([]byte(text)); err == nil || len(b.Events) != 0 {
			t.Errorf("%s is taken for a request: %v", name, err)
		}
	}
}

// TestEnvelopesAreBounded: a bomb, and envelopes in each other.
func TestEnvelopesAreBounded(t *testing.T) {
	bomb := `{"records":[` + strings.TrimSuffix(strings.Repeat(`{"data":"`+packed(t, strings.Repeat(" ", MaxEvent))+`"},`, 6), ",") + `]}`
	nested := asked
	for range maxEnvelopes + 2 {
		nested = `{"records":[` + nested + `]}`
	}
	several := `[` + strings.TrimSuffix(strings.Repeat(`{"data":"`+packed(t, strings.Repeat(" ", MaxEvent))+`"},`, 6), ",") + `]`
	var each Decoder
	taken := []byte(`{"kind":"EventList","items":[{"records":[` + asked + `]}]}`)
	if b, err := each.Decode(taken); err != nil || len(b.Events) != 0 || b.Refused() != 1 {
		t.Errorf("what a server took is unpacked again: %d events, %v", len(b.Events), err)
	}
	d := Decoder{Envelopes: true}
	if b, err := d.Decode([]byte(several)); err != nil || !strings.Contains(fmt.Sprint(b.Rejections), errUnpacked.Error()) {
		t.Errorf("each item of a list unpacks as much as all may: %v, %v", b.Rejections, err)
	}
	for name, text := range map[string]string{errUnpacked.Error(): bomb, errDeep.Error(): nested} {
		d := Decoder{Envelopes: true}
		b, err := d.Decode([]byte(text))
		said := fmt.Sprint(err, b.Rejections)
		if len(b.Events) != 0 || !strings.Contains(said, name) {
			t.Errorf("%d events, %s; want %s", len(b.Events), said, name)
		}
	}
}

// FuzzEnvelope reads anything as an envelope: never a panic, and no more than the bounds allow.
func FuzzEnvelope(f *testing.F) {
	for _, text := range []string{`{"messageType":"DATA_MESSAGE","logStream":"kube-apiserver-audit-1","logEvents":[{"message":"{}"}]}`,
		`{"records":[{"data":"` + packed(f, asked) + `"}]}`, `{"records":[{"category":"kube-audit","properties":{"log":"{}"}}]}`,
		`{"message":{"data":"e30="}}`,
		`{"protoPayload":{"methodName":"io.k8s.core.v1.pods.exec.create","resourceName":"core/v1/namespaces/a/pods/b/exec","request":{}}}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		left := maxUnpacked
		inside, is, _ := unpacked(text, &left)
		if !is && len(inside) > 0 {
			t.Errorf("%d texts are in what is no envelope", len(inside))
		}
		d := Decoder{Envelopes: true}
		_, _ = d.Decode([]byte(text))
	})
}
