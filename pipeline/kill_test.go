package pipeline

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/detect/builtin"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/store"
)

// childDir is set in a process that is to be killed: it serves from that folder.
const childDir = "BREAKWATER_PIPELINE_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child receives and analyses as the server does, until it is killed.
func child(dir string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, filepath.Join(dir, "db"))
	if err != nil {
		return err
	}
	rules, err := builtin.Load()
	if err != nil {
		return err
	}
	d := newDoomed(s)
	server, run, err := open(dir, s, Config{Rules: rules, Records: d, Tell: func() {},
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))}, d.watch)
	if err != nil {
		return err
	}
	fmt.Println(server.Addr())
	return run(ctx)
}

// open opens the endpoint and the pipeline behind it.
func open(dir string, s *store.Store, c Config, source func(*ingest.Server) Source) (
	server *ingest.Server, run func(context.Context) error, err error) {
	ca, err := ingest.OpenAuthority(filepath.Join(dir, "ca"))
	if err != nil {
		return nil, nil, err
	}
	server, err = ingest.New(context.Background(), ingest.Config{Listen: "127.0.0.1:0", TLS: ca.TLS("127.0.0.1"), Tokens: s, Sensors: s,
		Dir: filepath.Join(dir, "stream"), MaxBytes: 64 << 20, AckWait: 500 * time.Millisecond, Log: c.Log})
	return server, func(ctx context.Context) error {
		g, ctx := errgroup.WithContext(ctx)
		g.Go(func() error { return server.Run(ctx) })
		g.Go(func() error { return New(c).Run(ctx, source(server)) })
		return errors.Join(g.Wait(), server.Close())
	}, err
}

// lastLife is one in this process, which ends in good order.
func lastLife(t *testing.T, dir string, s *store.Store) (server *ingest.Server, end func()) {
	t.Helper()
	server, run, err := open(dir, s, Config{Rules: rules(t), Records: s, Tell: func() {}, Log: quiet(t)},
		func(s *ingest.Server) Source { return s.Consume })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	end = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(end)
	return server, end
}

// doomed is records at whose n-th commit the process is killed: before it, or
// after it and before it is acknowledged, or soon after it, while that is written. If two
// batches are to be in flight, only commits count that happen while the next batch of the cluster is being analysed.
type doomed struct {
	*store.Store
	before, after int64
	two, soon     bool
	commits       atomic.Int64
	ahead         sync.Map // cluster → what tells that its next batch was read
}

func newDoomed(s *store.Store) *doomed {
	number := func(name string) int64 { n, _ := strconv.ParseInt(os.Getenv(name), 10, 64); return n }
	return &doomed{Store: s, before: number("BEFORE"), after: number("AFTER"), two: os.Getenv("TWO") != "", soon: os.Getenv("SOON") != ""}
}

func (d *doomed) PutAnalysed(ctx context.Context, a store.Analysed) error {
	if next, ok := d.ahead.Load(a.Cluster); ok {
		<-next.(chan bool)
	} else if d.two {
		return d.Store.PutAnalysed(ctx, a)
	}
	n := d.commits.Add(1)
	if n == d.before {
		die()
	}
	err := d.Store.PutAnalysed(ctx, a)
	if n == d.after && d.soon {
		time.AfterFunc(rand.N(3*time.Millisecond), die)
	} else if n == d.after {
		die()
	}
	return err
}

// watch is a source that lets batches pile up, and notes which are read ahead.
func (d *doomed) watch(server *ingest.Server) Source {
	if !d.two {
		return server.Consume
	}
	return func(ctx context.Context, handler func(context.Context, ingest.Batch) error) error {
		return server.Consume(ctx, func(ctx context.Context, b ingest.Batch) error {
			for waiting(ctx, server, b.Cluster) < 3 {
				time.Sleep(time.Millisecond)
			}
			d.ahead.Delete(b.Cluster)
			if next := b.Next; next != nil {
				read := make(chan bool)
				d.ahead.Store(b.Cluster, read)
				b.Next = func(ctx context.Context) (ingest.Batch, bool) {
					defer close(read)
					return next(ctx)
				}
			}
			return handler(ctx, b)
		})
	}
}

// waiting is how many batches of a cluster are not analysed.
func waiting(ctx context.Context, server *ingest.Server, cluster string) (n uint64) {
	counts, _ := server.Counts(ctx)
	for _, c := range counts {
		if c.Cluster == cluster {
			n += c.Waiting
		}
	}
	return n
}

func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// life is a child process.
type life struct {
	cmd  *exec.Cmd
	addr string
	gone chan struct{}
}

