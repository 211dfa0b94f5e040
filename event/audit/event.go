// Package audit decodes Kubernetes audit events (audit.k8s.io/v1, v1beta1) into
// events and computes the facts that rules go by: who acts, from where, what
// pods a request makes, which rights it gives. It takes out what must not be
// kept. It knows no rule.
package audit

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/redact"
	"github.com/breakwater-sec/breakwater/ref"
)

// maxObject is the largest object that is looked into. The API server takes no
// request above 3 MiB; larger are lists.
const maxObject = 3 << 20

// maxParts is how many objects the largest may hold: each becomes far more in memory than its two
// brackets are.
const maxParts = 100_000

// Decoder decodes the audit events of one cluster, one body after the other.
type Decoder struct {
	Cluster string
	// Proxies are the load balancers before the API server, whose word on where a
	// request came from counts.
	Proxies []netip.Prefix

	// Provider is whose cluster it is, one of Providers, where that is known. What the log itself shows counts
	// beside it.
	Provider string

	// Envelopes says that events may lie in envelopes of clouds, as in a person's files. What a server took was unpacked
	// before secrets were taken out, and is not again.
	Envelopes bool

	before *before // what the cluster's objects were; made when something is read
	// shown are the providers that the log itself shows, operators those who write the state of custom kinds.
	shown     map[string]bool
	operators *simplelru.LRU[operator, bool]
}

// begin makes of the event of a record what needs no other; text is the record as it came.
func (d *Decoder) begin(r *record, text string) *builder {
	b := &builder{Event: event.Event{
		Cluster: d.Cluster, Source: Source, Time: r.time(), Fields: make(event.Fields, 28), Entities: make([]event.Entity, 0, 4),
		Redact:   func() json.RawMessage { return r.evidence(text) },
		Identify: func() (id, act string) { return hash(d.Cluster, text), r.act(d.Cluster) },
	}, values: make([]string, 0, 32)}
	b.request(r)
	b.actor(r, d.Proxies, d.Provider)
	b.target(r)
	return b
}

// finish judges what was written by what it was before.
func (d *Decoder) finish(r *record, b *builder) event.Event {
	if d.before == nil {
		d.begins()
	}
	d.learn(r)
	if b.provider != "" && b.provider != d.Provider && d.shown[b.provider] {
		b.set("actor.class", cloudManaged)
	}
	if b.operatorOf != "" {
		_, known := d.operators.Get(operator{r.user.name, b.operatorOf})
		b.Object.Claimed = !known
	}
	b.changed(r, d.before)
	b.Unseen = r.unseen(b.unknownPast)
	for _, from := range b.Fields["source.address"] {
		b.entity(event.Related, "Address", "", from, "")
	}
	return b.Event
}

// begins makes what is remembered.
func (d *Decoder) begins() {
	d.before, d.shown = newBefore(), map[string]bool{}
	operators, err := simplelru.NewLRU[operator, bool](maxOperators, nil)
	if err != nil {
		panic(err) // it wants a size above 0
	}
	d.operators = operators
}

// learn notes what a request shows of its cluster.
func (d *Decoder) learn(r *record) {
	if p := r.shows(); p != "" {
		d.shown[p] = true
	}
	if o, ok := r.operates(); ok {
		d.operators.Add(operator{strings.Clone(o.account), strings.Clone(o.group)}, true)
	}
}

// act is what the stages of one request share: not the auditID alone, which a client may
// choose. The moment is the server's.
func (r *record) act(cluster string) string {
	if r.id == "" && r.received == "" {
		return ""
	}
	return hash(cluster, r.id, r.received, r.verb, r.uri, r.user.name)
}

