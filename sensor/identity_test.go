package sensor

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/test/endpoint"
)

// joiner is a server that takes certificates only, and the folder of one node's sensor.
type joiner struct {
	*endpoint.Endpoint
	t   *testing.T
	dir string
}

func newJoiner(t *testing.T) joiner {
	t.Helper()
	e := endpoint.New(t)
	e.Strict()
	e.Start(t)
	return joiner{e, t, filepath.Join(t.TempDir(), "identity")}
}

// link is a sensor's that begins, with a token.
func (j joiner) link(token string) *Link {
	j.t.Helper()
	u, err := url.Parse(j.URL)
	if err != nil {
		j.t.Fatal(err)
	}
	l, err := NewLink(u, j.Roots(), Identity{Node: "node-1", Dir: j.dir, Token: func() (string, error) { return token, nil }})
	if err != nil {
		j.t.Fatal(err)
	}
	return l
}

func (j joiner) status(l *Link) error {
	return l.Status(context.Background(), runtime.Status{Version: runtime.RecordVersion, Node: "node-1", Boot: "b"})
}

func (j joiner) certificates() []store.Certificate {
	j.t.Helper()
	all, err := j.Records().Certificates(context.Background())
	if err != nil {
		j.t.Fatal(err)
	}
	return all
}

// refused is the status of the server's refusal.
func refused(err error) int {
	if answer := (*answerError)(nil); errors.As(err, &answer) {
		return answer.status
	}
	return 0
}

func TestASensorJoinsOnceAndItsKeyIsItsOwnersAlone(t *testing.T) {
	j := newJoiner(t)
	first := j.link(j.Token)
	if err := errors.Join(j.status(first), j.status(first)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{keyFile, certificateFile} {
		if info, err := os.Stat(filepath.Join(j.dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	next := j.link("a token that counts no more")
	if err := j.status(next); err != nil || next.Joined() || !first.Joined() {
		t.Errorf("the next run, without a token: %v", err)
	}
	if all := j.certificates(); len(all) != 1 || all[0].Node != "node-1" {
		t.Errorf("%+v", all)
	}
	if err := os.Chmod(filepath.Join(j.dir, keyFile), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := j.status(j.link(j.Token)); err == nil || !strings.Contains(err.Error(), "readable by others") {
		t.Errorf("a key that others may read: %v", err)
	}
	for _, text := range []string{"", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		if err := errors.Join(os.WriteFile(filepath.Join(j.dir, keyFile), []byte(text), 0o600),
			os.Chmod(filepath.Join(j.dir, keyFile), 0o600)); err != nil {
			t.Fatal(err)
		}
		if err := j.status(j.link(j.Token)); err == nil || !strings.Contains(err.Error(), "remove it") {
			t.Errorf("a file that is no key: %v", err)
		}
	}
}

func TestACertificateThatIsDueIsRenewedWithoutAToken(t *testing.T) {
	j := newJoiner(t)
	l := j.link(j.Token)
	if err := j.status(l); err != nil {
		t.Fatal(err)
	}
	if until := time.Until(l.own.renew); until < 15*time.Hour || until > 17*time.Hour {
		t.Errorf("renewed in %v, want two thirds of a day", until)
	}
	was := j.certificates()[0]
	l.identity.Token = func() (string, error) { return "", errors.New("no token is there any more") }
	l.own.renew = time.Now().Add(-time.Second)
	if err := j.status(l); err != nil {
		t.Fatal(err)
	}
	all := j.certificates()
	if len(all) != 2 || all[0].Key != was.Key || all[1].Key != was.Key || time.Until(l.own.renew) < 15*time.Hour {
		t.Errorf("%+v, again in %v", all, time.Until(l.own.renew))
	}
	next := j.link("")
	if err := j.status(next); err != nil || len(j.certificates()) != 2 {
		t.Errorf("the next run goes on with it: %v", err)
	}
}

func TestASensorWhoseCertificateEndedJoinsAnewAndOneThatWasRevokedDoesNot(t *testing.T) {
	j := newJoiner(t)
	l := j.link(j.Token)
	if err := j.status(l); err != nil {
		t.Fatal(err)
	}
	c := j.certificates()[0]
	if err := j.Records().LeaveNode(t.Context(), c.Cluster, c.Node, c.Key); err != nil { // as if it had expired
		t.Fatal(err)
	}
	if err := j.status(l); err != nil || len(j.certificates()) != 2 {
		t.Errorf("it joins anew: %v", err)
	}
	for _, c := range j.certificates() {
		_ = j.Records().RevokeCertificate(t.Context(), c.Cluster, c.Serial, "alice")
	}
	err := j.status(l)
	var answer *answerError
	if refused(err) != http.StatusForbidden || !strings.Contains(err.Error(), "new key") || !errors.As(err, &answer) || answer.final() ||
		!answer.stranger() {
		t.Errorf("a revoked key: %v", err)
	}
	if err := os.RemoveAll(j.dir); err != nil {
		t.Fatal(err)
	}
	if err := j.status(j.link(j.Token)); err != nil {
		t.Errorf("under a new key: %v", err)
	}
}

func TestTheSensorThatFollowsOneThatLeftJoinsAndOneBesideItDoesNot(t *testing.T) {
	j := newJoiner(t)
	l := j.link(j.Token)
	if err := j.status(l); err != nil {
		t.Fatal(err)
	}
	other := j
	other.dir = filepath.Join(t.TempDir(), "identity")
	if err := j.status(other.link(j.Token)); refused(err) != http.StatusConflict || !strings.Contains(err.Error(), "tokens release") {
		t.Errorf("beside it: %v", err)
	}
	if err := l.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(j.dir, "*")); len(left) != 0 {
		t.Errorf("after it left there is %v", left)
	}
	if err := j.status(other.link(j.Token)); err != nil {
		t.Errorf("after it left: %v", err)
	}
}

func TestASensorThatIsToLeaveGivesItsCertificateBackAtItsEnd(t *testing.T) {
	j := newJoiner(t)
	c := configFor(t, j.link(j.Token))
	c.Leave = true
	s := startSensor(t, c)
	s.tap.give(10)
	endpoint.Eventually(t, "the records", func() bool { return len(j.Received()) >= 10 })
	s.stop()
	if all := j.certificates(); len(all) != 1 || all[0].Usable(time.Now()) == nil {
		t.Errorf("%+v", all)
	}
	if st := j.Status(t); !st.Ends {
		t.Errorf("%+v", st)
	}
}
