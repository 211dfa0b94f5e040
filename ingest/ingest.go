// Package ingest receives what clusters tell: audit events from API servers'
// webhooks, runtime events and status from sensors. It answers a request only
// when its events are durable in a stream (NATS JetStream), from which analysis
// takes them: what was answered with 200 survives kill -9, because it is in a
// file, and power loss, because file and file name were synced before the answer.
//
// The package knows no rule and no graph, and nothing of what events say beyond
// being well-formed: what must not be written is taken out by who does (Config.Clean).
package ingest

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/gate"
	"github.com/breakwater-sec/breakwater/store"
)

// Tokens are what senders show, and what is kept of it. store.ErrNotFound says that it is
// nothing that counts.
type Tokens interface {
	IngestToken(ctx context.Context, token string) (store.IngestToken, error)
	UsedIngestToken(ctx context.Context, id, from string, at time.Time) error
	Certificate(ctx context.Context, cluster, serial string) (store.Certificate, error)
	UsedCertificate(ctx context.Context, cluster, serial, from string, at time.Time) error
	AddCertificate(ctx context.Context, c store.Certificate, spends bool) error
	LeaveNode(ctx context.Context, cluster, node, key string) error
	NodeKey(ctx context.Context, cluster, node string) (key, pod string, err error)
	NamesPods(ctx context.Context, cluster string) (bool, error)
	HeldNodes(ctx context.Context, cluster string) (int, error)
	NodeWaits(ctx context.Context, n store.WaitingNode) (since time.Time, room bool, err error)
	NodeIsLet(ctx context.Context, cluster, node string) error
}

// Sensors keeps what sensors say of themselves.
type Sensors interface {
	PutSensor(ctx context.Context, s store.Sensor) error
}

// Config is what a Server needs.
type Config struct {
	// Listen is an address, such as 127.0.0.1:7879.
	Listen string
	// TLS is how the endpoint shows who it is; see Authority.
	TLS     *tls.Config
	Tokens  Tokens
	Sensors Sensors
	// Clients vouches for those who send; nil if nobody gets a certificate. One lives for
	// CertificateLife (0: a day).
	Clients         *Authority
	CertificateLife time.Duration
	// HasNode says whether a cluster has a node, and when that is not known, why. Nil if
	// nothing is known of any.
	HasNode func(cluster, node string) (has bool, why string)
	// SensorPods are the nodes on which a cluster runs sensors, by the uids of their pods, and when
	// that is not known, why. Nil if nothing is known of any.
	SensorPods func(cluster string) (nodes map[string]string, why string)
	// SensorTokens lets sensors of before there were certificates send with their join token.
	SensorTokens bool
	// HasRoom is nil while more may be written to the disk, NoRoom is told of errors that may
	// say that there is none. Either may be nil.
	HasRoom func() error
	NoRoom  func(error)
	// Dir is the folder of the stream. It may hold MaxBytes (0: 2 GiB) and is
	// not used if NATS names a NATS cluster to use instead. No source may fill more than
	// half of what the others leave of it, nor of Memory.
	Dir      string
	NATS     NATS
	MaxBytes int64
	// MaxBody bounds one request, inflated (0: 64 MiB); Memory all that are in
	// flight (0: 256 MiB).
	MaxBody, Memory int64
	// Rate is what one source may send; Nodes how many nodes a cluster's sensors may name (0: 10,000).
	Rate  Rate
	Nodes int
	// Connections bounds how many there are at once, Pace how slow they may be.
	Connections gate.Limits
	Pace        gate.Pace
	// AckWait is when a batch is given out again if nobody says that it is in work
	// (0: 3 s): how long a restart waits for the batch that the last process died with.
	AckWait time.Duration
	// Lost asks how many events a cluster's API server gave up since it started;
	// nil if nobody can be asked. See AuditErrors.
	Lost func(ctx context.Context, cluster string) (uint64, error)
	// Clean takes out of an event what must not lie on a disk, before it is written: a JSON object in, one out. Nil leaves
	// events as they came, which is for tests.
	Clean func(Kind, []byte) []byte
	// Unpack is each event of a body that is no list of the API server's webhook, such as what clouds send; at most so many
	// bytes are unpacked. is is false for what holds none. Nil takes the webhook's lists only.
	Unpack func(body []byte, most int) (events []string, is bool, err error)
	// Version is that of this program. What it could not analyse another version tries again.
	Version string
	Log     *slog.Logger

	retry   time.Duration // between tries of a batch that failed, times the tries
	askLost time.Duration // between two times that Lost is asked

	unknownAfter time.Duration // how long a cluster may take to tell of a node that wants to join
}

