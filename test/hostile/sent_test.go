package hostile

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/redact"
	"github.com/breakwater-sec/breakwater/store"
)

// word is what people chose as a password here. It stands in no program and no text of ours.
const word = "zebra471"

// acts is who executes commands with secrets in them, and is told of.
const acts = "wanda-of-the-test"

// listOf is what an API server posts of every planted text.
func listOf(t *testing.T, planted []redact.Planted) []byte {
	t.Helper()
	var items []any
	for n, p := range planted {
		words := url.Values{"command": append([]string{"sh", "-c", p.Text}, argv(p.Text)...)}.Encode()
		items = append(items,
			auditEvent("get", "exec", "/api/v1/namespaces/shop/pods/a/exec?x="+url.QueryEscape(p.Text)+"&"+words, p.Text, nil),
			auditEvent("create", "", "/api/v1/namespaces/shop/pods", p.Text, objects(n, p.Text)[0]),
			auditEvent("create", "", "/api/v1/namespaces/shop/pods", p.Text, objects(n, p.Text)[4]),
			auditEvent("patch", "", "/api/v1/namespaces/shop/pods/a", p.Text, objects(n, p.Text)[8]))
	}
	for n, i := range items {
		e := i.(map[string]any)
		e["auditID"] = strconv.Itoa(n)
		e["user"].(map[string]any)["username"] = acts
		e["requestReceivedTimestamp"] = time.Now().UTC().Format(time.RFC3339Nano)
		e["stageTimestamp"] = e["requestReceivedTimestamp"]
	}
	body, err := json.Marshal(map[string]any{"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": items})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// recordsOf is what a sensor posts of every planted text.
func recordsOf(t *testing.T, planted []redact.Planted) []byte {
	t.Helper()
	var out bytes.Buffer
	into := json.NewEncoder(&out)
	for n, p := range planted {
		r := recordOf([]string{"sh", "-c", p.Text})
		r.Sequence, r.Time = uint64(2*n+1), time.Now().UTC()
		r.Container = &runtime.Container{ID: strings.Repeat("0f", 32), Kubernetes: true}
		again := recordOf(argv(p.Text))
		again.Sequence, again.Time = uint64(2*n+2), r.Time
		for _, one := range []runtime.Record{r, again} {
			if err := into.Encode(one); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out.Bytes()
}

// post sends events to a server, on a connection of its own.
func (s *localServer) post(t *testing.T, path, kind string, body []byte) {
	t.Helper()
	d := datadir.Dir(s.data)
	running, err := d.Server()
	if err != nil {
		t.Fatal(err)
	}
	st, err := d.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	token, err := st.NewIngestToken(t.Context(), store.IngestToken{Cluster: "c", Kind: kind})
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(filepath.Join(d.Authority(), "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}}
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, running.Ingest+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+token)
	q.Header.Set("X-Breakwater-Sensor", "n/b/1")
	a, err := client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if said, err := io.ReadAll(a.Body); err != nil || a.StatusCode != http.StatusOK {
		t.Fatalf("%s %s, %v", a.Status, said, err)
	}
}

// memory is all that a process can read of its own, but for its program.
func memory(t *testing.T, pid int, each func(part []byte)) {
	t.Helper()
	maps, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer maps.Close()
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	const step, overlap = 4 << 20, 256 // no secret of the table is longer
	room := make([]byte, step+overlap)
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		part := strings.Fields(lines.Text()) // 7f00-7f01 rw-p 00000000 00:00 0 [heap]
		if part[1][0] != 'r' || len(part) > 5 && (strings.HasPrefix(part[5], "[v") || part[1][1] != 'w') {
			continue
		}
		low, high, _ := strings.Cut(part[0], "-")
		from, err1 := strconv.ParseInt(low, 16, 64)
		to, err2 := strconv.ParseInt(high, 16, 64)
		if err1 != nil || err2 != nil {
			continue
		}
		for ; from < to; from += step {
			n, _ := mem.ReadAt(room[:min(to-from, step+overlap)], from) // of what went away meanwhile, what there is
			each(room[:n])
		}
	}
}

// TestNoSecretOfAnEventIsKeptByTheServerThatTookIt looks into the folder of a running server while events wait and after, into its
// answers and its log, and into its memory: of what it has let go the collector overwrites here, so what is found it still holds.
func TestNoSecretOfAnEventIsKeptByTheServerThatTookIt(t *testing.T) {
	overwrites(t)
	data := filepath.Join(t.TempDir(), "data")
	s := startServe(t, data, "serve", "--from", "c=../../cli/testdata/shop", "--no-images", "--ingest-listen", "127.0.0.1:0",
		"--sensor-tokens", "--verbose", "--listen", "127.0.0.1:0", "--data", data)
	planted := redact.Fresh(word)
	s.answers(t) // it stands

	log, records := listOf(t, planted), recordsOf(t, planted)
	s.post(t, "/v1/audit/c", "audit", log)
	s.post(t, "/v1/sensor/events", "runtime", records)
	waiting := stored(t, data)
	until(t, "all is analysed", func() bool {
		answer := s.read(t, "GET", "/alerts?limit=500", "")
		return strings.Contains(answer, fmt.Sprintf(`"analysed":%d`, 4*len(planted))) &&
			strings.Contains(answer, fmt.Sprintf(`"analysed":%d`, 2*len(planted)))
	})
	alerts := s.read(t, "GET", "/alerts?limit=500", "")
	answers := alerts + s.answers(t)
	for _, id := range idsOf(alerts) {
		answers += s.read(t, "GET", "/alert?cluster=c&id="+url.QueryEscape(id), "")
	}
	if !strings.Contains(answers, acts) || !strings.Contains(answers, redact.Mark) {
		t.Fatalf("nothing is told of what was sent: %.500s", answers)
	}
	secrets := map[string]redact.Planted{}
	for _, p := range planted {
		secrets[p.Secret] = p
	}
	for _, where := range []struct{ name, text string }{{"folder while events waited", waiting}, {"folder", stored(t, data)},
		{"answers", answers}, {"log", s.log.String()}} {
		for secret, p := range secrets {
			if holds(where.text, secret) {
				at := strings.Index(where.text, secret)
				t.Errorf("%s: %q of %q is in the %s: …%q…", p.Of, secret, p.Text, where.name,
					where.text[max(0, at-200):min(len(where.text), max(0, at)+100)])
			}
		}
	}

	s.forgets(t, slices.Collect(maps.Keys(secrets)), acts)
}

// overwrites makes servers that start overwrite what their collector frees, and collect often: what is found in memory is held.
func overwrites(t *testing.T) {
	t.Setenv("GODEBUG", "clobberfree=1")
	t.Setenv("GOGC", "10")
}

// forgets waits until no secret is in a server's memory, where a sign of what came with them is.
func (s *localServer) forgets(t *testing.T, secrets []string, sign string) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		s.answers(t) // makes garbage, so that the collector goes round
		var held []string
		known := false
		memory(t, s.cmd.Process.Pid, func(part []byte) {
			known = known || bytes.Contains(part, []byte(sign))
			for _, secret := range secrets {
				if at := bytes.Index(part, []byte(secret)); at >= 0 {
					held = append(held, fmt.Sprintf("%q: …%q…", secret, part[max(0, at-100):min(len(part), at+60)]))
				}
			}
		})
		switch {
		case known && len(held) == 0:
			return
		case !time.Now().Before(end) && len(held) > 0:
			t.Fatalf("the server holds %d secrets in its memory, such as %s", len(held), held[0])
		case !time.Now().Before(end):
			t.Fatalf("the server's memory does not hold %s, which came beside the secrets", sign)
		}
	}
}

// idsOf are the ids of alerts that a list tells.
func idsOf(list string) (out []string) {
	_, rest, _ := strings.Cut(list, "{")
	var page struct{ Items []struct{ ID string } }
	_ = json.Unmarshal([]byte("{"+rest), &page) // what is none has none
	for _, i := range page.Items {
		out = append(out, i.ID)
	}
	return slices.Compact(out)
}
