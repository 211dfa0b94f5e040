package ingest

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// maxMessage is one event of the greatest size and its line end, with room for
// headers. An external NATS must be told to take as much (max_payload).
const maxMessage = 16 << 20

// embedded is a NATS server inside this process. It listens nowhere: only this
// process can speak to it.
type embedded struct {
	server *server.Server
	dir    string
	store  string // the folder above dir
	most   int64  // bytes that it may hold
}

// streamMemory is none to speak of: everything is in files.
const streamMemory = 1 << 20

// startEmbedded starts it on a folder. Every stored message is synced to disk
// before it is acknowledged.
func startEmbedded(dir string, maxBytes int64, log *slog.Logger) (*embedded, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the event stream's folder: %w", err)
	}
	most := maxBytes + deadBytes + 64<<20
	s, err := server.NewServer(&server.Options{
		ServerName: "breakwater", DontListen: true, NoSigs: true,
		MaxPayload: maxMessage,
		JetStream:  true, StoreDir: dir, SyncAlways: true, DisableJetStreamBanner: true,
		JetStreamMaxMemory: streamMemory, JetStreamMaxStore: most,
	})
	if err != nil {
		return nil, fmt.Errorf("make the event stream's server: %w", err)
	}
	s.SetLoggerV2(serverLog{log}, false, false, false)
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		s.Shutdown()
		return nil, errors.New("the event stream's server did not become ready")
	}
	return &embedded{s, filepath.Join(dir, "jetstream"), dir, most}, nil
}

func (e *embedded) connect(o ...nats.Option) (*nats.Conn, error) {
	return nats.Connect("", append(o, nats.InProcessServer(e.server))...)
}

func (e *embedded) stop() {
	e.server.Shutdown()
	e.server.WaitForShutdown()
}

// clockStep is how long a file system's clock may stand still: within it, two
// changes of a folder can bear one time.
const clockStep = 20 * time.Millisecond

// folder keeps the names of a folder's files durable. JetStream syncs the file
// it writes to, but not the folder in which it made that file, and a file
// system is free to lose a name that was never synced.
type folder struct {
	path string
	mu   struct {
		sync.Mutex
		synced time.Time // the folder's time of change that is known to be on disk
	}
}

// sync returns when every file made before it was called has a durable name.
func (f *folder) sync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	info, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	if info.ModTime().Equal(f.mu.synced) {
		return nil
	}
	d, err := os.Open(f.path)
	if err != nil {
		return err
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return err
	}
	if time.Since(info.ModTime()) > clockStep {
		f.mu.synced = info.ModTime()
	}
	return nil
}

// serverLog passes the server's words on. What it notices is of interest only
// when something is being searched for.
type serverLog struct{ log *slog.Logger }

func (l serverLog) Noticef(f string, v ...any) { l.log.Debug("event stream: " + fmt.Sprintf(f, v...)) }
func (l serverLog) Debugf(string, ...any)      {}
func (l serverLog) Tracef(string, ...any)      {}
func (l serverLog) Warnf(f string, v ...any)   { l.log.Debug("event stream: " + fmt.Sprintf(f, v...)) }
func (l serverLog) Errorf(f string, v ...any)  { l.log.Error("event stream: " + fmt.Sprintf(f, v...)) }
func (l serverLog) Fatalf(f string, v ...any)  { l.log.Error("event stream: " + fmt.Sprintf(f, v...)) }