// Server is the endpoint and its stream.
type Server struct {
	config   Config
	stream   *stream
	listener net.Listener
	gate     *gate.Gate
	memory   *pool    // of requests in flight
	rates    *rates   // at which sources send
	lookups  *lookups // of tokens that were never seen
	records  records  // that senders have written
	nodes    nodes    // that sensors named
	counts   counts
	used     uses
	noticed  noticed
}

// New opens stream and port. Close the server in the end, whether it ran or not.
func New(ctx context.Context, c Config) (*Server, error) {
	c.MaxBytes, c.MaxBody, c.Memory = cmp.Or(c.MaxBytes, 2<<30), cmp.Or(c.MaxBody, 64<<20), cmp.Or(c.Memory, 256<<20)
	c.AckWait = cmp.Or(c.AckWait, 3*time.Second)
	c.retry, c.askLost = cmp.Or(c.retry, time.Second), cmp.Or(c.askLost, 20*time.Second)
	c.CertificateLife, c.unknownAfter = cmp.Or(c.CertificateLife, 24*time.Hour), cmp.Or(c.unknownAfter, 2*time.Minute)
	if c.HasNode == nil {
		c.HasNode = func(string, string) (bool, string) { return false, "nobody told this server of nodes" }
	}
	if c.SensorPods == nil {
		c.SensorPods = func(string) (map[string]string, string) { return nil, "nobody told this server of pods" }
	}
	if c.Clean == nil {
		c.Clean = func(_ Kind, event []byte) []byte { return event }
	}
	if c.TLS == nil {
		return nil, errors.New("ingest: no certificate: tokens and events are not for everybody on the way")
	}
	c.TLS = c.TLS.Clone()
	// Whoever shows a certificate proves to hold its key. Whether it counts is told to them
	// in words, by certificate, which asks at each request.
	c.TLS.ClientAuth, c.TLS.SessionTicketsDisabled = tls.RequestClientCert, true
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for events: %w", err)
	}
	s := &Server{config: c, gate: gate.New(c.Connections), memory: newPool(c.Memory), rates: newRates(c.Rate), lookups: newLookups()}
	s.listener = s.gate.Listen(l)
	s.nodes.most = cmp.Or(c.Nodes, 10_000)
	s.used.failed = func(err error) { c.Log.Warn("cannot note that a token was used", "error", err) }
	if s.stream, err = openStream(ctx, c.Dir, c.NATS, c.MaxBytes, c.Log); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if err := s.tryAgain(ctx); err != nil {
		c.Log.Warn("cannot try dead letters again", "error", err)
	}
	if err := s.stream.countWaiting(ctx); err != nil {
		c.Log.Warn("cannot tell what waits of each source", "error", err)
	}
	return s, nil
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Closed is how many connections were closed to make room, or for want of it.
func (s *Server) Closed() uint64 { return s.gate.Closed() }

// Run serves until ctx ends, and lets requests in flight end.
func (s *Server) Run(ctx context.Context) error {
	web := gate.Server(context.WithoutCancel(ctx), s.handler(), s.config.Log)
	web.TLSConfig = s.config.TLS
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := web.ServeTLS(s.listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve events: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if web.Shutdown(end) != nil {
			return web.Close()
		}
		return nil
	})
	g.Go(func() error { s.watchLost(ctx); return nil })
	g.Go(func() error { s.reviveStream(ctx); return nil })
	return g.Wait()
}

// Close ends the stream; nothing in it is lost. Run and Consume must have ended.
func (s *Server) Close() error {
	s.stream.close()
	if err := s.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Counts tells what happened to events since this process started, and what
// waits. It is partial, and the error says why, if the stream does not answer.
func (s *Server) Counts(ctx context.Context) ([]Count, error) {
	waiting, err := s.stream.waiting(ctx)
	for of := range waiting {
		s.counts.change(of, func(*Count) {}) // what waits since an earlier process counts too
	}
	all := s.counts.all()
	for i := range all {
		all[i].Waiting = waiting[source{all[i].Cluster, all[i].Kind}]
	}
	return all, err
}
