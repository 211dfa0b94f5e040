// Package segment turns the Facts of one cluster, and what the judges said of
// them, into a segment of the graph: one file per thing. It decides nothing of
// its own about reachability or permission, reads no cluster and no image, and
// knows no attack: those are the judges', the collectors' and the rules' work.
//
// What Facts do not hold is not made up: a property that nobody told stays null,
// and a thing that something else refers to becomes a node with only its name.
package segment

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"

	"github.com/breakwater-sec/breakwater/admission"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/cloud"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/exposure"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/rbac"
	"github.com/breakwater-sec/breakwater/ref"
	"github.com/breakwater-sec/breakwater/schema"
)

// Judged is what the judges say of a cluster's facts, and registries of its images.
type Judged struct {
	Exposure *exposure.Result
	Holds    []rbac.Hold
	// Gains are what powers over roles give.
	Gains []rbac.Gain
	// Unread are the roles of which it is not known what they allow each identity.
	Unread   map[rbac.Subject][]rbac.Unread
	Policies *netpol.Judge
	// Admission says which namespaces admit pods that take over nodes.
	Admission *admission.Judge
	Takeovers map[string]admission.Takeover // by namespace
	// NewNamespace is what one admits that is not there yet.
	NewNamespace admission.Verdict
	Clouds       *cloud.Judge
	Gaps         []collect.Gap
	// Image tells the id of the image that a use means, nil if that is its own: a node
	// may name an image by its index, by the manifest of its platform or by its
	// configuration, and no node names those of pods that manifests would make.
	Image func(assess.Use) string
	// ThirdParty and UnknownRegistry say whose a registry is; nil says nothing.
	ThirdParty      func(host string) bool
	UnknownRegistry func(host string) *bool
	// Machines is what is known of the software that nodes report, by their names.
	Machines map[string]*assess.Assessment
}

// Judge asks every judge about the facts. powers are the RBAC questions that matter: what
// identities may and what traffic reaches is judged beside each other.
func Judge(f *collect.Facts, powers []rbac.Power) Judged {
	r := judgeRights(f, powers)
	defer r.asked.Wait()
	j := traffic(f)
	r.tell(&j)
	return j
}

// rights is what identities may, which is judged beside other work.
type rights struct {
	asked  sync.WaitGroup // it is waited for before the facts change
	broke  atomic.Pointer[any]
	holds  []rbac.Hold
	gains  []rbac.Gain
	unread map[rbac.Subject][]rbac.Unread
	gaps   []collect.Gap

	admission *admission.Judge
	takeovers map[string]admission.Takeover
	anew      admission.Verdict
}

func judgeRights(f *collect.Facts, powers []rbac.Power) *rights {
	r, accounts := &rights{}, rbac.New(f)
	beside := func(ask func()) {
		r.asked.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					r.broke.Store(&p) // to break off in who asked
				}
			}()
			ask()
		})
	}
	beside(func() {
		r.admission, r.takeovers = admission.New(f), make(map[string]admission.Takeover, len(f.Namespaces))
		for k := range f.Namespaces {
			r.takeovers[k.Name] = r.admission.Takeover(k.Name)
		}
		r.anew = r.admission.New()
	})
	beside(func() {
		r.holds, r.unread = accounts.Holds(powers), accounts.Unread()
		r.gains, r.gaps = accounts.Gains(powers, r.holds), accounts.Gaps()
	})
	return r
}

// traffic is what the other judges say.
func traffic(f *collect.Facts) (j Judged) {
	j.Policies = netpol.New(f)
	j.Clouds, j.Exposure = cloud.New(f, j.Policies), exposure.Judge(f, j.Policies)
	j.Gaps = slices.Concat(j.Exposure.Gaps, j.Policies.Gaps(), j.Clouds.Gaps())
	return j
}

