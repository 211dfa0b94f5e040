package netpol

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
)

// Listener is a pod with ports that something in it listens on.
type Listener struct {
	Pod   *collect.Pod
	Ports []Port
}

// Talk is who inside the cluster can connect to listeners. Pods that no policy tells
// apart are one class, as senders, and listeners that no policy tells apart on the same
// ports another, so links are as many as policies tell apart and not as pods are.
type Talk struct {
	// Senders are the classes of senders; one pod may be of several, of which each
	// adds links.
	Senders []TalkClass
	// Receivers are the classes of listeners; Of tells the class of each of them.
	Receivers []TalkClass
	Of        []int
	Links     []TalkLink
	// Unjudged is how many listening classes were not held against the policies: there
	// were too many. They are linked with everybody, as not certain.
	Unjudged int
}

// TalkClass is pods that policies treat alike, in one direction.
type TalkClass struct {
	// Mark tells the class from others, as long as policies and labels stay.
	Mark string
	// Whole says in words who they are, where a class holds pods of others.
	Whole string
	Pods  []*collect.Pod
	// Ports are those of the listeners; none for senders.
	Ports []Port
	// Unrestricted is true where no policy restricts the direction.
	Unrestricted bool

	hosts  bool // pods on the network of their nodes
	nodes  map[string]bool
	placed bool
}

// TalkLink says that senders can connect to listeners on some of their ports.
type TalkLink struct {
	From, To int
	Ports    []Port
	// Uncertain says what is not known and may prevent it; empty if nothing.
	Uncertain string
}

// maxVerdicts bounds how many pairs of classes are judged.
const maxVerdicts = 1 << 20

// Talk finds who can connect to listeners. What policies deny is open where nothing
// enforces them, and uncertain where it is not known whether something does; policies
// of kinds that were not seen or cannot be read make all that is open uncertain.
func (j *Judge) Talk(listeners []Listener) *Talk { return j.talk(listeners, maxVerdicts) }

func (j *Judge) talk(listeners []Listener, most int) *Talk {
	if j.enforcement.State == No {
		j = &Judge{facts: j.facts, namespaces: j.namespaces, selecting: map[subject]selection{}, enforcement: j.enforcement}
	}
	t := &talking{Talk: &Talk{Of: make([]int, len(listeners))}, judge: j, marks: j.newMarks(), unseen: j.unseen(), most: most,
		unjudged: map[int]bool{}}
	t.senders()
	t.receivers(listeners)
	t.link()
	t.drop()
	return t.Talk
}

// talking is one run of Talk.
type talking struct {
	*Talk
	judge  *Judge
	marks  *marks
	unseen string // what was not seen of policies, or ""
	// sending and listening are the classes with pods of a namespace.
	sending, listening map[string][]int
	verdicts, most     int
	unjudged           map[int]bool // receivers
}

// unseen says of which policies nothing is known although some may be enforced.
func (j *Judge) unseen() string {
	if j.enforcement.State == No {
		return ""
	}
	for _, resource := range policyResources {
		if _, unseen := j.facts.Unseen(resource); unseen {
			return resource + " were not seen and may forbid it"
		}
	}
	for _, resource := range unreadPolicies {
		if j.facts.Unread[resource] != 0 {
			return "policies of kind " + resource + " are not interpreted and may forbid it"
		}
	}
	return ""
}

// talker is what policies can tell pods apart by.
type talker struct {
	subject
	shape *collect.PodShape
	place string
}

func (t *talking) talker(p *collect.Pod) talker {
	return talker{subjectOf(p), p.Shape, t.marks.place(p)}
}

// Classes that hold pods of others: those whose egress nothing restricts, for the
// listeners that take all, the rest of them, and every pod, for what nobody can judge.
const (
	free = iota
	bound
	everyPod
	others
)

