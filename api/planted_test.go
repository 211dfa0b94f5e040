package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/enrichment"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/image/secret"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/registries"
	"github.com/breakwater-sec/breakwater/remedy"
	"github.com/breakwater-sec/breakwater/rule"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/vuln"
	"github.com/breakwater-sec/breakwater/watch"
)

// A mark is a word that stands in everything of one owner and nowhere else: who
// may not see the owner must never read it.
type mark struct {
	word string
	// cluster and namespace own it; without a namespace it is of the cluster as a
	// whole, without a cluster of the estate.
	cluster, namespace string
}

func (m mark) in(s graph.Scope) bool {
	tenants, there := s.Segments[m.cluster]
	switch {
	case s.All:
		return true
	case !there:
		return false
	case strings.HasPrefix(m.word, "clu"): // its name is known to who sees a part
		return true
	}
	return len(tenants) == 0 || m.namespace != "" && slices.Contains(tenants, m.namespace)
}

// planted is an estate in which everything is marked.
type planted struct {
	clusters map[string][]string // namespaces by cluster
	marks    []mark
	flaws    []string                     // of which there are advisories: they are of no estate
	kubelets []string                     // likewise, of a version each
	open     map[string][]store.FoundPath // what an earlier run left open, by cluster
}

func plant(clusters ...string) planted {
	p := planted{clusters: map[string][]string{}}
	for _, c := range clusters {
		name := "clu" + c
		p.marks = append(p.marks, mark{name, name, ""}, mark{"who" + c, name, ""}) // its name; what is of it as a whole
		p.kubelets = append(p.kubelets, "who"+c)
		for _, n := range []string{"aa", "bb", "cc"} {
			namespace := "qz" + c + n
			p.clusters[name] = append(p.clusters[name], namespace)
			p.marks = append(p.marks, mark{namespace, name, namespace})
			p.flaws = append(p.flaws, namespace)
		}
	}
	p.marks = append(p.marks, mark{"estatewide", "", ""})
	return p
}

// only is the estate without the other clusters and namespaces, and what is of it
// as a whole.
func (p planted) only(s graph.Scope) planted {
	out := planted{clusters: map[string][]string{}, flaws: p.flaws, kubelets: p.kubelets}
	for c, tenants := range s.Segments {
		out.clusters[c] = p.clusters[c]
		if len(tenants) > 0 {
			out.clusters[c] = tenants
		}
	}
	for _, m := range p.marks {
		if m.in(s) {
			out.marks = append(out.marks, m)
		}
	}
	return out
}

const perNamespace = `
apiVersion: v1
kind: Namespace
metadata: {name: MARK}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: account-MARK, namespace: MARK}
---
apiVersion: v1
kind: Secret
metadata: {name: secret-MARK, namespace: MARK}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: config-MARK, namespace: MARK}
---
apiVersion: v1
kind: Pod
metadata: {name: pod-MARK, namespace: MARK, labels: {app: web-MARK}}
spec:
  nodeName: node-WHOLE
  serviceAccountName: account-MARK
  containers:
    - name: app-MARK
      image: registry.MARK.example/app-MARK:1
      ports: [{containerPort: 8080}]
      securityContext: {privileged: true}
      volumeMounts: [{name: root, mountPath: /host}]
      env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: secret-MARK, key: password}}}]
    - {name: side-MARK, image: "registry.MARK.example/broken-MARK:1"}
    - {name: base, image: "common.example/base:1"}
  volumes: [{name: root, hostPath: {path: /}}]
status: {phase: Running, podIP: 10.0.0.1}
---
apiVersion: v1
kind: Service
metadata: {name: service-MARK, namespace: MARK}
spec:
  type: LoadBalancer
  selector: {app: web-MARK}
  ports: [{port: 80, targetPort: 8080}]
status: {loadBalancer: {ingress: [{ip: 203.0.113.7}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: policy-MARK, namespace: MARK}
spec: {podSelector: {matchLabels: {app: web-MARK}}, policyTypes: [Ingress], ingress: [{}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: role-MARK, namespace: MARK}
rules: [{apiGroups: [""], resources: [pods/exec, secrets], verbs: ["*"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: binding-MARK, namespace: MARK}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: role-MARK}
subjects: [SUBJECTS]
---
`

