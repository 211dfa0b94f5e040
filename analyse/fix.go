package analyse

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/rbac"
	"github.com/breakwater-sec/breakwater/vuln"
)

// Kinds of fixes.
const (
	fixImage    = "image"
	fixExposure = "exposure"
	fixRule     = "rule"
	fixGrant    = "permission"
)

// entryFixes are those of the way in.
func (w *writer) entryFixes() {
	switch f := w.foothold; {
	case f.class == Assumed, f.anonymous, f.class == SupplyChain && len(f.entered.edges) == 0:
	case f.class == SupplyChain:
		w.ruleFixes(&f.entered, len(f.entered.rules))
	case f.class == Possible:
		w.unreadFix()
		w.exposureFixes()
	case w.open():
		w.ruleFixes(&f.entered, len(f.entered.rules))
		w.exposureFixes()
	default:
		v := w.weakness()
		for _, image := range v.images {
			if f.opens(image) { // else it does not open the path
				w.fix(w.imageFix(image, v))
			}
		}
		w.exposureFixes()
	}
}

// fixes lists what ends the path, what ends most first, and what only lowers its risk.
func (w *writer) fixes(hops []*hop, k *sketch) {
	from := int32(0)
	for i, st := range hops {
		to := k.fixedAt(i)
		only := k.pic.only(from, to, k.goal)
		if len(st.rules) > 0 {
			w.ruleFixes(st, only)
		} else if st.edge == "CAN_TALK_TO" {
			w.talkFix(st, only > 0)
		} else if st.edge == "HOLDS" && len(st.edges) > 0 {
			w.grantFix(st, only > 0, only == 0 && w.grantedAtOnce(st, from, k.pic, k.goal))
		}
		from = to
	}
	slices.SortStableFunc(w.path.Fixes, func(a, b Fix) int { return strings.Compare(a.Effect, b.Effect) }) // breaks before lowers
}

// unreadFix asks for what would say whether the path is one.
func (w *writer) unreadFix() {
	c := w.foothold.entered.members[0]
	w.fix(Fix{Kind: fixImage, Title: "Have the image of container " + c.Text("name") + " judged",
		Text: sentence(unread(c)) + " Scan it, or build it so that all of it can be read: then it is known whether something in it lets an " +
			"attacker in.", Concerns: []string{kindID(c)}})
}

// talkFix lets fewer pods connect to what listens.
func (w *writer) talkFix(st *hop, only bool) {
	e := st.edges[0]
	f := Fix{Kind: fixExposure, Title: "Let fewer pods connect to " + e.To.Text("name"), Concerns: []string{kindID(e.To)}}
	for listens := range e.To.In("LISTENS_AS") {
		for runs := range listens.From.In("RUNS") {
			f.Concerns = merged(f.Concerns, []string{kindID(runs.From)})
		}
		if len(f.Concerns) > maxMembers {
			break
		}
	}
	f.Text = "Select the pods that listen by a NetworkPolicy that lets in, on " + strings.Join(some(e.Value("ports").List()), ", ") +
		", only the pods that must connect. It protects only where the cluster's network plugin enforces policies."
	if only {
		f.Effect = Breaks
	}
	f.endings = w.endingsOf(st.edges, "")
	w.fix(f, e.To.ID())
}

