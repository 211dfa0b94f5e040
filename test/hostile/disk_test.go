package hostile

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/server"
	"github.com/breakwater-sec/breakwater/store"
)

// smallDisk is a file system of its own, of a few megabytes.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size="+size); err != nil {
		t.Skipf("a small disk cannot be mounted here (it needs root and CAP_SYS_ADMIN): %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill takes all the room there is, as another program does, until the returned func gives it back.
func fill(t *testing.T, dir string) (empty func()) {
	t.Helper()
	name := filepath.Join(dir, "somebody-elses")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 1<<20); err == nil || len(block) > 4096; {
		if err != nil {
			block = block[:len(block)/2]
		}
		_, err = f.Write(block)
	}
	_ = f.Close()
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}
}

// served is a server on a data folder.
type served struct {
	*server.Server
	url, session string
	stop         func() error
}

func serveOn(t *testing.T, data string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	up, done := make(chan *served, 1), make(chan error, 1)
	c := server.Config{From: []string{"../../cli/testdata/shop"}, NoImages: true, Listen: "127.0.0.1:0", Ingest: "127.0.0.1:0", Data: data,
		SaveEvery: time.Second, QPS: 20}
	go func() {
		done <- server.Run(ctx, c, t.Output(), func(ctx context.Context, v *server.Server, url string) error {
			up <- &served{Server: v, url: url}
			return nil
		})
	}()
	var s *served
	select {
	case s = <-up:
	case err := <-done:
		cancel()
		t.Fatalf("the server does not start: %v", err)
	}
	s.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = s.stop() })
	link, err := s.Store.NewSignIn(t.Context(), time.Hour, `{"all":true}`, "alice")
	if err == nil {
		s.session, err = s.Store.SignIn(t.Context(), link, time.Hour)
	}
	if err != nil {
		t.Fatalf("nobody can sign in: %v", err)
	}
	return s
}

// here knows every name of a server as this machine's, as browsers do with names below localhost.
var here = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
}}}

// get asks the portal.
func (s *served) get(t *testing.T, path string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.session)
	resp, err := here.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// noRoom is what the status says of the room.
func (s *served) noRoom(t *testing.T) string {
	t.Helper()
	status, body := s.get(t, "/api/v1/status")
	var answer struct{ NoRoom string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK {
		t.Fatalf("the status is not told: %d %s, %v", status, body, err)
	}
	return answer.NoRoom
}

// stands waits for the first picture.
func (s *served) stands(t *testing.T) {
	t.Helper()
	until(t, "the picture stands", func() bool { _, body := s.get(t, "/readyz"); return !strings.Contains(body, "picture") })
}

// apiServer posts audit events, each batch its own, as an API server's webhook does.
type apiServer struct {
	client         *http.Client
	address, token string
	sent           int
	answered       atomic.Int64 // events of batches that were answered 200
	refused        atomic.Int64 // batches that were answered 503
	mute           atomic.Int64 // of them those without Retry-After
}

func newAPIServer(t *testing.T, s *served, data string) *apiServer {
	t.Helper()
	ca, err := os.ReadFile(filepath.Join(data, "authority", "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	token, err := s.Store.NewIngestToken(t.Context(), store.IngestToken{Cluster: "shop", Kind: "audit"})
	if err != nil {
		t.Fatal(err)
	}
	return &apiServer{client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}},
		address: "https://" + s.EventsAddr() + "/v1/audit/shop", token: token}
}

const eventsOfABatch = 20

func (a *apiServer) post(t *testing.T) int {
	a.sent++
	var b bytes.Buffer
	b.WriteString(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[`)
	for i := range eventsOfABatch {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"level":"Metadata","auditID":"%d-%d","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/shop/pods/%s",
			"verb":"get","user":{"username":"alice"},"objectRef":{"resource":"pods","namespace":"shop","name":"p"},
			"requestReceivedTimestamp":%q,"stageTimestamp":%[4]q}`, a.sent, i,
			strings.Repeat("x", 4000), time.Now().UTC().Format(time.RFC3339Nano))
	}
	b.WriteString(`]}`)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.address, &b)
	if err != nil {
		t.Error(err)
		return 0
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	resp, err := a.client.Do(r)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		a.answered.Add(eventsOfABatch)
	case http.StatusServiceUnavailable:
		a.refused.Add(1)
		if resp.Header.Get("Retry-After") == "" {
			a.mute.Add(1)
		}
	}
	return resp.StatusCode
}

// until waits for something that comes, and says what if it does not.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not come: %s", what)
		}
	}
}

// Another program takes the last byte of the disk while events come. Nothing that was answered
// is lost, what is there can be read, and all goes on when there is room, without a restart.
func TestADiskThatFillsWhileEventsComeLosesNothingThatWasAnswered(t *testing.T) {
	data := smallDisk(t, "160m")
	s := serveOn(t, data)
	a := newAPIServer(t, s, data)
	stop := make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if a.post(t) != http.StatusOK {
					time.Sleep(10 * time.Millisecond)
				}
			}
		}
	})
	until(t, "events are taken", func() bool { return a.answered.Load() >= 5*eventsOfABatch })
	empty := fill(t, data)
	until(t, "events are refused with 503", func() bool { return a.refused.Load() > 3 })
	until(t, "the status says so", func() bool { return s.noRoom(t) != "" })
	for _, path := range []string{"/api/v1/home", "/api/v1/paths", "/api/v1/alerts", "/healthz", "/readyz"} {
		if status, body := s.get(t, path); status != http.StatusOK && path != "/readyz" {
			t.Errorf("%s cannot be read: %d %s", path, status, body)
		}
	}
	before := a.answered.Load()
	empty()
	until(t, "events are taken again", func() bool { return a.answered.Load() > before+5*eventsOfABatch })
	until(t, "the status says that there is room", func() bool { return s.noRoom(t) == "" })
	close(stop)
	sending.Wait()
	if n := a.mute.Load(); n > 0 {
		t.Errorf("%d of %d refusals say nothing of when to come again", n, a.refused.Load())
	}
	until(t, fmt.Sprintf("all %d events that were answered are analysed", a.answered.Load()), func() bool {
		n, err := s.Analysed(t.Context(), "shop", ingest.Audit)
		return err == nil && n >= uint64(a.answered.Load())
	})
	if err := s.stop(); err != nil {
		t.Errorf("the server ends with %v", err)
	}
	intact(t, data)
}

func intact(t *testing.T, data string) {
	t.Helper()
	st, err := store.Open(t.Context(), filepath.Join(data, "breakwater.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(st.Check(t.Context()), st.Close()); err != nil {
		t.Error(err)
	}
}

// A server that is started on a full disk shows what it knew, says that it takes nothing, and
// takes events when there is room.
func TestAServerStartsOnAFullDiskAndSaysSo(t *testing.T) {
	data := smallDisk(t, "160m")
	s := serveOn(t, data)
	s.stands(t)
	until(t, "the ballast is kept", func() bool { _, err := os.Stat(filepath.Join(data, "ballast")); return err == nil })
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	empty := fill(t, data)
	s = serveOn(t, data)
	a := newAPIServer(t, s, data)
	if status := a.post(t); status != http.StatusServiceUnavailable {
		t.Errorf("an event is answered with %d", status)
	}
	if why := s.noRoom(t); !strings.Contains(why, "almost full") {
		t.Errorf("the status says %q", why)
	}
	s.stands(t)
	empty()
	until(t, "events are taken", func() bool { return a.post(t) == http.StatusOK })
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	intact(t, data)
}