const perCluster = `
apiVersion: v1
kind: Node
metadata: {name: node-WHOLE}
status: {nodeInfo: {kubeletVersion: v1.30.KUBELET}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: all-WHOLE}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: all-WHOLE}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: all-WHOLE}
subjects: [ADMINS]
---
`

func (p planted) whole(cluster string) string {
	for _, m := range p.marks {
		if m.cluster == cluster && m.namespace == "" && m.word != cluster {
			return m.word
		}
	}
	return ""
}

// manifests is a cluster: the accounts of a namespace may do the same in the next
// one, so that paths lead through several, and those of the second everything.
func (p planted) manifests(cluster string) string {
	subject := func(n string) string {
		return fmt.Sprintf("{kind: ServiceAccount, name: account-%s, namespace: %[1]s}", n)
	}
	var out strings.Builder
	all, admins := p.clusters[cluster], []string{}
	for i, n := range all {
		who := []string{}
		switch {
		case strings.HasSuffix(n, "bb"):
			if i > 0 {
				who = append(who, subject(all[i-1]))
			}
			admins = append(admins, subject(n))
		default:
			who = append(who, subject(n))
		}
		out.WriteString(strings.NewReplacer("MARK", n, "WHOLE", p.whole(cluster), "SUBJECTS", strings.Join(who, ", ")).Replace(perNamespace))
	}
	if w := p.whole(cluster); w != "" {
		out.WriteString(strings.NewReplacer("WHOLE", w,
			"KUBELET", fmt.Sprint(slices.Index(p.kubelets, w)), "ADMINS", strings.Join(admins, ", ")).Replace(perCluster))
	}
	return strings.ReplaceAll(out.String(), "nodeName: node-\n", "nodeName: node\n")
}

// advisories have one for the package of each namespace, and one for a package of all.
func (p planted) advisories() fstest.MapFS {
	out := fstest.MapFS{}
	put := func(word string) {
		out[word+".json"] = &fstest.MapFile{Data: fmt.Appendf(nil,
			`{"id":"QZ-%s","modified":"2026-01-01T00:00:00Z","summary":"Flaw in package-%[1]s",
			"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
			"affected":[{"package":{"ecosystem":"npm","name":"package-%[1]s"},
				"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]}]}`, word)}
	}
	for i, word := range slices.Concat(p.kubelets, []string{kubeletOfNothing}) {
		out[word+".json"] = &fstest.MapFile{Data: fmt.Appendf(nil,
			`{"id":"QZ-%s","modified":"2026-01-01T00:00:00Z","summary":"The kubelet of %[1]s may be stopped",
			"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
			"affected":[{"package":{"ecosystem":"Go","name":"k8s.io/kubernetes"},
				"ranges":[{"type":"SEMVER","events":[{"introduced":"1.30.%d"},{"fixed":"1.30.%d"}]}]}]}`, word, i, i+1)}
	}
	put("base")
	put(flawOfNothing)
	for _, word := range p.flaws {
		put(word)
	}
	return out
}

func scanPlanted(_ context.Context, named image.Reference) (*image.Inventory, error) {
	ref := named.String()
	word := "base"
	if _, after, marked := strings.Cut(ref, "/app-"); marked {
		word, _, _ = strings.Cut(after, ":")
	} else if strings.Contains(ref, "/broken-") {
		return nil, errors.New("cannot read " + ref)
	}
	name := "package-" + word
	layers := []image.Layer{{Digest: "sha256:layer-base", DiffID: "sha256:files-base", Command: "COPY base", Packages: 1}}
	if word != "base" { // it is built on that
		layers = append(layers, image.Layer{Digest: "sha256:layer-" + word, DiffID: "sha256:files-" + word, Command: "COPY " + word, Packages: 1})
	}
	left := []image.Secret{{Found: secret.Found{Kind: "private key", Hash: "hash-everywhere"}, File: "etc/key-" + word},
		{Found: secret.Found{Kind: "password hash", Hash: "hash-" + word}, File: "etc/shadow", Layer: "sha256:layer-" + word}}
	return &image.Inventory{Version: image.InventoryVersion, Understood: true, Reference: ref, Layers: layers, Secrets: left,
		Packages: []image.Package{{PURL: "pkg:npm/" + name + "@1.0.0", Name: name, Ecosystem: "npm", Version: "1.0.0",
			Layer: "sha256:layer-" + word, Database: "package.json"}}}, nil
}