func beginLife(t *testing.T, dir string, how []string) *life {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), childDir+"="+dir), how...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	l := &life{cmd: cmd, gone: make(chan struct{})}
	t.Cleanup(l.kill)
	l.addr, err = bufio.NewReader(out).ReadString('\n')
	if l.addr = strings.TrimSpace(l.addr); err != nil {
		t.Fatalf("the child says no address: %v", err)
	}
	go func() { _ = cmd.Wait(); close(l.gone) }()
	return l
}

func (l *life) kill() {
	_ = l.cmd.Process.Kill()
	<-l.gone
}

// poster posts batches of events of one cluster, each until it is answered.
type poster struct {
	cluster, token string
	client         *http.Client
	addr           *atomic.Value
	answered       *atomic.Int64
}

func (s poster) post(lines []byte) bool {
	items := strings.ReplaceAll(strings.TrimSpace(string(lines)), "\n", ",")
	r, err := http.NewRequest(http.MethodPost, "https://"+s.addr.Load().(string)+"/v1/audit/"+s.cluster,
		strings.NewReader(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[`+items+`]}`))
	if err != nil {
		return false
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	resp, err := s.client.Do(r)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// TestKilledAnywhereNothingIsLostOrCountedTwice kills the process again and again,
// before and after a commit, with one batch of a cluster or two in flight, and wherever
// it happens to be, while senders repeat what was not answered. In the end every event is counted once and is one alert.
func TestKilledAnywhereNothingIsLostOrCountedTwice(t *testing.T) {
	deaths := 12
	if n, err := strconv.Atoi(os.Getenv("BREAKWATER_KILLS")); err == nil {
		deaths = n
	}
	dir := t.TempDir()
	client := trusting(t, filepath.Join(dir, "ca"))
	tokens := map[string]string{}
	s := openStore(t, dir)
	for _, cluster := range []string{"one", "two"} {
		token, err := s.NewIngestToken(t.Context(), store.IngestToken{Cluster: cluster, Kind: string(ingest.Audit)})
		if err != nil {
			t.Fatal(err)
		}
		tokens[cluster] = token
	}
	var addr atomic.Value
	addr.Store("127.0.0.1:1") // nobody there yet
	var answered atomic.Int64
	var sent sync.Map // cluster → how many events
	over := make(chan struct{})
	quit := sync.OnceFunc(func() { close(over) })
	t.Cleanup(quit)
	var senders sync.WaitGroup
	for cluster, token := range tokens {
		one := poster{cluster, token, client, &addr, &answered}
		senders.Go(func() {
			n := 0
			defer func() { sent.Store(cluster, n) }()
			for {
				select {
				case <-over:
					return
				default:
				}
				var people []string
				for range 1 + rand.IntN(4) {
					n++
					people = append(people, fmt.Sprintf("person-%d", n))
				}
				for batch := execs(t, people...); !one.post(batch); time.Sleep(time.Millisecond) {
				}
				answered.Add(int64(len(people)))
			}
		})
	}
	for i := range deaths {
		before, after := fmt.Sprint("BEFORE=", 1+rand.IntN(20)), fmt.Sprint("AFTER=", 1+rand.IntN(20))
		how := [][]string{nil, {before}, {after}, {after, "SOON=y"}, {before, "TWO=y"}, {after, "TWO=y"}}[i%6]
		l := beginLife(t, dir, how)
		addr.Store(l.addr)
		if how == nil {
			until := answered.Load() + 1 + rand.Int64N(40)
			eventually(t, "answers", func() bool { return answered.Load() >= until })
			l.kill()
		}
		select {
		case <-l.gone:
		case <-time.After(5 * time.Minute):
			t.Fatalf("with %q it lives on", how)
		}
	}
	server, end := lastLife(t, dir, s)
	addr.Store(server.Addr().String())
	quit()
	senders.Wait()
	eventually(t, "an empty stream", func() bool {
		counts, err := server.Counts(t.Context())
		return err == nil && !slices.ContainsFunc(counts, func(c ingest.Count) bool { return c.Waiting > 0 })
	})
	end()
	for cluster := range tokens {
		n, _ := sent.Load(cluster)
		if got := tallied(t, s, cluster); got != uint64(n.(int)) {
			t.Errorf("%s: %d events counted, %d sent", cluster, got, n)
		}
		told := actors(t, s, cluster)
		for i := 1; i <= n.(int); i++ {
			if who := fmt.Sprint("person-", i); told[who] != 1 {
				t.Errorf("%s of %s is told %d times", who, cluster, told[who])
			}
		}
	}
	t.Logf("%d events answered over %d deaths, each counted once and one alert", answered.Load(), deaths)
}

// trusting is a client that trusts an authority.
func trusting(t *testing.T, dir string) *http.Client {
	t.Helper()
	ca, err := ingest.OpenAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.PEM)
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited five minutes for %s", what)
}
