package runtime

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/ref"
)

// Place is where a container runs, as told by the caller, who knows the cluster. Ids are
// the graph's.
type Place struct {
	Namespace, Pod, Workload    string
	Container, Image            string
	PodID, ContainerID, ImageID string
	// Node is where the cluster placed the pod; empty if it has not told.
	Node string
	// Privileged is what the pod's spec says of the container; false if the
	// container within the pod is not known.
	Privileged bool
}

// builder fills an event.
type builder struct {
	event.Event
	record  *Record
	program program
	lineage lineage
	place   Place
	placed  bool
}

// event makes one of a program's start; line is the record as it came.
func (d *Decoder) event(into *Batch, r *Record, line []byte) event.Event {
	clean(r)
	b := builder{record: r, program: programOf(r.Process), lineage: lineageOf(r)}
	b.Event = event.Event{ID: hash(d.Cluster, line), Cluster: d.Cluster, Source: Source, Time: r.Time.UTC(),
		Fields: make(event.Fields, 32), Redact: r.evidence}
	if r.Container != nil && r.Container.ID != "" && d.Place != nil {
		b.place, b.placed = d.Place(r.Container)
		if b.place.Node != "" && b.place.Node != r.Node { // nothing of the record is said of that pod
			into.elsewhere(Elsewhere{r.Node, b.place.Node, b.place.Namespace, b.place.Pod})
			b.place, b.placed = Place{}, false
		}
	}
	b.process()
	b.ancestry()
	b.set("process.place", b.where())
	if r.Container != nil && r.Container.ID != "" {
		b.container()
	}
	b.entities()
	return b.Event
}