// serve runs the whole server over the estate. What a test sends to drop is told of
// the first cluster.
func (p planted) serve(t *testing.T) *served {
	t.Helper()
	ctx := context.Background()
	st, err := store.Open(ctx, filepath.Join(t.TempDir(), "b.db"))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := analyse.Load("")
	if err != nil {
		t.Fatal(err)
	}
	db, err := vuln.Read(ctx, p.advisories())
	if err != nil {
		t.Fatal(err)
	}
	p.records(t, st)
	s := &served{store: st, drop: make(chan collect.Change), client: &http.Client{}}
	log := slog.New(slog.DiscardHandler)
	config := registries.Config{Every: time.Hour, Records: st, Log: log}
	if slices.ContainsFunc(p.marks, func(m mark) bool { return m.cluster == "" }) {
		config.Read, config.Connect = readPlanted,
			[]registries.Connection{{Registry: collect.Registry{Host: "estatewide.example"}, From: registries.FromFlag}}
		config.Check = func(context.Context, collect.Registry) []collect.Permission { return nil }
		config.Account = func(context.Context, string) (string, string, error) { return "estatewide", "estatewide", nil }
	}
	w, err := watch.New(watch.Config{
		Live: live.Config{Records: st, Rules: rules, Log: log}, Sources: p.sources(t, s.drop), Registries: config,
		Images: assess.Config{Advisories: func() *vuln.DB { return db }, Records: st, Owner: "test", Workers: 2, Log: log,
			Scan: scanPlanted}})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := New(Config{Unscoped: scope.Config{Picture: w.Live, Images: w.Images, Registries: w.Registries, Records: st,
		Sensors: st, Tokens: st}, About: enrichment.About, Sessions: st,
		Receiving: func(context.Context) ([]Receiving, error) { return p.receiving(), nil }, Waiting: p.waiting, Coverage: p.coverage,
		Detections: []rule.Head{{ID: "rule", Title: "A rule"}},
		Coded:      func(f *collect.Facts, p analyse.Path) analyse.Path { return remedy.New(f, rules).Path(p) },
		Advisories: func() *vuln.DB { return db }, PathTypes: rules.PathTypes(),
		Log: log, Version: "test", Assets: fstest.MapFS{"index.html": {Data: []byte("portal")}}})
	if err != nil {
		t.Fatal(err)
	}
	s.run(t, w, handler)
	s.signInAs(t, graph.Everything)
	s.until(t, "everything is assessed", func() bool {
		var st Status
		s.get(t, "/status", &st)
		return st.Images.Waiting == 0 && st.Images.Total >= 3 &&
			!slices.ContainsFunc(st.Clusters, func(c ClusterStatus) bool { return c.State != "current" })
	})
	asked := "?limit=1000"
	if len(p.marks) > 0 { // its images have what lets an attacker in: without it the last assessment is not in the picture
		asked += "&entryClass=known"
	}
	s.until(t, "every namespace has a path that rests on its assessed image", func() bool {
		found := map[string]bool{}
		for _, row := range s.paths(t, asked) {
			found[row.Cluster+"/"+row.Namespace] = true
		}
		n := 0
		for _, all := range p.clusters {
			n += len(all)
		}
		return len(found) == n
	})
	return s
}