// grantFix takes a permission from who holds it.
func (w *writer) grantFix(st *hop, only, atOnce bool) {
	e := st.edges[0]
	f := Fix{Kind: fixGrant, Title: "Take the permission \"" + cmp.Or(e.To.Text("name"), e.To.ID()) + "\" from " + nameOf(e.From),
		Concerns: []string{kindID(e.From), kindID(e.To)}}
	f.Text = f.Title + "."
	ended, again := st.edges[:1], e.Value("elsewhere").Bool()
	at := []string{w.groupOf(e.From).id}
	if binding, role := e.Value("binding").Str(), e.Value("role").Str(); binding != "" {
		f.Text = fmt.Sprintf("%s grants it by %s: bind a role with only what is used, or remove the binding.", binding, role)
		if again {
			f.Text += " Another binding gives it, or a part of it, too."
		}
		if atOnce && len(st.edges) == 1 {
			f.Title = "Remove the grants of " + binding + " to " + nameOf(e.From)
			ended = slices.Collect(e.From.Out("HOLDS"))
		}
		f.grants = []rbac.Grant{{Subject: subjectOf(e.From), Binding: binding}}
		f.endings, at = w.endingsOf(ended, ""), append(at, binding)
	}
	if (only || atOnce) && len(st.edges) == 1 && !again {
		f.Effect = Breaks
	}
	w.fix(f, at...)
}

// grantedAtOnce says that every route to a goal goes on from an identity by what one
// binding grants it: without the binding there is none.
func (w *writer) grantedAtOnce(st *hop, identity int32, pic *picture, goal int32) bool {
	if !pic.passes(goal, identity) || pic.acts(identity) {
		return false // a technique leads on, too
	}
	binding := st.edges[0].Value("binding").Str()
	if binding == "" {
		return false
	}
	for e := range st.edges[0].From.Out("HOLDS") {
		if e.Value("binding").Str() != binding || e.Value("elsewhere").Bool() {
			return false
		}
	}
	return true
}

// fix notes a fix; at is what it is done to, told by groups.
func (w *writer) fix(f Fix, at ...string) {
	if f.Effect != Breaks {
		f.Effect = Lowers
	}
	w.path.Fixes = append(w.path.Fixes, f.named(at))
}

// maxUpdates is how many package updates a fix spells out.
const maxUpdates = 10

// imageFix moves one image to packages without what opens the path.
func (w *writer) imageFix(image graph.Node, v weakness) Fix {
	f := Fix{Kind: fixImage, Title: "Resolve the vulnerabilities of image " + cmp.Or(image.Text("name"), image.ID()),
		Concerns: []string{kindID(image)}}
	var updates []string
	open, target := 0, updatesOf(image)
	for _, each := range v.list {
		name := strings.TrimSuffix(each.Package, " "+each.Installed)
		switch {
		case each.Image != image.ID():
		case each.Fixed == "":
			open++
		default:
			updates = merged(updates, []string{fmt.Sprintf("%s from %s to %s", name, each.Installed,
				cmp.Or(target[name+" "+each.Installed], each.Fixed))})
		}
	}
	more := ""
	if len(updates) > maxUpdates {
		more = fmt.Sprintf(" and %d more", len(updates)-maxUpdates)
		updates = updates[:maxUpdates]
	}
	if len(updates) > 0 {
		f.Text = "Build the image again with " + strings.Join(updates, "; ") + more + ", then roll out the workload."
	}
	if open > 0 {
		f.Text = strings.TrimSpace(f.Text + fmt.Sprintf(" No fix has been published yet for %s of those that open the path.",
			plural(open, "vulnerability")))
	}
	if f.Text == "" {
		f.Text = "Build the image again with packages in which its vulnerabilities are fixed, then roll out the workload."
	}
	if len(w.foothold.entered.rules) == 1 && len(v.images) == 1 && open == 0 && len(updates) > 0 && v.total <= len(v.list) {
		f.Effect, f.endings = Breaks, append(w.endingsOf(w.foothold.entered.edges, ""), exploiting(image)...)
	}
	return f
}

// exploiting are the steps by which a client takes over what uses an image.
func exploiting(image graph.Node) (out []ending) {
	for use := range image.In("USES_IMAGE") {
		for e := range use.From.In("CAN_EXECUTE_IN") {
			if e.From.Kind() == "NetClass" && slices.Contains(e.Value("witness").List(), kindID(image)) {
				out = append(out, endingOf(e))
			}
		}
	}
	return out
}