// tell waits for the rights.
func (r *rights) tell(j *Judged) {
	r.asked.Wait()
	if p := r.broke.Load(); p != nil {
		panic(*p)
	}
	j.Admission, j.Takeovers, j.NewNamespace = r.admission, r.takeovers, r.anew
	j.Holds, j.Unread, j.Gains, j.Gaps = r.holds, r.unread, r.gains, slices.Concat(r.gaps, j.Gaps)
}

// Result is a cluster's part of the graph, before it is joined to what is shared.
type Result struct {
	Builder *graph.Builder
	// Images is every image that a container uses, by id, sorted.
	Images []assess.Use
	// Exposed are those of them that a container uses which the internet reaches, by id, sorted.
	Exposed []string
	// Machines is what is known of the software of nodes, each once.
	Machines []*assess.Assessment
	// Gaps is what the judges could not see, and what could not be drawn.
	Gaps []collect.Gap
}

// Cluster builds the graph of one cluster.
func Cluster(f *collect.Facts, j Judged) *Result {
	c := newCluster(f, j)
	c.drawRest()
	return c.drawRights(f)
}

// Drawn is Judge and Cluster in one: what identities may is judged while all else is drawn. more says what the judges do not.
func Drawn(f *collect.Facts, powers []rbac.Power, more func(*Judged)) *Result {
	return (*Memory)(nil).Drawn(f, powers, more)
}

func newCluster(f *collect.Facts, j Judged) *cluster {
	return &cluster{facts: f, judged: j, b: graph.NewBuilder(schema.Vocabulary(), f.Cluster.Name), name: f.Cluster.Name,
		labels: map[*collect.Labels][]string{}, images: newImageUses(j.Image), owners: map[collect.OwnerRef]map[string]ref.Ref{},
		volumes: map[string]graph.Ref{}, capabilities: map[*collect.ContainerShape][]string{},
		drawn: map[string]bool{}, declared: map[*collect.PodShape]map[netpol.Port]bool{}, claims: map[collect.Key]*collect.PersistentVolume{},
		things: map[thing][]ref.Ref{}, placed: make(map[*collect.Pod]placedPod, len(f.Pods)),
		anyToken: rbac.Before(f, nodeTokens), rights: func() {}}
}

// drawRest draws all but what access control decides.
func (c *cluster) drawRest() {
	c.clusterWide()
	c.workloads()
	c.pods()
	c.network()
	c.talk()
	c.webhooks()
	c.accounts()
	c.secretsAndConfigMaps()
	c.exposure()
	c.clouds()
}

// drawRights draws what access control, and admission, which may ask it, decide.
func (c *cluster) drawRights(f *collect.Facts) *Result {
	c.facts = f
	c.rights()
	c.admissions()
	c.identities()
	return &Result{Builder: c.b, Images: c.images.images(), Exposed: slices.Sorted(maps.Keys(c.images.exposed)), Machines: c.machines(),
		Gaps: slices.Concat(c.judged.Gaps, c.gaps, c.images.gaps(c.name))}
}

// Build joins the result to the shared segment; what could not be joined is a gap.
func (r *Result) Build(shared *graph.Segment) (*graph.Segment, []collect.Gap) {
	seg, dangling := r.Builder.Build(shared)
	gaps := slices.Clone(r.Gaps)
	seen := map[string]int{}
	for _, d := range dangling {
		seen[d.Edge+" to a missing "+d.Missing]++
	}
	for _, what := range slices.Sorted(maps.Keys(seen)) {
		edge, _, _ := strings.Cut(what, " ")
		gaps = append(gaps, collect.Gap{Cluster: seg.Name(), Source: "graph", What: what, Kinds: []string{edge},
			Why:         fmt.Sprintf("%d objects refer to something that was not read", seen[what]),
			Consequence: "These connections are not in the graph."})
	}
	return seg, gaps
}

