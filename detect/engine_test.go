package detect_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/event/audit"
	"github.com/breakwater-sec/breakwater/event/identity"
	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/packs"
)

func rules(t testing.TB) *detect.Rules {
	t.Helper()
	d := &audit.Decoder{Cluster: "prod"}
	run := &runtime.Decoder{Cluster: "prod"}
	r, err := detect.Load([]detect.Log{{Source: audit.Source, Fields: audit.Fields, Index: audit.Index, Excuse: audit.Excuse, Excused: audit.Excused, Decode: d.All},
		{Source: runtime.Source, Fields: runtime.Fields, Index: runtime.Index, Decode: run.All},
		{Source: identity.Source, Fields: identity.Fields, Index: identity.Index, Decode: (&identity.Decoder{Cluster: "prod"}).All}}, packs.FS)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// recorded are real events, of several files.
func recorded(t testing.TB, names ...string) (out []event.Event) {
	t.Helper()
	for _, n := range names {
		text, err := os.ReadFile("../packs/detect/audit/testdata/" + n + ".jsonl")
		if err != nil {
			t.Fatal(err)
		}
		events, err := (&audit.Decoder{Cluster: "prod"}).All(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, events...)
	}
	return out
}

// last is what an engine says last of each alert, in the order of their ids.
type last map[string]detect.Alert

func (l last) feed(g *detect.Engine, events ...event.Event) {
	for _, a := range g.Feed(events) {
		l[a.ID] = a
	}
}

func (l last) String() string {
	var out []string
	for _, a := range l {
		var names []string
		for _, x := range a.Entities {
			names = append(names, fmt.Sprintf("%s %s %s/%s", x.Role, x.Kind, x.Namespace, x.Name))
		}
		slices.Sort(names)
		slices.Sort(a.Evidence)
		out = append(out, fmt.Sprintf("%s %s ×%d %v %v", a.ID, a.Rule, a.Count, names, a.Evidence))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// TestOneHumanActionIsOneAlert feeds what a person's Deployment with a sensitive
// folder left in a real log, in every order that chance gives, in batches of any
// size: the alert is the same, and names person, workload, pods and volume.
func TestOneHumanActionIsOneAlert(t *testing.T) {
	events := recorded(t, "host-folder-deployment", "host-folder-controllers")
	rnd := rand.New(rand.NewPCG(3, 4))
	all := rules(t)
	var want string
	for round := range 200 {
		g, l := detect.New(all, nil, detect.Options{}), last{}
		for rest := events; len(rest) > 0; {
			n := 1 + rnd.IntN(len(rest))
			l.feed(g, rest[:n]...)
			rest = rest[n:]
		}
		if round == 0 {
			want = l.String()
			for _, says := range []string{"sensitive-host-folder ×1", "actor User /alice", "target Deployment shop/backup",
				"target Pod shop/backup-", "related Volume /host", "Its containers mount of the node: /etc."} {
				if len(l) != 1 || !strings.Contains(want, says) {
					t.Fatalf("%d alerts, want one with %q: %s", len(l), says, want)
				}
			}
			if n := strings.Count(want, "target Pod"); n != 2 {
				t.Fatalf("%d pods, want 2: %s", n, want)
			}
		} else if got := l.String(); got != want {
			t.Fatalf("another order gives\n%s\nwant\n%s", got, want)
		}
		events = slices.Clone(events)
		rnd.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	}
}

func TestStagesCountOnceAndForgedAuditIDsHideNothing(t *testing.T) {
	all := rules(t)
	exec := recorded(t, "exec")
	if len(exec) != 2 {
		t.Fatalf("%d events of one exec, want its two stages", len(exec))
	}
	l := last{}
	l.feed(detect.New(all, nil, detect.Options{}), exec...)
	if s := l.String(); len(l) != 1 || !strings.Contains(s, "exec-into-pod ×1") {
		t.Errorf("one exec seen at two stages: %s", s)
	}
	one := `{"verb":"create","auditID":"forged","stage":"ResponseComplete","user":{"username":"eve"},
		"requestReceivedTimestamp":"2026-01-01T00:00:00.000001Z",
		"objectRef":{"resource":"pods","subresource":"exec","namespace":"a","name":"%s"},
		"responseStatus":{"code":101}}`
	d := audit.Decoder{Cluster: "prod"}
	b, err := d.Decode([]byte("[" + fmt.Sprintf(one, "x") + "," + fmt.Sprintf(one, "y") + "]"))
	if err != nil {
		t.Fatal(err)
	}
	l = last{}
	l.feed(detect.New(all, nil, detect.Options{}), b.Events...)
	if len(l) != 2 {
		t.Errorf("two attacks under one auditID: %s", l)
	}
}

func TestAKilledServerRepeatsNothing(t *testing.T) {
	all := rules(t)
	events := recorded(t, "host-folder-deployment", "host-folder-controllers", "exec", "anonymous-list", "privileged-pod")
	want := last{}
	whole := detect.New(all, nil, detect.Options{})
	for _, e := range events {
		want.feed(whole, e)
	}
	for kill := range len(events) {
		stored, g := last{}, detect.New(all, nil, detect.Options{})
		for _, e := range events[:kill] {
			stored.feed(g, e)
		}
		g = detect.New(all, nil, detect.Options{})
		var open []detect.Alert
		for _, a := range stored {
			open = append(open, a)
		}
		g.Resume(open)
		for _, e := range events[max(0, kill-3):] { // what was not acknowledged comes again
			stored.feed(g, e)
		}
		if stored.String() != want.String() {
			t.Errorf("killed after %d events:\n%s\nwant\n%s", kill, stored, want)
		}
	}
}

func TestTheSameThingLaterIsAnotherAlert(t *testing.T) {
	g, l := detect.New(rules(t), nil, detect.Options{Window: time.Hour}), last{}
	at := func(d time.Duration, act string) event.Event {
		e := recorded(t, "exec")[0]
		e.Time, e.Act = e.Time.Add(d), act
		return e
	}
	l.feed(g, at(0, "a"), at(50*time.Minute, "b"), at(100*time.Minute, "c"))
	if len(l) != 1 || !strings.Contains(l.String(), "×3") {
		t.Errorf("within the window: %s", l)
	}
	if l.feed(g, at(4*time.Hour, "d")); len(l) != 2 {
		t.Errorf("after the window: %s", l)
	}
}

// Alice writes a CronJob, bob changes it, and an operator's service account makes
// what belongs to it.
func TestAnOperatorActsForAPerson(t *testing.T) {
	const operator, loops = "system:serviceaccount:ops:operator", "system:serviceaccount:kube-system:"
	const privileged = `"containers":[{"name":"c","securityContext":{"privileged":true}}]`
	made := []event.Event{
		wrote(t, 1, "create", "alice", "backups", "Backup", "w", "u1", "", ""),
		wrote(t, 2, "patch", "bob", "backups", "Backup", "w", "u1", "", ""),
		wrote(t, 3, "create", operator, "deployments", "Deployment", "d", "u2",
			"backup.example/v1 Backup u1", `"template":{"spec":{`+privileged+`}}`),
		wrote(t, 4, "create", loops+"deployment-controller", "replicasets", "ReplicaSet", "d-1", "u3", "apps/v1 Deployment u2",
			`"template":{"spec":{`+privileged+`}}`),
		wrote(t, 5, "create", loops+"replicaset-controller", "pods", "Pod", "p", "u4", "apps/v1 ReplicaSet u3", privileged),
	}
	for _, order := range [][]int{{0, 1, 2, 3, 4}, {1, 0, 2, 3, 4}, {4, 3, 2, 1, 0}} { // bob's may come first all the same
		var events []event.Event
		for _, i := range order {
			events = append(events, made[i])
		}
		l := last{}
		l.feed(detect.New(rules(t), nil, detect.Options{}), events...)
		s := l.String()
		for _, want := range []string{"×1", "actor ServiceAccount ops/operator", "actor User /alice",
			"It names Backup shop/w as its owner, which alice wrote.", "target Pod shop/p"} {
			if len(l) != 1 || !strings.Contains(s, want) {
				t.Errorf("%v: %d alerts, want one with %q: %s", order, len(l), want, s)
			}
		}
	}
}

// wrote is a request that was answered: who wrote what, and as owned by what, with
// the rest of its specification.
func wrote(t *testing.T, second int, verb, user, resource, kind, name, uid, owner, spec string) event.Event {
	t.Helper()
	owners := ""
	if words := strings.Fields(owner); len(words) == 3 {
		owners = fmt.Sprintf(`,"ownerReferences":[{"apiVersion":%q,"kind":%q,"name":"o","uid":%q,"controller":true}]`,
			words[0], words[1], words[2])
	}
	when := fmt.Sprintf("2026-01-01T00:00:%02dZ", second)
	b, err := (&audit.Decoder{Cluster: "prod"}).Decode(fmt.Appendf(nil, `{"level":"RequestResponse","verb":%q,"auditID":"%d",
		"requestReceivedTimestamp":%q,"stageTimestamp":%q,"stage":"ResponseComplete","user":{"username":%q},
		"objectRef":{"resource":%q,"namespace":"shop","name":%q},"responseStatus":{"code":201},
		"responseObject":{"kind":%q,"metadata":{"name":%q,"uid":%q%s},"spec":{%s}}}`,
		verb, second, when, when, user, resource, name, kind, name, uid, owners, spec))
	if err != nil || len(b.Events) != 1 {
		t.Fatal(err)
	}
	return b.Events[0]
}

// TestWhoNamesSomebodyElsesWorkloadAsOwnerIsToldOf has ops make a privileged
// DaemonSet, which is an alert, and others write a privileged pod that names it.
func TestWhoNamesSomebodyElsesWorkloadAsOwnerIsToldOf(t *testing.T) {
	const privileged = `"containers":[{"name":"c","securityContext":{"privileged":true}}]`
	const account = "system:serviceaccount:shop:web"
	ops := wrote(t, 1, "create", "ops", "daemonsets", "DaemonSet", "agent", "ds-1", "", `"template":{"spec":{`+privileged+`}}`)
	tests := []struct {
		name, user, owner string
		alerts            int
	}{
		{"the loop of DaemonSets", "system:serviceaccount:kube-system:daemon-set-controller", "apps/v1 DaemonSet ds-1", 1},
		{"a controller manager whose loops have no accounts", "system:kube-controller-manager", "apps/v1 DaemonSet ds-1", 1},
		{"a person", "mallory", "apps/v1 DaemonSet ds-1", 2},
		{"a service account", account, "apps/v1 DaemonSet ds-1", 2},
		{"a service account that calls itself as a loop is called",
			"system:serviceaccount:shop:daemon-set-controller", "apps/v1 DaemonSet ds-1", 2},
		{"a service account, by the kind in another group", account, "evil.example/v1 DaemonSet ds-1", 2},
		{"a service account, by another kind under its uid", account, "evil.example/v1 Evil ds-1", 2},
		{"a person, by another kind under its uid", "mallory", "evil.example/v1 Evil ds-1", 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l, g := last{}, detect.New(rules(t), nil, detect.Options{})
			l.feed(g, ops)
			l.feed(g, wrote(t, 2, "create", test.user, "pods", "Pod", "evil", "e9", test.owner, privileged))
			maps.DeleteFunc(l, func(_ string, a detect.Alert) bool { return a.Rule != "privileged-pod" })
			if len(l) != test.alerts || test.alerts > 1 && strings.Contains(l.String(), "It led to") {
				t.Errorf("%d alerts, want %d: %s", len(l), test.alerts, l)
			}
		})
	}
}

// Whose requests are anonymous is always the same, so that rule tells alerts apart
// by where they come from: its per names the address.
func TestWhatARuleNamesMakesAlertsDiffer(t *testing.T) {
	from := func(address, act string) event.Event {
		e := recorded(t, "anonymous-list")[0]
		e.Fields = maps.Clone(e.Fields)
		e.Fields["source.address"], e.Act = []string{address}, act
		return e
	}
	l := last{}
	l.feed(detect.New(rules(t), nil, detect.Options{}), from("192.0.2.1", "a"), from("192.0.2.2", "b"), from("192.0.2.1", "c"))
	if s := l.String(); len(l) != 2 || strings.Count(s, "×2") != 1 || strings.Count(s, "×1") != 1 {
		t.Errorf("from two addresses, from one of them twice: %s", s)
	}
}

func TestTheSameThingInTwoClustersIsTwoAlerts(t *testing.T) {
	one := recorded(t, "exec")[0]
	two := one
	two.Cluster = "dev"
	l := last{}
	l.feed(detect.New(rules(t), nil, detect.Options{}), one, two)
	if len(l) != 2 {
		t.Errorf("%s", l)
	}
}

// graph is a Context that knows one pod.
type graph struct{ asked []string }

func (g *graph) About(cluster string, e event.Entity) (detect.About, bool) {
	g.asked = append(g.asked, e.ID)
	yes := true
	return detect.About{ID: e.ID, Kind: e.Kind, Name: e.Name, Exposed: &yes}, e.ID == "prod/shop/Pod/till"
}

func TestTheGraphIsAskedAfterAMatchOnly(t *testing.T) {
	ask := &graph{}
	g := detect.New(rules(t), ask, detect.Options{})
	g.Feed(recorded(t, "log", "exec-denied", "harmless-folder", "host-folder-controllers"))
	if len(ask.asked) > 0 {
		t.Errorf("asked without a match: %v", ask.asked)
	}
	a := g.Feed(recorded(t, "exec"))
	if len(a) != 1 || len(a[0].Context) != 1 || !*a[0].Context[0].Exposed {
		t.Errorf("%+v", a)
	}
}

func TestAFloodIsBounded(t *testing.T) {
	g := detect.New(rules(t), nil, detect.Options{Alerts: 10, Objects: 20})
	exec := recorded(t, "exec")[0]
	pod := recorded(t, "privileged-pod")[0]
	for i := range 1000 {
		a, b := exec, pod
		a.Act, b.Act = fmt.Sprint("a", i), fmt.Sprint("b", i)
		b.Entities = slices.Clone(b.Entities)
		for j := range b.Entities {
			b.Entities[j].Name = fmt.Sprint("n", i)
		}
		b.Object = &event.Object{UID: fmt.Sprint("u", i), Kind: "Pod", Name: fmt.Sprint("p", i), Owner: "one"}
		g.Feed([]event.Event{a, b})
	}
	alerts, objects, about := detect.Sizes(g)
	if alerts > 10 || objects > 20 || about > 10*64 {
		t.Errorf("remembers %d alerts, %d objects, %d links", alerts, objects, about)
	}
	a := g.Feed([]event.Event{func() event.Event { e := exec; e.Act = "last"; return e }()})
	if len(a) != 1 || a[0].Count != 1001 || len(a[0].Acts) > 256 || len(a[0].Events) > 4 {
		t.Errorf("count %d, %d acts, %d events", a[0].Count, len(a[0].Acts), len(a[0].Events))
	}
}