// updatesOf is, by name and version, the version of each package of an image that
// fixes all that a fix is known for in what is built from its source: the one that is recommended.
func updatesOf(image graph.Node) map[string]string {
	targets, not := map[string]string{}, dismissedIn(image)
	for e := range image.Out("HAS_PACKAGE") {
		p := e.To
		for affected := range p.Out("AFFECTED_BY") {
			of, fixed := sourceOf(p), affected.Value("fixed").Str()
			if fixed != "" && !not[dismissalOf(affected)] &&
				(targets[of] == "" || newer(p.Text("ecosystem"), fixed, targets[of]) > 0) {
				targets[of] = fixed
			}
		}
	}
	out := map[string]string{}
	for e := range image.Out("HAS_PACKAGE") {
		if to := targets[sourceOf(e.To)]; to != "" {
			out[nameVersion(e.To)] = to
		}
	}
	return out
}

// newer orders versions as their ecosystem does; those it cannot read as text.
func newer(ecosystem, a, b string) int {
	if n, err := vuln.Compare(ecosystem, a, b); err == nil {
		return n
	}
	return cmp.Compare(a, b)
}

// OffHostNetwork is the title of the fix of pods that answer on their nodes' addresses.
const OffHostNetwork = "Take the pods off their nodes' network"

// exposureFixes close the ways in: each at the object through which the cluster
// is entered, and at the pod itself.
func (w *writer) exposureFixes() {
	on, through := map[string]int{}, map[string][]ending{}
	var doors []Thing
	var host []ending
	hosts, kubelets := 0, 0
	for _, a := range w.foothold.arrivals {
		if a.way == byKubelet {
			kubelets++
		}
		if a.way == byHostNetwork {
			hosts++
			host = append(host, w.endingsOf(a.hops[len(a.hops)-1].edges, "")...)
		}
		for _, h := range a.hops[:min(1, len(a.hops)-1)] {
			through[h.group.id] = append(through[h.group.id], w.endingsOf(h.edges, "")...)
			if on[h.group.id]++; on[h.group.id] == 1 {
				doors = append(doors, w.thing(h.group, h.members))
			}
		}
	}
	for _, t := range doors {
		w.exposureFix(Fix{Title: "Narrow the exposure through " + spoken(t), Text: narrowing(t), Concerns: concerning(t),
			endings: through[t.ID]}, on[t.ID], t.ID)
	}
	pod := w.podThing()
	if hosts > 0 {
		w.exposureFix(Fix{Title: OffHostNetwork, Concerns: concerning(pod), endings: host,
			Text: fmt.Sprintf("Remove `hostNetwork: true` from %s in namespace %s, and expose the port by a Service if it is needed.",
				owned(pod), pod.Namespace)}, hosts, pod.ID)
	}
	if hosts+kubelets < len(w.foothold.arrivals) { // a policy of pods does not reach what nodes do
		w.exposureFix(Fix{Title: "Restrict who may connect with a NetworkPolicy", Concerns: concerning(pod),
			Text: fmt.Sprintf("Select the pods of %s in namespace %s by a NetworkPolicy that lets in only who must connect. It protects "+
				"only where the cluster's network plugin enforces policies.",
				owned(pod), pod.Namespace)}, 0, pod.ID)
	}
}

// exposureFix adds a fix that closes some of the ways in.
func (w *writer) exposureFix(f Fix, closes int, at string) {
	f.Kind = fixExposure
	switch ways := len(w.foothold.arrivals); {
	case closes == ways:
		f.Effect = Breaks
	case closes > 0:
		f.Text += fmt.Sprintf(" Traffic arrives in %s; this closes %d of them.", plural(ways, "way"), closes)
	}
	w.fix(f, at)
}

// subjectOf is the identity of the graph as RBAC names it.
func subjectOf(n graph.Node) rbac.Subject {
	return rbac.Subject{Kind: n.Kind(), Namespace: n.Text("namespace"), Name: n.Text("name")}
}