// cluster is one run of Cluster.
type cluster struct {
	facts   *collect.Facts
	judged  Judged
	rights  func() // has the judged rights told, if they are not yet
	b       *graph.Builder
	name    string
	labels  map[*collect.Labels][]string
	images  imageUses
	owners  map[collect.OwnerRef]map[string]ref.Ref
	volumes map[string]graph.Ref
	// capabilities are told once for all containers of a shape.
	capabilities map[*collect.ContainerShape][]string
	declared     map[*collect.PodShape]map[netpol.Port]bool
	claims       map[collect.Key]*collect.PersistentVolume // what was found for them
	// anyToken says that a node is given tokens for any account of its pods.
	anyToken bool
	drawn    map[string]bool
	// placed are the pods that are drawn.
	placed map[*collect.Pod]placedPod
	things map[thing][]ref.Ref
	// crowded are the pods with more containers than are kept.
	crowded []collect.Key
	// unpulled are the accounts with more secrets for images than are drawn for each pod.
	unpulled map[collect.Key]bool
	gaps     []collect.Gap
	marked   *marked // nil: nothing is to be rewound
}

// self is the cluster as an object in itself.
var self = ref.Ref{Kind: "Cluster"}

// clusterWide makes the cluster, its namespaces and its nodes.
func (c *cluster) clusterWide() {
	root := c.b.Node(self.Kind, self.ID(), graph.S("name", c.name), text("version", c.facts.Cluster.Version))
	e := c.judged.Policies.Enforcement()
	c.b.Set(root, text("policyEnforcement", string(e.State)), text("networkPlugin", e.Plugin))
	for k, ns := range c.facts.Namespaces {
		c.b.Set(c.namespace(k.Name), labelList(ns.Labels), criticality(ns.Labels, ns.Annotations),
			text("podSecurity", ns.Labels["pod-security.kubernetes.io/enforce"]))
	}
	c.claimed()
	for _, n := range c.facts.Nodes {
		c.node(n)
	}
}

// admissions says what each namespace lets in, and one that is not there yet.
func (c *cluster) admissions() {
	c.b.Set(c.at(self), verdict("admitsNodeTakeoverInNew", c.judged.NewNamespace))
	for k := range c.facts.Namespaces {
		c.b.Set(c.namespace(k.Name), admits(c.judged.Takeovers[k.Name])...)
	}
}

// admits is what a namespace lets in of pods that take over their node.
func admits(t admission.Takeover) []graph.Prop {
	return []graph.Prop{verdict("admitsNodeTakeover", t.Pod), verdict("admitsNodeTakeoverByWorkload", t.Workload),
		verdict("admitsNodeTakeoverByDebugging", t.Debugging), verdict("admitsNodeTakeoverRelabelled", t.Relabelled)}
}

func verdict(name string, v admission.Verdict) graph.Prop {
	if v == admission.Unknown {
		return graph.Prop{Name: name}
	}
	return graph.B(name, v == admission.Admitted)
}

func (c *cluster) node(n *collect.Node) {
	r := c.nodeRef(n.Name)
	c.b.Set(r, labelList(n.Labels), list("addresses", slices.Concat(n.InternalIPs, n.ExternalIPs)),
		list("publicAddresses", publicAddresses(n)), text("os", n.OSImage), text("kernel", n.KernelVersion),
		text("runtime", n.ContainerRuntime), text("kubelet", n.KubeletVersion), list("roles", nodeRoles(n.Labels)),
		graph.B("controlPlane", collect.OfControlPlane(n.Labels)),
		criticality(n.Labels, nil))
}

// namespace is the node of a namespace, read or only referred to.
func (c *cluster) namespace(name string) graph.Ref { return c.inCluster("Namespace", name) }

// nodeRef is the node of a machine, read or only referred to.
func (c *cluster) nodeRef(name string) graph.Ref { return c.inCluster("Node", name) }

