package ingest

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// NATS is a NATS cluster that somebody else runs, with JetStream.
type NATS struct {
	// URL is one address or several with commas between: nats://HOST:4222, tls://HOST.
	URL string
	// Credentials is a .creds file; CA, Certificate and Key are PEM files. Empty ones
	// ask for nothing.
	Credentials, CA, Certificate, Key string
	// Replicas is how many servers store each event; 0 leaves it at what the streams have.
	Replicas int
}

// external is how long a sender waits for a NATS cluster's answer.
const external = 10 * time.Second

// opening is how long opening the streams may take, and making what they are read by: a machine that is busy lets a server start all
// the same. Who gives up sooner and asks again has the work done twice, by a machine that was slow to do it once.
const opening = time.Minute

// telling is how long one waits to be told what is in the streams.
const telling = 5 * time.Second

// inside is how long one waits for the stream of our own process, which writes and syncs a batch in far less.
const inside = 20 * time.Second

// Name is the addresses as people may see them: without user, password and token.
func (n NATS) Name() string {
	var names []string
	for _, text := range strings.Split(n.URL, ",") {
		u, err := url.Parse(strings.TrimSpace(text))
		if err != nil || u.Host == "" {
			u = &url.URL{Scheme: "nats", Host: "…"} // what cannot be read may hold a password anywhere
		}
		names = append(names, (&url.URL{Scheme: u.Scheme, Host: u.Host}).String())
	}
	return strings.Join(names, ",")
}

// connect connects now or fails; a connection that is lost later comes back by itself.
// Until then nothing is buffered: what is not stored is not answered.
func (n NATS) connect(log *slog.Logger, name nats.Option) (*nats.Conn, error) {
	for _, text := range strings.Split(n.URL, ",") {
		if u, err := url.Parse(strings.TrimSpace(text)); err != nil || u.Host == "" {
			return nil, errors.New("want addresses such as nats://HOST:4222, with commas between")
		}
	}
	o := []nats.Option{name, nats.MaxReconnects(-1), nats.ReconnectBufSize(-1),
		nats.DisconnectErrHandler(func(*nats.Conn, error) { log.Warn("the event stream is away", "nats", n.Name()) }),
		nats.ReconnectHandler(func(*nats.Conn) { log.Info("the event stream is back", "nats", n.Name()) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { log.Debug("event stream", "error", err) })}
	if n.Credentials != "" {
		o = append(o, nats.UserCredentials(n.Credentials))
	}
	if n.CA != "" {
		o = append(o, nats.RootCAs(n.CA))
	}
	if n.Certificate != "" || n.Key != "" {
		o = append(o, nats.ClientCert(n.Certificate, n.Key))
	}
	conn, err := nats.Connect(n.URL, o...)
	switch {
	case errors.Is(err, nats.ErrNoServers):
		return nil, errors.New("no server answers")
	case errors.Is(err, nats.ErrAuthorization):
		return nil, errors.New("the server refuses this user or these credentials")
	}
	return conn, err
}

// declared says in words what a NATS cluster cannot do.
func declared(err error) error {
	switch {
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return fmt.Errorf("the user's account has no JetStream: enable it: %w", err)
	case errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("the servers run without JetStream: %w", err)
	}
	return err
}

// replicated keeps what somebody set for a stream, such as with NATS's own tools.
func (n NATS) replicated(want jetstream.StreamConfig, have *jetstream.StreamInfo) jetstream.StreamConfig {
	if have == nil {
		want.Replicas = cmp.Or(n.Replicas, 1)
		return want
	}
	want.Replicas = cmp.Or(n.Replicas, have.Config.Replicas)
	want.Placement = have.Config.Placement
	return want
}