func (w *writer) podThing() Thing {
	i := slices.IndexFunc(w.path.Nodes, func(t Thing) bool { return t.Kind == "Pod" })
	return w.path.Nodes[i]
}

func owned(t Thing) string { return strings.Replace(t.Workload, "/", " ", 1) }

func concerning(t Thing) (out []string) {
	for _, id := range t.Members {
		out = append(out, t.Kind+" "+id)
	}
	return out
}

// narrowing says how an object of a kind stops carrying traffic from anywhere.
func narrowing(t Thing) string {
	switch t.Kind {
	case "Ingress":
		return fmt.Sprintf("Remove ingress %s/%s or the rule that leads here, require authentication in front of it, or allow only "+
			"known addresses.", t.Namespace, t.Name)
	case "Service":
		return fmt.Sprintf("Make service %s/%s of type ClusterIP if only the cluster uses it, or list the allowed addresses in "+
			"spec.loadBalancerSourceRanges.", t.Namespace, t.Name)
	case "Node":
		return "Close the port to the internet in the firewall in front of " + spoken(t) +
			", or stop using the host's network and host ports."
	}
	return "Close the way through " + spoken(t) + "."
}

// ruleFixes end a technique: where another way leads to the target, or several
// techniques to the same place, each alone only lowers the risk. Several that are the
// only ways end the path together. techniques is how many make the step that every
// route takes, 0 if some take another.
func (w *writer) ruleFixes(h *hop, techniques int) {
	if h.fixes == nil {
		w.reader.apart(&h.record, func() { h.fixes = w.fixesOf(h) })
	}
	for i, f := range h.fixes {
		together := i == len(h.rules)
		if together && techniques != len(h.rules) {
			continue
		}
		if together || techniques == 1 && len(h.rules) == 1 {
			f.Effect = Breaks
		}
		w.path.Fixes = append(w.path.Fixes, f)
	}
}

// fixesOf are those of each technique that makes a hop, and of several together.
func (w *writer) fixesOf(h *hop) (out []Fix) {
	together := Fix{Kind: fixRule, Effect: Lowers, Together: h.rules}
	var titles []string
	for _, id := range h.rules {
		t, e := w.rules.byID[id], h.by(id)
		f := Fix{Kind: fixRule, Rule: id, Title: t.fixTitle, Text: t.fixText, Effect: Lowers}
		f.Concerns = merged([]string{kindID(e.From)}, e.Value("witness").List())
		if because := w.facts.of(t, e); len(because) > 0 {
			f.Text += " It rests on this: " + because[0].Text + "."
		}
		f.endings = w.endingsOf(h.edges, id)
		together.endings = append(together.endings, f.endings...)
		titles, together.Concerns = merged(titles, []string{f.Title}), merged(together.Concerns, f.Concerns)
		out = append(out, f.named(w.proofs(e)))
	}
	if len(h.rules) < 2 {
		return out
	}
	together.Title = "All together: " + strings.Join(titles[:min(len(titles), maxTogether)], "; ")
	if more := len(titles) - maxTogether; more > 0 {
		together.Title += fmt.Sprintf("; and %d more", more)
	}
	together.Text = fmt.Sprintf("Each of %d techniques leads there: only all of these fixes together end the path.", len(h.rules))
	return append(out, together.named([]string{w.groupOf(h.edges[0].From).id}))
}

// maxTogether is how many fixes the title of a joint one names.
const maxTogether = 3

// clause is the first clause of a text, as a title. What stands between backquotes is
// one word, dots and all.
func clause(s string) string {
	s = oneLine(s)
	quoted := false
	for i, r := range s {
		switch {
		case r == '`':
			quoted = !quoted
		case i > 0 && !quoted && strings.ContainsRune(",;.", r):
			return s[:i]
		}
	}
	return s
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