// inCluster draws what the cluster contains itself, once.
func (c *cluster) inCluster(kind, name string) graph.Ref {
	is := ref.Ref{Kind: kind, Name: name}
	if c.draws(is.ID()) {
		return c.at(is)
	}
	c.put(is)
	r := c.b.Node(kind, is.ID(), graph.S("name", name), graph.S("cluster", c.name))
	c.b.Edge("CONTAINS", c.at(self), r)
	return r
}

func nodeRoles(labels map[string]string) (out []string) {
	for k := range labels {
		if role, ok := strings.CutPrefix(k, "node-role.kubernetes.io/"); ok && role != "" {
			out = append(out, role)
		}
	}
	slices.Sort(out)
	return out
}

// object makes the node of a namespaced object and puts it into its namespace.
func (c *cluster) object(is ref.Ref, props ...graph.Prop) graph.Ref {
	c.put(is)
	r := c.b.Node(is.Kind, is.ID(), graph.S("name", is.Name), graph.S("namespace", is.Namespace), graph.S("cluster", c.name))
	c.b.Set(r, told(props)...)
	c.b.Edge("CONTAINS", c.namespace(is.Namespace), r)
	return r
}

// at is the node of an object that is drawn, or will be.
func (c *cluster) at(is ref.Ref) graph.Ref { return c.b.Ref(is.Kind, is.ID()) }

// referred is object for what may be known only because something refers to it.
func (c *cluster) referred(is ref.Ref) graph.Ref {
	if !c.draws(is.ID()) {
		c.object(is)
	}
	return c.at(is)
}

// seen says whether everything that these graph kinds are made of was read, so
// that what is not there is really not there.
func (c *cluster) seen(kinds ...string) bool {
	for _, g := range c.facts.Gaps {
		if g.Source == "judge" {
			continue
		}
		if slices.ContainsFunc(g.Kinds, func(k string) bool { return slices.Contains(kinds, k) }) {
			return false
		}
	}
	return true
}

const criticalMark = collect.OwnPrefix + "critical"

// criticality reads the mark that people put on what matters most; no mark says nothing.
func criticality(labels, annotations map[string]string) graph.Prop {
	for _, m := range []map[string]string{labels, annotations} {
		if v, marked := m[criticalMark]; marked {
			return graph.B("critical", v != "false")
		}
	}
	return graph.Prop{Name: "critical"}
}

// text is a text property, null where empty.
func text(name, s string) graph.Prop {
	if s == "" {
		return graph.Prop{Name: name}
	}
	return graph.S(name, s)
}

// list is a list property, null where empty.
func list(name string, l []string) graph.Prop {
	if len(l) == 0 {
		return graph.Prop{Name: name}
	}
	return graph.L(name, l)
}

// maybe is a flag that may not be known.
func maybe(name string, b *bool) graph.Prop {
	if b == nil {
		return graph.Prop{Name: name}
	}
	return graph.B(name, *b)
}

// flagged is a flag that is told only where it is set.
func flagged(name string, set bool) graph.Prop {
	if !set {
		return graph.Prop{Name: name}
	}
	return graph.B(name, true)
}

func labelList(m map[string]string) graph.Prop { return list("labels", pairsOf(m)) }

func pairsOf(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k, v := range m {
		out = append(out, k+"="+v)
	}
	slices.Sort(out)
	return out
}

// told drops what is null, which costs the graph a place for nothing.
func told(props []graph.Prop) []graph.Prop {
	return slices.DeleteFunc(props, func(p graph.Prop) bool { return p.IsNull() })
}

// labelsOf is labelList for interned labels, made once for all that share them.
func (c *cluster) labelsOf(l *collect.Labels) graph.Prop {
	if l == nil {
		return graph.Prop{Name: "labels"}
	}
	done, known := c.labels[l]
	if !known {
		done = pairsOf(l.Map)
		c.labels[l] = done
	}
	return list("labels", done)
}

func protocol(p corev1.Protocol) string {
	if p == "" {
		return "TCP"
	}
	return string(p)
}
