package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/event/audit"
)

// acts are what testdata/acts.yaml tells: attacks, and beside each what looks like it.
type acts struct {
	// People are the objects that have to be there, rights among them.
	People string `json:"people"`
	Acts   []act  `json:"acts"`
}

// act is what somebody does, and the rules that tell of it.
type act struct {
	Act string `json:"act"`
	// File is what testdata gets of it.
	File string   `json:"file"`
	Want []string `json:"want"`
	// Setup is made before, by the administrator, and does not belong to it.
	Setup string    `json:"setup"`
	Do    []request `json:"do"`
	// Unseen says that the shipped policy does not show it: it is logged under one that keeps everything.
	Unseen bool `json:"unseen"`
	// Spread moves its requests apart, back to so long ago: what is usual shows in days.
	Spread string `json:"spread"`
	// Also are others whose requests belong to it: controllers that carry it out.
	Also []string `json:"also"`
}

// request is one that somebody sends. Pod makes one: Spec is its specification, in
// which Container, on top of a name and an image, is the one container.
type request struct {
	As     string `json:"as"`
	Get    string `json:"get"`
	Post   string `json:"post"`
	Put    string `json:"put"`
	Merge  string `json:"merge"`
	JSON   string `json:"json"`
	Apply  string `json:"apply"`
	Delete string `json:"delete"`
	Body   any    `json:"body"`

	Pod       string         `json:"pod"`
	In        string         `json:"in"`
	Metadata  map[string]any `json:"metadata"`
	Spec      map[string]any `json:"spec"`
	Container map[string]any `json:"container"`

	Stream bool     `json:"stream"` // asks for one, as exec does
	User   string   `json:"user"`   // to act as
	Groups []string `json:"groups"`
	Agent  string   `json:"agent"`
	From   string   `json:"from"` // an address that the request comes from
	Code   int      `json:"code"` // of the answer, if it is no success
	// Times is how often it is sent; {n} in its address and body is which of them it is.
	Times int `json:"times"`
}

// abroad is an address that is nobody's, kept for documents (RFC 5737).
const abroad = "203.0.113.10"

// account is the file of a person's or service account's rights, and the name he is logged with.
func (s *stage) account(name string) string {
	if ns, sa, ok := strings.Cut(name, "/"); ok {
		return "system:serviceaccount:" + ns + ":" + sa
	}
	switch name {
	case "nobody":
		return "system:anonymous"
	case "bad token":
		return ""
	}
	return name
}

