package ingest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/gate"
	"github.com/breakwater-sec/breakwater/store"
)

// slow is where sensors' status is kept, which takes its time.
type slow time.Duration

func (s slow) PutSensor(context.Context, store.Sensor) error {
	time.Sleep(time.Duration(s))
	return nil
}

// postStatus posts a status to the endpoint of a place without TLS: the times of the server
// would count for a handshake, too.
func (p *place) postStatus(t *testing.T, body io.Reader, answer time.Duration, protocol string) (*http.Response, *running, error) {
	t.Helper()
	r, token := p.start(t), p.token(t, "prod", Runtime)
	s := httptest.NewUnstartedServer(r.handler())
	s.Config.WriteTimeout, s.Config.Protocols = answer, &http.Protocols{}
	client := &http.Transport{Protocols: s.Config.Protocols}
	s.Config.Protocols.SetHTTP1(protocol == "HTTP/1.1")
	s.Config.Protocols.SetUnencryptedHTTP2(protocol == "HTTP/2.0")
	s.Start()
	t.Cleanup(s.Close)
	q, err := http.NewRequest(http.MethodPost, s.URL+"/v1/sensor/status", body)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+token)
	res, err := client.RoundTrip(q)
	if err == nil {
		t.Cleanup(func() { res.Body.Close() })
	}
	return res, r, err
}

func TestWorkThatTakesLongerThanAnAnswerMayIsAnsweredAllTheSame(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(protocol, func(t *testing.T) {
			for answer := 20 * time.Millisecond; ; answer *= 2 { // on a slow machine work begins late
				p := newPlace(t, t.TempDir())
				p.config.Sensors = slow(2 * answer)
				res, _, err := p.postStatus(t, strings.NewReader(`{"node":"n"}`), answer, protocol)
				if err == nil && res.StatusCode == http.StatusOK && res.Proto == protocol {
					return
				}
				if answer > 5*time.Second {
					t.Fatalf("%+v, %v", res, err)
				}
			}
		})
	}
}

func TestABodyThatDoesNotArriveInTimeIsToComeAgain(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(protocol, func(t *testing.T) {
			p := newPlace(t, t.TempDir())
			p.config.Pace = gate.Pace{Grace: time.Millisecond}
			body, rest := io.Pipe()
			defer rest.Close()
			go func() { _, _ = io.WriteString(rest, `{"node"`) }()
			res, r, err := p.postStatus(t, body, 0, protocol)
			if err != nil {
				t.Fatal(err)
			}
			if n := r.count(t, "prod", Runtime).Rejected["slow"]; res.StatusCode != 429 || res.Header.Get("Retry-After") == "" || n != 1 {
				t.Errorf("%s, %v, counted %d times", res.Status, res.Header, n)
			}
		})
	}
}