// hash is 128 bits of the parts' SHA-256, as text.
func hash(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		_, _ = h.Write(bytesOf(p)) // a hash takes everything
		_, _ = h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func (r *record) time() time.Time {
	for _, s := range []string{r.staged, r.received} {
		if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// builder fills an event. Values share one slice, so that a field costs none.
type builder struct {
	event.Event
	values  []string
	path    string   // what was asked for, without parameters
	written *written // nil if it wrote nothing that is looked into
	change  *change  // nil if it wrote nothing of which details are read
	// provider is whose component acts if the cluster is that one's, operatorOf the group that who acts must be an
	// operator of for the owner to count.
	provider, operatorOf string
	// unknownPast says that what a pod ran before is not known, and so not whether the request changes it.
	unknownPast bool
}

func (b *builder) set(name string, values ...string) {
	n := len(b.values)
	for _, v := range values {
		if v != "" {
			b.values = append(b.values, v)
		}
	}
	if end := len(b.values); end > n {
		b.Fields[name] = b.values[n:end:end]
	}
}

func (b *builder) flag(name string, is bool) {
	if is {
		b.set(name, "true")
	}
}

func (b *builder) entity(role event.Role, kind, namespace, name, detail string) {
	if name == "" {
		return
	}
	e := event.Entity{Role: role, Kind: kind, Namespace: namespace, Name: name, Detail: detail}
	switch kind {
	case "Image", "Volume", "Address", "Path":
	default:
		e.ID = ref.Ref{Cluster: b.Cluster, Namespace: namespace, Kind: kind, Name: name}.ID()
	}
	b.Entities = append(b.Entities, e)
}

// repeated knows what clients call themselves and why requests were allowed, and labels what
// users chose for many objects: a few texts, again and again.
var repeated, labels redact.Memo

func (b *builder) request(r *record) {
	b.set("verb", r.verb)
	b.set("level", r.level)
	b.set("stage", r.stage)
	path, uri := harmlessURI(r.uri)
	b.path = path
	b.set("requestURI", uri)
	b.set("request.path", path)
	b.set("userAgent", repeated.Text(r.agent))
	b.set("sourceIPs", r.addresses...)
	b.set("user.username", r.user.name)
	b.set("user.groups", r.user.groups...)
	b.set("impersonatedUser.username", r.as.name)
	b.set("impersonatedUser.groups", r.as.groups...)
	b.set("objectRef.resource", r.ref.resource)
	b.set("objectRef.subresource", r.ref.subresource)
	b.set("objectRef.apiGroup", r.ref.group)
	b.set("objectRef.namespace", r.ref.namespace)
	b.set("objectRef.name", r.ref.name)
	b.set("responseStatus.code", r.code)
	b.set("authorization.decision", r.decision)
	b.set("authorization.reason", repeated.Text(r.reason))
	b.set("outcome", r.outcome())
}

func (b *builder) actor(r *record, proxies []netip.Prefix, provider string) {
	b.set("actor.class", r.user.class(provider))
	b.flag("actor.clusterAdmin", r.holdsClusterAdmin())
	b.provider = r.user.provider()
	b.set("actor.name", r.user.name)
	from, claimed := source(r.addresses, proxies)
	b.set("source.address", from)
	b.set("source.class", addressClass(from))
	b.set("source.claimed", claimed...)
	detail := ""
	if r.as.name != "" {
		detail = "acting as " + r.as.name
	}
	if namespace, name, ok := r.user.account(); ok {
		b.set("actor.namespace", namespace)
		b.entity(event.Actor, "ServiceAccount", namespace, name, detail)
	} else {
		b.entity(event.Actor, "User", "", r.user.name, detail)
	}
}

// target names what the request is about and reads what it wrote.
func (b *builder) target(r *record) {
	kind, name := kindOf(r.ref.resource), r.ref.name
	var w *written
	if r.writes() {
		w = r.written()
	}
	if w != nil {
		if r.ref.subresource == "" && w.Kind != "" && len(w.Kind) < 64 {
			kind = w.Kind
		}
		if name == "" {
			name = w.Metadata.Name
			b.set("objectRef.name", name)
		}
		b.link(r, w, kind, name)
	}
	b.entered(r)
	switch {
	case r.ref.resource == "":
		b.entity(event.Target, "Path", "", b.path, "")
	case name == "":
		b.entity(event.Target, kind, r.ref.namespace, "*", "")
	default:
		b.entity(event.Target, kind, r.ref.namespace, name, "")
	}
	b.set("object.kind", kind)
	b.entity(event.Place, "Namespace", "", r.ref.namespace, "")
	b.written, b.change = w, r.details()
	b.tokenOf(r)
}

// changed tells what a request changed.
func (b *builder) changed(r *record, before *before) {
	if w := b.written; w != nil && r.judged() {
		if resource := r.podResource(); resource != "" && (r.verb != "patch" || r.answered()) {
			b.infrastructure(w.pod(resource))
		}
		known := before.changed(r, w)
		if !known && r.verb != "create" {
			b.set("change.unknown", "how it was before is not known, so all that the request states counts")
		}
		asked := r.asked()
		b.pods(r, w, asked, known)
		b.rights(r, w, asked)
		b.volume(r, w, asked)
	}
	b.detail(r, before)
}

// link notes what was written and by what it is owned.
func (b *builder) link(r *record, w *written, kind, name string) {
	uid := w.Metadata.UID
	if uid == "" {
		uid = r.ref.uid
	}
	if o := b.Fields["outcome"]; uid != "" && (len(o) == 0 || o[0] == "success") {
		owner, ownerKind, group := r.owner(&w.Metadata)
		b.operatorOf = group
		b.Object = &event.Object{UID: uid, Kind: kind, Namespace: r.ref.namespace, Name: name, Owner: owner, OwnerKind: ownerKind}
	}
}

// pods tells of the pods that a request makes.
func (b *builder) pods(r *record, w, asked *written, known bool) {
	resource := r.podResource()
	if resource == "" {
		return
	}
	p := w.pod(resource)
	if p == nil {
		return
	}
	if asked != nil {
		p = p.only(asked.pod(resource))
	}
	switch {
	case r.ref.subresource == "ephemeralcontainers": // the others were there before
		p.Containers, p.InitContainers = nil, nil
	case resource == "pods" && r.verb != "create":
		b.unknownPast = !known && asked == nil && p.gives()
		p = p.programs(known || asked != nil)
	}
	b.set("pod.serviceAccount", p.ServiceAccountName)
	b.flag("pod.hostNetwork", is(p.HostNetwork))
	b.flag("pod.hostPID", is(p.HostPID))
	b.flag("pod.hostIPC", is(p.HostIPC))
	b.set("pod.node", p.NodeName)
	b.flag("pod.mirror", w.Metadata.mirror != "" && r.user.node() != "" && strings.HasSuffix(w.Metadata.Name, "-"+r.user.node()))
	b.flag("pod.mirrorClaimed", w.Metadata.mirror != "")
	b.entity(event.Related, "ServiceAccount", r.ref.namespace, p.ServiceAccountName, "")
	b.containers(p)
	b.hostPaths(p.mounts())
}

func (b *builder) containers(p *podSpec) {
	var names, images, commands, privileged, reprogrammed, capabilities []string
	for _, c := range p.all() {
		names = append(names, c.Name)
		images = append(images, c.Image)
		commands = append(commands, strings.Join(commandLine(c.Command, nil), " "))
		capabilities = append(capabilities, c.SecurityContext.Capabilities.Add...)
		if c.privileged() {
			privileged = append(privileged, cmp.Or(c.Name, "one that the request does not name"))
		}
		if c.reprogrammed {
			reprogrammed = append(reprogrammed, c.Name)
		}
	}
	b.set("container.name", names...)
	b.set("container.command", commands...)
	b.set("container.privileged", privileged...)
	b.set("container.reprogrammed", reprogrammed...)
	b.set("container.addedCapability", unique(capabilities)...)
	images = unique(images)
	b.set("container.image", images...)
	for _, i := range images {
		b.entity(event.Related, "Image", "", i, "")
	}
}

func (b *builder) hostPaths(mounts []mount) {
	type told struct{ name, path string }
	all, have := map[string][]string{}, map[told]bool{}
	for _, m := range mounts {
		add := func(name string, is bool) {
			if is && !have[told{name, m.path}] {
				have[told{name, m.path}] = true
				all[name] = append(all[name], m.path)
			}
		}
		add("container.hostPath", true)
		add("container.sensitiveHostPath", m.sensitive)
		add("container.writableSensitiveHostPath", m.sensitive && m.writable)
		add("container.privilegedSensitiveHostPath", m.sensitive && m.powered)
		access := "read-only"
		if m.writable {
			access = "writable"
		}
		b.entity(event.Related, "Volume", "", m.volume, m.path+" of the node, "+access+", in container "+m.container)
	}
	for name, paths := range all {
		b.set(name, paths...)
	}
}

func (b *builder) rights(r *record, w, asked *written) {
	if !r.isRights() {
		return
	}
	if asked != nil {
		w.only(&asked.rights)
	}
	w.RoleRef = w.roleOf(r)
	b.set("role.verb", w.verbs()...)
	b.set("role.resource", w.resources()...)
	b.set("role.grant", w.grants()...)
	b.flag("role.everything", w.everything())
	if ref := w.RoleRef; ref != nil {
		b.set("binding.role", ref.Name)
		b.set("binding.roleKind", ref.Kind)
		b.flag("binding.clusterAdmin", ref.Kind == "ClusterRole" && ref.Name == clusterAdmin)
		b.entity(event.Related, ref.Kind, "", ref.Name, "")
	}
	b.set("binding.subject", w.subjects()...)
	for _, s := range w.Subjects {
		b.entity(event.Related, s.Kind, s.Namespace, s.Name, "is given the role")
	}
}

// volume tells which folders of a node a PersistentVolume opens.
func (b *builder) volume(r *record, w, asked *written) {
	if !r.isVolume() || asked != nil && len(asked.folders()) == 0 {
		return
	}
	folders := w.folders()
	b.set("volume.hostPath", folders...)
	b.set("volume.sensitiveHostPath", slices.DeleteFunc(slices.Clone(folders), func(f string) bool { return !sensitive(f) })...)
}