// senders makes a class for each that listeners may tell apart, and those.
func (t *talking) senders() {
	t.sending = map[string][]int{}
	t.Senders = []TalkClass{
		free:     {Mark: "free", Whole: "the pods that no policy keeps from connecting", Unrestricted: true},
		bound:    {Mark: "bound", Whole: "the pods whose egress some policy restricts"},
		everyPod: {Mark: "every", Whole: "all pods"}}
	at, known := map[string]int{}, map[talker]int{}
	for _, p := range sortedPods(t.judge.facts) {
		t.judge.namespaceLabels(p.Namespace) // a namespace may be known by its pods only
		k := t.talker(p)
		i, seen := known[k]
		if !seen {
			mark := t.marks.sender(p)
			if i, seen = at[mark]; !seen {
				i = len(t.Senders)
				at[mark] = i
				t.Senders = append(t.Senders, TalkClass{Mark: mark, Unrestricted: !t.judge.restricted(p, Egress), hosts: hostNetwork(p),
					placed: true, nodes: map[string]bool{}})
			}
			known[k] = i
			t.sending[p.Namespace] = appendOnce(t.sending[p.Namespace], i)
		}
		t.Senders[i].add(p)
		t.Senders[everyPod].Pods = append(t.Senders[everyPod].Pods, p)
		whole := bound
		if t.Senders[i].Unrestricted {
			whole = free
		}
		t.Senders[whole].Pods = append(t.Senders[whole].Pods, p)
	}
}