func (p planted) sources(t *testing.T, drop chan collect.Change) (out []live.Source) {
	for i, name := range slices.Sorted(maps.Keys(p.clusters)) {
		f, err := kube.ReadFS(fstest.MapFS{"in.yaml": {Data: []byte(p.manifests(name))}})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, live.Source{Name: name, Watch: func(ctx context.Context, emit func(collect.Change)) error {
			for _, kind := range collect.Kinds {
				for k, o := range f.Each(kind) {
					emit(collect.Change{Op: collect.Put, Kind: kind, Key: k, Object: o})
				}
			}
			if w := p.whole(name); w != "" {
				emit(collect.Change{Op: collect.GapOpen,
					Gap: &collect.Gap{Source: "api", What: "widgets of " + w, Why: "403 Forbidden: " + w, Consequence: "Not seen: " + w,
						Kinds: []string{"AdmissionWebhook"}}})
			}
			emit(collect.Change{Op: collect.Synced, Time: time.Now()})
			for i == 0 {
				select {
				case ch := <-drop:
					emit(ch)
				case <-ctx.Done():
					return nil
				}
			}
			<-ctx.Done()
			return nil
		}})
	}
	return out
}

func readPlanted(
	_ context.Context, what collect.Registry, _ func(string) (map[string]string, error), found func(string, []collect.Tag) error,
) (collect.Listing, error) {
	err := found("shop/estatewide", []collect.Tag{{Name: "estatewide", Digest: "sha256:estatewide"}})
	return collect.Listing{Repositories: map[string]bool{"shop/estatewide": true}, Whole: true,
		Gaps: []collect.Gap{{Source: "registry", What: "repository estatewide", Why: "403 estatewide", Consequence: "estatewide"}}}, err
}

func (p planted) receiving() (out []Receiving) {
	for _, c := range slices.Sorted(maps.Keys(p.clusters)) {
		w := p.whole(c)
		out = append(out, Receiving{Cluster: c, Kind: Audit, LostWhy: &w, Rejected: map[string]int{}})
	}
	return out
}

// coverage is what is said of detections on each cluster.
func (p planted) coverage(context.Context) (out []AlertCoverage, err error) {
	for _, c := range slices.Sorted(maps.Keys(p.clusters)) {
		w := p.whole(c)
		out = append(out, AlertCoverage{Cluster: c, Rule: "rule", Can: "cannot", Why: "such as pods of " + w})
	}
	return out, nil
}

// waiting are nodes that want to join.
func (p planted) waiting(context.Context) (out []NodeWaits, err error) {
	for _, c := range slices.Sorted(maps.Keys(p.clusters)) {
		w := p.whole(c)
		out = append(out, NodeWaits{Cluster: c, Node: "waits-" + w, Token: w, From: w, Since: plantedAt, Last: plantedAt})
	}
	return out, nil
}

// plantedAt is not so long ago that it is forgotten.
var plantedAt = time.Now().Add(-time.Hour).Truncate(time.Second)

