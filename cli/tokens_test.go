package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/api"
	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/store"
)

// tokensOf runs commands on the records of one folder.
type tokensOf struct {
	t    *testing.T
	data string
	st   *store.Store
}

func newTokens(t *testing.T) *tokensOf {
	t.Helper()
	data := t.TempDir()
	st, err := store.Open(t.Context(), datadir.Dir(data).Database())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return &tokensOf{t, data, st}
}

func (o *tokensOf) run(want int, args ...string) (out string) {
	o.t.Helper()
	var said, failed bytes.Buffer
	if code := run(append(args, "--data", o.data), streams{&said, &failed}); code != want {
		o.t.Fatalf("%v: exit %d, want %d: %s%s", args, code, want, &said, &failed)
	}
	return said.String() + failed.String()
}

func (o *tokensOf) list(args ...string) []api.Token {
	o.t.Helper()
	var all struct{ Tokens []api.Token }
	if err := json.Unmarshal([]byte(o.run(0, append([]string{"tokens", "list", "-o", "json"}, args...)...)), &all); err != nil {
		o.t.Fatal(err)
	}
	return all.Tokens
}

func TestWhatConnectMakesIsListedRotatedAndEndedByCommand(t *testing.T) {
	o := newTokens(t)
	out := t.TempDir()
	o.run(0, "connect", "sensor", "--cluster", "prod", "--server", "https://h:1", "--image", "i", "--uses", "3", "--out", out)
	o.run(0, "connect", "audit", "--cluster", "dev", "--server", "https://h:1", "--valid", "24h", "--out", out)
	o.run(exitCannot, "connect", "audit", "--cluster", "dev", "--server", "https://h:1", "--valid", "0s", "--out", out)
	all := o.list()
	if len(all) != 2 || all[0].Kind != api.AuditToken || all[1].Kind != api.JoinToken || *all[1].MaxUses != 3 ||
		time.Until(*all[1].ExpiresAt) < 89*days || *all[1].CreatedBy != whoRuns() {
		t.Fatalf("%+v", all)
	}
	if only := o.list("--cluster", "prod"); len(only) != 1 || only[0].Cluster != "prod" {
		t.Errorf("%+v", only)
	}
	manifest, err := os.ReadFile(filepath.Join(out, "breakwater-sensor.yaml"))
	if err != nil || !bytes.Contains(manifest, []byte("--leave")) {
		t.Errorf("%v: %s", err, manifest)
	}
	table := o.run(0, "tokens", "list")
	if !strings.Contains(table, "0 of 3") || !strings.Contains(table, all[1].Id) || strings.Contains(table, "never") == false {
		t.Errorf("%s", table)
	}
	id := all[1].Id
	said := o.run(0, "tokens", "rotate", id, "--keep-old", "1h")
	fresh := strings.TrimSpace(said[strings.Index(said, "\n\n"):])
	if of, err := o.st.IngestToken(t.Context(), fresh); err != nil || of.Cluster != "prod" || of.MaxUses != 3 {
		t.Errorf("%q: %+v, %v", fresh, of, err)
	}
	c := store.Certificate{Cluster: "prod", Serial: "00ff", Kind: "runtime", Node: "n", Key: "k", Token: id, CreatedAt: time.Now(),
		ExpiresAt: time.Now().Add(time.Hour)}
	if err := o.st.AddCertificate(t.Context(), c, true); err != nil {
		t.Fatal(err)
	}
	o.run(0, "tokens", "release", "--cluster", "prod", "n")
	c.Serial, c.Key = "00fe", "k2"
	if err := o.st.AddCertificate(t.Context(), c, true); err != nil {
		t.Errorf("a node that was released: %v", err)
	}
	o.run(0, "tokens", "revoke", "00fe")
	o.run(0, "tokens", "revoke", id, "--with-certificates")
	states := map[string]api.TokenState{}
	for _, k := range o.list() {
		states[k.Id] = k.State
	}
	if states[id] != api.TokenStateRevoked || states["00ff"] != api.TokenStateRevoked || states["00fe"] != api.TokenStateRevoked {
		t.Errorf("%v", states)
	}
	for _, args := range [][]string{{"tokens", "revoke", id}, {"tokens", "revoke", "00ff"}, {"tokens", "revoke", "nothing"},
		{"tokens", "rotate", "00ff"}, {"tokens", "rotate", id, "--keep-old", "-1h"}, {"tokens", "release", "n"},
		{"tokens", "release", "--cluster", "prod", "nobody"}} {
		o.run(exitCannot, args...)
	}
	acts, _, err := o.st.Activities(t.Context(), store.ActivityFilter{}, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	var acted []string
	for _, a := range acts {
		if a.Outcome == store.Done {
			acted = append(acted, a.Action)
		}
		if a.Person != whoRuns() || strings.Contains(a.Detail+a.Object, fresh) {
			t.Errorf("%+v", a)
		}
	}
	if got := strings.Join(acted, ", "); got != "end a token, end a token, end a token, release a node, rotate a token, "+
		"make a token for audit events, make a token for runtime events" {
		t.Errorf("%s", got)
	}
}

func TestAnAPIServerMayBeConnectedWithACertificate(t *testing.T) {
	o := newTokens(t)
	out := t.TempDir()
	o.run(0, "connect", "audit", "--client-certificate", "--cluster", "prod", "--server", "https://h:1", "--out", out)
	if all := o.list(); len(all) != 1 || all[0].Kind != api.AuditCertificate || all[0].Node != nil ||
		time.Until(*all[0].ExpiresAt) < 364*days {
		t.Fatalf("%+v", all)
	}
	file := filepath.Join(out, "webhook.kubeconfig")
	text, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(text, []byte("client-key-data")) || bytes.Contains(text, []byte("token")) {
		t.Errorf("%v: %s", err, text)
	}
	if _, err := senderOf(file); err != nil {
		t.Errorf("replay reads it: %v", err)
	}
	if err := os.WriteFile(file, bytes.Replace(text, []byte("client-key-data: "), []byte("client-key-data: x"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := senderOf(file); err == nil {
		t.Error("a key that cannot be read was taken")
	}
}

func TestTokensOfAFolderThatNoServerUsedSayWhatToDo(t *testing.T) {
	var out bytes.Buffer
	home(t)
	if code := run([]string{"tokens", "list", "--data", t.TempDir()}, streams{&out, &out}); code != exitCannot ||
		!strings.Contains(out.String(), "breakwater serve") {
		t.Errorf("%d %s", code, &out)
	}
}