// client speaks as somebody, from an address.
func (s *stage) client(name, from string) *http.Client {
	s.t.Helper()
	c := &rest.Config{Host: s.Admin.Host, TLSClientConfig: rest.TLSClientConfig{CAData: s.Admin.CAData, CAFile: s.Admin.CAFile}}
	if name != "nobody" {
		file, err := s.users[name], error(nil)
		if ns, sa, ok := strings.Cut(name, "/"); file == "" && ok {
			file, err = s.AccountKubeconfig(ns, sa)
		} else if file == "" {
			file, err = s.UserKubeconfig(name, groupsOf(name)...)
		}
		if err == nil {
			s.users[name] = file
			c, err = clientcmd.BuildConfigFromFlags("", file)
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
	c.Timeout = 20 * time.Second
	c.NextProtos = []string{"http/1.1"} // a stream is asked for with an upgrade
	if from != "" {
		dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		c.Dial = dialer.DialContext
	}
	client, err := rest.HTTPClientFor(c)
	if err != nil {
		s.t.Fatal(err)
	}
	return client
}

func groupsOf(name string) []string {
	switch {
	case strings.HasPrefix(name, "system:node:"):
		return []string{"system:nodes"}
	case name == "bob":
		return []string{"guests"}
	}
	return nil
}

// method is how a request is sent, where to, and as what.
func (r *request) method() (method, path, form string) {
	if r.Pod != "" {
		in := r.In
		if in == "" {
			in = "shop"
		}
		return http.MethodPost, "/api/v1/namespaces/" + in + "/pods", "application/json"
	}
	for _, m := range []struct{ method, path, form string }{
		{http.MethodGet, r.Get, ""}, {http.MethodDelete, r.Delete, ""}, {http.MethodPost, r.Post, "application/json"},
		{http.MethodPut, r.Put, "application/json"}, {http.MethodPatch, r.Merge, "application/merge-patch+json"},
		{http.MethodPatch, r.JSON, "application/json-patch+json"}, {http.MethodPatch, r.Apply, "application/apply-patch+yaml"},
	} {
		if m.path != "" {
			return m.method, m.path, m.form
		}
	}
	return "", "", ""
}

func (r *request) body() []byte {
	body := r.Body
	if r.Pod != "" {
		container := map[string]any{"name": "app", "image": "registry.example/app:1"}
		for k, v := range r.Container {
			container[k] = v
		}
		spec := map[string]any{"containers": []any{container}}
		for k, v := range r.Spec {
			spec[k] = v
		}
		metadata := map[string]any{"name": r.Pod}
		for k, v := range r.Metadata {
			metadata[k] = v
		}
		body = map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
	}
	if body == nil {
		return nil
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // it was read from YAML
	}
	return text
}

// send sends a request and wants its answer.
func (s *stage) send(r *request, n string) {
	s.t.Helper()
	method, path, form := r.method()
	path = strings.ReplaceAll(path, "{n}", n)
	body := bytes.ReplaceAll(r.body(), []byte("{n}"), []byte(n))
	req, err := http.NewRequestWithContext(context.Background(), method, s.Admin.Host+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	set := func(name, value string) {
		if value != "" {
			req.Header.Add(name, value)
		}
	}
	set("Content-Type", form)
	set("User-Agent", r.Agent)
	set("Impersonate-User", r.User)
	for _, g := range r.Groups {
		set("Impersonate-Group", g)
	}
	if r.Stream {
		set("Connection", "Upgrade")
		set("Upgrade", "SPDY/3.1")
		set("X-Stream-Protocol-Version", "v4.channel.k8s.io")
	}
	resp, err := s.client(r.As, r.From).Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if r.Stream && resp.StatusCode == http.StatusSwitchingProtocols {
		return
	}
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 2000))
	if ok := resp.StatusCode/100 == 2; r.Code != 0 && resp.StatusCode != r.Code || r.Code == 0 && !ok {
		s.t.Errorf("%s %s %s: %s: %.400s", r.As, method, path, resp.Status, answer)
	}
}

// TestEveryRuleFiresOnWhatARealServerLogs lets people do what testdata/acts.yaml says, under
// the shipped policy, and checks which rules tell of it.
func TestEveryRuleFiresOnWhatARealServerLogs(t *testing.T) {
	text, err := os.ReadFile("testdata/acts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all acts
	if err := yaml.UnmarshalStrict(text, &all); err != nil {
		t.Fatal(err)
	}
	s := build(t)
	s.runOn(kubelet(t))
	s.Apply(t, all.People)
	far := comeFromAbroad(t)
	s.lines()
	play := func(unseen bool) {
		for _, a := range all.Acts {
			if a.Unseen != unseen {
				continue
			}
			t.Run(a.Act, func(t *testing.T) {
				s.t = t
				if !far && slices.ContainsFunc(a.Do, func(r request) bool { return r.From != "" }) {
					t.Skip("this machine gives nobody an address of abroad")
				}
				s.play(a)
			})
		}
		s.t = t
	}
	play(false)
	s.keepEverything()
	play(true)
}

// play lets an act happen and looks at what was logged of it.
func (s *stage) play(a act) {
	s.t.Helper()
	if a.Setup != "" {
		s.Apply(s.t, a.Setup)
		s.lines()
	}
	who := slices.Clone(a.Also)
	for i := range a.Do {
		for n := range max(1, a.Do[i].Times) {
			s.send(&a.Do[i], strconv.Itoa(n))
		}
		who = append(who, s.account(a.Do[i].As))
	}
	keep := by(who...)
	lines := chosen(s.lines(), keep)
	for deadline := time.Now().Add(time.Minute); !complete(lines, &a) && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		lines = append(lines, chosen(s.lines(), keep)...)
	}
	if a.Spread != "" {
		lines = spread(s.t, lines, a.Spread)
	}
	record(s.t, a.File, lines)
	events, err := (&audit.Decoder{Cluster: "test"}).All(bytes.NewReader(lines))
	if err != nil {
		s.t.Fatal(err)
	}
	if got := fired(s.t, events); !slices.Equal(got, a.Want) {
		s.t.Errorf("%s: these rules fire: %v, want %v\n%s", a.File, got, a.Want, short(lines))
	}
}

var moment = regexp.MustCompile(`"(requestReceivedTimestamp|stageTimestamp)":"[^"]*"`)

// spread moves the moments of a log apart: the first is so long ago, the last as it was.
func spread(t *testing.T, log []byte, ago string) (out []byte) {
	t.Helper()
	span, err := time.ParseDuration(ago)
	if err != nil {
		t.Fatal(err)
	}
	n := bytes.Count(log, []byte("\n"))
	i := 0
	for line := range bytes.Lines(log) {
		back := span * time.Duration(n-1-i) / time.Duration(max(1, n-1))
		i++
		out = append(out, moment.ReplaceAllFunc(line, func(m []byte) []byte {
			name, at, _ := strings.Cut(string(m), ":")
			was, err := time.Parse(time.RFC3339Nano, strings.Trim(at, `"`))
			if err != nil {
				t.Fatal(err)
			}
			return []byte(name + `:"` + was.Add(-back).Format("2006-01-02T15:04:05.000000Z") + `"`)
		})...)
	}
	return out
}

// complete says that all requests of an act were logged: a server logs a request after it answered, and
// what controllers carry out comes later.
func complete(lines []byte, a *act) bool {
	requests := map[string]bool{}
	for line := range bytes.Lines(lines) {
		var e struct{ AuditID string }
		_ = json.Unmarshal(line, &e) // it was decoded before
		requests[e.AuditID] = true
	}
	sent := len(a.Also)
	for _, r := range a.Do {
		sent += max(1, r.Times)
	}
	return len(requests) >= sent
}

func short(lines []byte) []byte { return lines[:min(len(lines), 1500)] }

// fired are the rules that tell of events, each once.
func fired(t *testing.T, events []event.Event) (out []string) {
	t.Helper()
	for _, a := range detect.New(rules(t), nil, detect.Options{}).Feed(events) {
		out = append(out, a.Rule)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// comeFromAbroad gives this machine's loopback an address that is no private one; false where it may not.
func comeFromAbroad(t *testing.T) bool {
	t.Helper()
	if os.Getuid() != 0 || exec.Command("ip", "address", "add", abroad+"/32", "dev", "lo").Run() != nil {
		return false
	}
	t.Cleanup(func() { _ = exec.Command("ip", "address", "delete", abroad+"/32", "dev", "lo").Run() })
	return true
}