// records plants what the store keeps: alerts, resolved paths, sensors.
func (p planted) records(t *testing.T, st *store.Store) {
	t.Helper()
	at := plantedAt
	alert := func(cluster, word string, about ...event.Entity) {
		t.Helper()
		body, err := json.Marshal(detect.Alert{ID: "alert-" + word, Rule: "rule", Title: "Alert " + word, Severity: "high",
			Cluster: cluster, Entities: about, Techniques: []string{"T1"}, Evidence: []string{word},
			Context: []detect.About{{ID: "gone-" + word, Paths: []detect.Path{{Title: word}}, Reaches: []string{word}}},
			Events:  []json.RawMessage{fmt.Appendf(nil, `{"of":%q}`, word)}})
		if err != nil {
			t.Fatal(err)
		}
		if err := st.PutAnalysed(t.Context(), store.Analysed{Cluster: cluster,
			Alerts: []store.AlertSeen{{Cluster: cluster, ID: "alert-" + word, Rule: "rule", Severity: "high", FirstSeen: at, LastSeen: at,
				Events: []string{"e"}, Body: body}}}); err != nil {
			t.Fatal(err)
		}
	}
	pod := func(cluster, n string) event.Entity {
		return event.Entity{Role: event.Target, Kind: "Pod", Namespace: n, Name: "pod-" + n, ID: cluster + "/" + n + "/Pod/pod-" + n}
	}
	for cluster, namespaces := range p.clusters {
		var gone []store.FoundPath
		for i, n := range namespaces {
			alert(cluster, n, pod(cluster, n), event.Entity{Role: event.Actor, Kind: "ServiceAccount", Namespace: n, Name: "account-" + n})
			if i > 0 {
				alert(cluster, n+"both", pod(cluster, n), pod(cluster, namespaces[0])) // for who sees both
			}
			gone = append(gone, store.FoundPath{ID: "gone-" + n, Body: p.gone(t, cluster, n)})
		}
		for v, found := range [][]store.FoundPath{gone, p.open[cluster]} {
			if _, _, err := st.Apply(t.Context(), store.Analysis{Cluster: cluster, Version: uint64(v + 1), At: at, Paths: found}); err != nil {
				t.Fatal(err)
			}
		}
		if w := p.whole(cluster); w != "" {
			status, _ := json.Marshal(runtime.Status{Node: "node-" + w, Boot: "b", Kernel: w})
			alert(cluster, w, event.Entity{Role: event.Target, Kind: "Node", Name: "node-" + w})
			if err := st.PutSensor(t.Context(), store.Sensor{Cluster: cluster, Node: "node-" + w,
				SeenAt: time.Now().Add(time.Hour), Status: status}); err != nil {
				t.Fatal(err)
			}
			if _, err := st.NewIngestToken(t.Context(), store.IngestToken{Cluster: cluster, Kind: "runtime", MadeBy: w}); err != nil {
				t.Fatal(err)
			}
			if err := st.AddCertificate(t.Context(), store.Certificate{Cluster: cluster, Serial: "token-" + w, Kind: "runtime",
				Node: "node-" + w, Key: w, CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour), UsedFrom: w}, false); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// gone is a path that was resolved, from a namespace to the cluster as a whole.
func (p planted) gone(t *testing.T, cluster, n string) []byte {
	w := p.whole(cluster)
	internet := analyse.Thing{ID: "internet", Kind: "Internet", Name: "Internet", Count: 1}
	app := analyse.Thing{ID: cluster + "/" + n + "/Pod/pod-" + n + "/app-" + n, Kind: "Container", Name: "app-" + n, Cluster: cluster,
		Namespace: n, Count: 1, Images: []analyse.Image{{ID: "image-" + n}}}
	node := analyse.Thing{ID: cluster + "/Node/node-" + w, Kind: "Node", Name: "node-" + w, Cluster: cluster, Count: 1}
	b, err := json.Marshal(analyse.Path{ID: "gone-" + n, Type: "node-takeover", Title: "Gone", Cluster: cluster, Namespace: n,
		Risk: "high", RiskScore: 60, Entry: internet, Foothold: app, Target: node, Nodes: []analyse.Thing{internet, app, node},
		Owners: []string{cluster + "/" + n + "/Pod/pod-" + n}, Story: []string{"To " + w},
		RiskFactors:     []analyse.Factor{{Name: "f", Why: w}},
		Vulnerabilities: []analyse.Vulnerability{{ID: "QZ-" + n, Image: "image-" + n}}, VulnerabilitiesTotal: 1, Attack: []string{},
		Also: []analyse.Step{}, Fixes: []analyse.Fix{}, Uncertain: []string{}, DependsOn: []string{}, Frames: []analyse.Frame{},
		Steps: []analyse.Step{{From: internet.ID, To: app.ID, Edge: "ROUTES_TO", Evidence: []analyse.Evidence{}},
			{From: app.ID, To: node.ID, Edge: "CAN_TAKE_OVER", Evidence: []analyse.Evidence{{Text: w, Nodes: []string{"Node " + node.ID}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