func hash(cluster string, line []byte) string {
	h := sha256.New()
	h.Write([]byte(cluster))
	h.Write([]byte{0})
	h.Write(line)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// evidence is the record without secrets: only members that are understood were
// read, and arguments were cleaned then.
func (r *Record) evidence() json.RawMessage {
	out, err := json.Marshal(r)
	if err != nil { // times were checked, and nothing else can fail
		return nil
	}
	return out
}

func (b *builder) set(name string, values ...string) {
	if slices.Contains(values, "") {
		values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
	}
	if len(values) > 0 {
		b.Fields[name] = values
	}
}

func (b *builder) flag(name string, is bool) {
	if is {
		b.Fields[name] = yes
	}
}

var yes = []string{"true"}

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// user is the one user whose name is the same everywhere, or a number.
func user(uid uint32) string {
	if uid == 0 {
		return "root"
	}
	return number(uid)
}

func (b *builder) process() {
	p := b.record.Process
	b.set("Image", cmp.Or(p.Path, p.Name))
	b.set("CommandLine", strings.Join(p.Arguments, " "))
	b.set("User", user(p.UID))
	b.set("ProcessId", number(p.PID))
	b.set("node.name", b.record.Node)
	b.set("process.name", cmp.Or(b.program.name, p.Name))
	b.set("process.interpreter", b.program.interpreter)
	b.set("process.shell", b.program.shell())
	b.flag("process.added", p.Added)
	b.flag("process.unlinked", p.Unlinked)
	b.set("process.capability", p.Capabilities...)
	b.set("process.hostNamespace", p.HostNamespaces...)
}

// ancestry tells of the parents. Of most only the name is known, which is told
// as a file of that name in some folder, so that rules about paths' ends hold.
func (b *builder) ancestry() {
	names := b.record.names()
	b.set("process.ancestor", names...)
	b.set("process.ancestry", strings.Join(append([]string{cmp.Or(b.program.name, b.record.Process.Name)}, names...), " ← "))
	b.set("process.server", b.lineage.server(b.record.Time))
	if len(names) == 0 {
		return
	}
	parent := &b.record.Ancestors[0]
	b.set("ParentImage", cmp.Or(parent.Path, "…/"+parent.Name))
	b.set("ParentCommandLine", strings.Join(parent.Arguments, " "))
	b.set("ParentProcessId", number(parent.PID))
}

func (b *builder) container() {
	c := b.record.Container
	b.set("container.id", c.ID)
	b.set("container.kubernetes", strconv.FormatBool(c.Kubernetes))
	b.set("container.cgroup", c.Cgroup)
	b.flag("container.privileged", b.privileged())
	first := b.first()
	b.flag("container.first", first)
	b.flag("process.entered", !first && len(b.lineage.inside) == 0 && !b.setsUp())
	b.set("container.starter", b.lineage.starter())
	b.set("container.title", b.title())
	if !b.placed {
		return
	}
	b.set("pod.namespace", b.place.Namespace)
	b.set("pod.name", b.place.Pod)
	b.set("pod.workload", b.place.Workload)
	b.set("container.name", b.place.Container)
	b.set("container.image", b.place.Image)
}

// first says that a process is the first of its container. Where the container
// sees the node's processes, it is one that was started from outside.
func (b *builder) first() bool {
	p := b.record.Process
	return p.InnerPID == 1 && !b.shares("pid") || b.shares("pid") && len(b.lineage.inside) == 0 && !b.setsUp()
}

func (b *builder) shares(namespace string) bool {
	return slices.Contains(b.record.Process.HostNamespaces, namespace)
}

// setsUp tells the last step of what starts containers: it already belongs to the
// container and is not yet shut in, so that it holds every right for a moment.
func (b *builder) setsUp() bool {
	a := b.record.Process.Arguments
	return len(a) > 1 && a[1] == "init" && is(tools, a[0]) && b.shares("mnt") && len(b.lineage.inside) == 0
}

// asGoodAsAll is how many capabilities only a privileged container gets. A node
// may withhold a few from everything on it (Talos withholds two), so a runtime's
// "all" can be less than what the kernel knows; the usual default is fourteen.
const asGoodAsAll = 38

// privileged goes by what the process may do: every right there is to give, and
// not in a user namespace of its own. A user other than root holds none of them
// even in a privileged container; then the pod's spec tells.
func (b *builder) privileged() bool {
	if b.setsUp() {
		return false
	}
	p := b.record.Process
	return (p.All || len(p.Capabilities) >= asGoodAsAll) && b.shares("user") || b.place.Privileged
}

// where is the process's surroundings as a sentence names them.
func (b *builder) where() string {
	switch c := b.record.Container; {
	case c == nil:
		return "outside of containers"
	case c.ID == "":
		return "in a group of processes that may be a container"
	}
	return "in the " + b.title()
}

// title is what people call the container.
func (b *builder) title() string {
	short := shortID(b.record.Container.ID)
	switch {
	case b.place.Container != "":
		return fmt.Sprintf("container %s (%s) of the pod %s/%s", b.place.Container, short, b.place.Namespace, b.place.Pod)
	case b.placed:
		return fmt.Sprintf("container %s of the pod %s/%s", short, b.place.Namespace, b.place.Pod)
	}
	return "container " + short
}

// entities names the process, and where it runs. What the alert is about comes
// first: the pod where it is known, else the container.
func (b *builder) entities() {
	p, c := b.record.Process, b.record.Container
	b.entity(event.Entity{Role: event.Actor, Kind: "Process", Name: b.Fields["process.name"][0],
		Detail: cmp.Or(p.Path, p.Name) + " as " + user(p.UID)})
	if server := b.Fields["process.server"]; len(server) > 0 {
		b.entity(event.Entity{Role: event.Related, Kind: "Process", Name: server[0], Detail: "started it, directly or through others"})
	}
	if c != nil && c.ID != "" {
		b.Entities = append(b.Entities, b.place.Entities(c.ID)...)
	}
	at := event.Place
	if c == nil {
		at = event.Target // the node itself is where it happened
	}
	b.entity(event.Entity{Role: at, Kind: "Node", Name: b.record.Node,
		ID: ref.Ref{Cluster: b.Cluster, Kind: "Node", Name: b.record.Node}.ID()})
}

func (b *builder) entity(e event.Entity) { b.Entities = append(b.Entities, e) }

// shortID is a runtime's id as its tools print it; a name stays whole.
func shortID(id string) string {
	if len(id) == 64 {
		return id[:12]
	}
	return id
}

// Entities names a container with all that is known of it; of the zero Place, by
// its id alone.
func (p Place) Entities(id string) (out []event.Entity) {
	if p.Pod == "" {
		return []event.Entity{{Role: event.Target, Kind: "Container", Name: shortID(id), Detail: id}}
	}
	out = append(out, event.Entity{Role: event.Target, Kind: "Pod", Namespace: p.Namespace, Name: p.Pod, ID: p.PodID})
	out = append(out, event.Entity{Role: event.Related, Kind: "Container", Namespace: p.Namespace,
		Name: cmp.Or(p.Container, shortID(id)), ID: p.ContainerID, Detail: id})
	if p.Image != "" {
		out = append(out, event.Entity{Role: event.Related, Kind: "Image", Name: p.Image, ID: p.ImageID})
	}
	return out
}