// sortedPods are those that may run, by name.
func sortedPods(f *collect.Facts) []*collect.Pod {
	out := make([]*collect.Pod, 0, len(f.Pods))
	for _, p := range f.Pods {
		if p.Shape != nil && p.Phase != "Succeeded" && p.Phase != "Failed" {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *collect.Pod) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	return out
}

func appendOnce(all []int, i int) []int {
	if slices.Contains(all, i) {
		return all
	}
	return append(all, i)
}

func (c *TalkClass) add(p *collect.Pod) {
	c.Pods = append(c.Pods, p)
	c.nodes[p.Node] = true
	c.placed = c.placed && placed(p)
}

// receivers puts listeners into classes by what policies tell of their pods, and their ports.
func (t *talking) receivers(listeners []Listener) {
	t.listening = map[string][]int{}
	at, known := map[string]int{}, map[talker]string{}
	for n, l := range listeners {
		k := t.talker(l.Pod)
		mark, seen := known[k]
		if !seen {
			mark = t.marks.receiver(l.Pod)
			known[k] = mark
		}
		own := fmt.Sprint(mark, "|", l.Ports)
		i, there := at[own]
		if !there {
			i = len(t.Receivers)
			at[own] = i
			t.Receivers = append(t.Receivers, TalkClass{Mark: own, Ports: l.Ports, Unrestricted: !t.judge.restricted(l.Pod, Ingress),
				hosts: hostNetwork(l.Pod), placed: true, nodes: map[string]bool{}})
		}
		t.Of[n] = i
		t.Receivers[i].add(l.Pod)
		t.listening[l.Pod.Namespace] = appendOnce(t.listening[l.Pod.Namespace], i)
	}
}

// restricted says whether policies, known or not to be enforced, restrict a direction of a pod.
func (j *Judge) restricted(p *collect.Pod, d Direction) bool {
	return slices.ContainsFunc(slices.Concat(j.selection(p)...), func(c *policy) bool { return c.restricts(d) || len(c.rules(d)) > 0 })
}

// link judges the pairs that policies may allow: each listener that is restricted with
// those its rules may mean, each restricted sender with the listeners that take all.
func (t *talking) link() {
	var all, restricted, open []int
	for i := range t.Senders[others:] {
		all = append(all, others+i)
	}
	for k, r := range t.Receivers {
		denied := everyPod
		if r.Unrestricted {
			denied, open = bound, append(open, k)
			t.add(free, k, r.Ports, "")
		} else {
			restricted = append(restricted, k)
		}
		if t.judge.enforcement.State == Unknown {
			t.add(denied, k, r.Ports, "policies may deny it, and whether anything enforces them is not known")
		}
	}
	for _, k := range restricted {
		t.judgeAll(t.meant(t.Receivers[k].Pods[0], Ingress, t.sending, all), []int{k})
	}
	for _, i := range all {
		if s := t.Senders[i]; !s.Unrestricted {
			t.judgeAll([]int{i}, t.meant(s.Pods[0], Egress, t.listening, open))
		}
	}
}

// judgeAll links each of some senders with each of some listeners, as policies say.
func (t *talking) judgeAll(from, to []int) {
	ports := 0
	for _, k := range to {
		ports += 1 + len(t.Receivers[k].Ports)/4 // each is asked about, and told with each link
	}
	if t.verdicts += len(from) * ports; t.verdicts > t.most {
		for _, k := range to {
			if !t.unjudged[k] {
				t.unjudged[k] = true
				t.Unjudged++
				t.add(everyPod, k, t.Receivers[k].Ports, "there are too many policies to tell who they let connect")
			}
		}
		return
	}
	for _, i := range from {
		for _, k := range to {
			t.pair(i, k)
		}
	}
}

// pair links two classes by the ports that both sides' policies leave open.
func (t *talking) pair(i, k int) {
	from, to := &t.Senders[i], &t.Receivers[k]
	out := t.judge.verdict(from.Pods[0], Pod(to.Pods[0]), to.Pods[0], Egress)
	in := t.judge.verdict(to.Pods[0], Pod(from.Pods[0]), to.Pods[0], Ingress)
	surely, perhaps := certain(out).And(certain(in)), allowed(out).And(allowed(in))
	var sure, unsure, closed []Port
	for _, p := range to.Ports {
		switch {
		case surely.Contains(p):
			sure = append(sure, p)
		case perhaps.Contains(p):
			unsure = append(unsure, p)
		default:
			closed = append(closed, p)
		}
	}
	switch {
	case len(sure) > 0:
		t.add(i, k, sure, "")
	case len(unsure) > 0:
		t.add(i, k, unsure, doubtOf(out, in))
	case from.hosts != to.hosts && from.overlaps(to):
		t.add(i, k, closed, "policies deny it, and do not keep a node and the pods that run on it apart")
	}
}

// certain are the ports that policies surely allow.
func certain(pieces []piece) (out Ports) {
	for _, p := range pieces {
		if p.allowed && p.uncertain == "" {
			out = out.Or(p.ports)
		}
	}
	return out
}

func doubtOf(sides ...[]piece) string {
	for _, pieces := range sides {
		for _, p := range pieces {
			if p.allowed && p.uncertain != "" {
				return p.uncertain
			}
		}
	}
	return "what policies mean for it is not known"
}

// overlaps says whether pods of both may run on one node.
func (c *TalkClass) overlaps(o *TalkClass) bool {
	if !c.placed || !o.placed {
		return true
	}
	for n := range c.nodes {
		if o.nodes[n] {
			return true
		}
	}
	return false
}

func (t *talking) add(from, to int, ports []Port, uncertain string) {
	if len(ports) > 0 {
		t.Links = append(t.Links, TalkLink{from, to, ports, cmp.Or(uncertain, t.unseen)})
	}
}

// meant are the classes that rules about a pod may mean: where they name namespaces,
// those with pods in them. byNamespace holds the classes with pods of a namespace.
func (t *talking) meant(p *collect.Pod, d Direction, byNamespace map[string][]int, all []int) []int {
	if t.judge.doubted(p) != "" || hostNetwork(p) {
		return all
	}
	in := map[string]bool{}
	for _, c := range slices.Concat(t.judge.selection(p)...) {
		if c.kind != "NetworkPolicy" {
			return all // it may deny some what others allow to all
		}
		for _, r := range c.rules(d) {
			if r.anyone || len(r.blocks)+len(r.perhaps) > 0 {
				return all
			}
			for _, of := range r.peers {
				t.namespacesOf(of, in)
			}
		}
	}
	ok := map[int]bool{}
	for ns := range in {
		for _, i := range byNamespace[ns] {
			ok[i] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(i int) bool {
		return !ok[i] && !(d == Ingress && t.Senders[i].hosts) && !(d == Egress && t.Receivers[i].hosts)
	})
}

// namespacesOf adds the namespaces that a peer may mean.
func (t *talking) namespacesOf(p peer, in map[string]bool) {
	if p.namespaces == nil {
		in[p.namespace] = true
		return
	}
	for ns := range t.judge.namespaces {
		if p.namespaces.Matches(t.judge.namespaceLabels(ns)) {
			in[ns] = true
		}
	}
}

// drop leaves out classes of senders that nothing links.
func (t *talking) drop() {
	to := make([]int, len(t.Senders))
	linked := make([]bool, len(t.Senders))
	for _, l := range t.Links {
		linked[l.From] = true
	}
	var kept []TalkClass
	for i, c := range t.Senders {
		if linked[i] && len(c.Pods) > 0 {
			to[i] = len(kept)
			kept = append(kept, c)
		} else {
			linked[i] = false
		}
	}
	t.Links = slices.DeleteFunc(t.Links, func(l TalkLink) bool { return !linked[l.From] })
	for i := range t.Links {
		t.Links[i].From = to[t.Links[i].From]
	}
	t.Senders = kept
}
