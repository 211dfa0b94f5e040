package kube

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/breakwater-sec/breakwater/collect"
)

// A dump is the stripped facts of one cluster: gzipped JSON, one value a line.
// The first line says what it is, the last how many lines came before it, so
// that a torn file is told from a whole one. Shapes, label sets and image lists
// stand once and are referred to by number.
const (
	dumpFormat  = "breakwater-dump"
	dumpVersion = 1
	maxLine     = 64 << 20
	maxDump     = 8 << 30 // after decompression
)

type dumpHead struct {
	Format           string              `json:"format"`
	Version          int                 `json:"version"`
	Cluster          collect.ClusterInfo `json:"cluster"`
	AsOf             time.Time           `json:"asOf"`
	ResourceVersions map[string]string   `json:"resourceVersions,omitempty"`
	Unread           map[string]int      `json:"unread,omitempty"`
	Cloud            *collect.Cloud      `json:"cloud,omitempty"`
	Kubelets         []collect.Kubelet   `json:"kubelets,omitempty"`
}

// dumpLine is one of: a shared part, an object of a kind, a gap, the end.
type dumpLine struct {
	Shape  *collect.PodShape `json:"shape,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
	Images []string          `json:"images,omitempty"`
	Kind   string            `json:"kind,omitempty"`
	Object json.RawMessage   `json:"object,omitempty"`
	Gap    *collect.Gap      `json:"gap,omitempty"`
	End    *int              `json:"end,omitempty"`
}

// dumpPod and dumpWorkload refer to shared parts by number; 0 is none.
type dumpPod struct {
	collect.Key
	UID    string           `json:"uid,omitempty"`
	Node   string           `json:"node,omitempty"`
	IPs    []string         `json:"ips,omitempty"`
	HostIP string           `json:"hostIP,omitempty"`
	Phase  string           `json:"phase,omitempty"`
	Owner  collect.OwnerRef `json:"owner,omitzero"`
	Made   bool             `json:"made,omitempty"`
	Labels int              `json:"labels,omitempty"`
	Shape  int              `json:"shape,omitempty"`
	Images int              `json:"images,omitempty"`

	ContainerIDs []string `json:"containerIDs,omitempty"`
	Ended        []bool   `json:"ended,omitempty"`
}

type dumpWorkload struct {
	collect.Key
	UID         string            `json:"uid,omitempty"`
	Owner       collect.OwnerRef  `json:"owner,omitzero"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Replicas    int32             `json:"replicas"`
	Labels      int               `json:"labels,omitempty"`
	Shape       int               `json:"shape,omitempty"`
	PodLabels   int               `json:"podLabels,omitempty"`
}

// Save writes the facts as a dump.
func Save(w io.Writer, f *collect.Facts) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	d := &dumper{enc: json.NewEncoder(z), numbers: map[any]int{}}
	d.enc.SetEscapeHTML(false)
	d.write(dumpHead{dumpFormat, dumpVersion, f.Cluster, f.AsOf, f.ResourceVersions, f.Unread, f.Cloud, f.Kubelets})
	for _, kind := range collect.Kinds {
		for _, o := range f.Each(kind) {
			d.object(kind, o)
		}
	}
	for _, g := range f.Gaps {
		d.line(dumpLine{Gap: &g})
	}
	d.write(dumpLine{End: &d.lines})
	if err := errors.Join(d.err, z.Close()); err != nil {
		return fmt.Errorf("save the facts of %s: %w", f.Cluster.Name, err)
	}
	return nil
}

type dumper struct {
	enc     *json.Encoder
	err     error
	lines   int
	numbers map[any]int // of shared parts, by pointer
	counts  [3]int
}

func (d *dumper) write(v any) {
	if d.err == nil {
		d.err = d.enc.Encode(v)
	}
}

func (d *dumper) line(l dumpLine) {
	d.lines++
	d.write(l)
}

// number writes a shared part the first time it is met.
func (d *dumper) number(class int, part any, l dumpLine) int {
	if reflect.ValueOf(part).IsNil() {
		return 0
	}
	n, known := d.numbers[part]
	if !known {
		d.counts[class]++
		n = d.counts[class]
		d.numbers[part] = n
		d.line(l)
	}
	return n
}

func (d *dumper) shape(s *collect.PodShape) int { return d.number(0, s, dumpLine{Shape: s}) }

func (d *dumper) labels(l *collect.Labels) int {
	if l == nil || len(l.Map) == 0 {
		return 0
	}
	return d.number(1, l, dumpLine{Labels: l.Map})
}

func (d *dumper) images(i *collect.Images) int {
	if i == nil || len(i.IDs) == 0 {
		return 0
	}
	return d.number(2, i, dumpLine{Images: i.IDs})
}

func (d *dumper) object(kind string, o any) {
	switch o := o.(type) {
	case *collect.Pod:
		d.put(kind, dumpPod{o.Key, o.UID, o.Node, o.IPs, o.HostIP, o.Phase, o.Owner, o.Made, d.labels(o.Labels), d.shape(o.Shape),
			d.images(o.Images), o.ContainerIDs, o.Ended})
	case *collect.Workload:
		d.put(kind, dumpWorkload{o.Key, o.UID, o.Owner, o.Annotations, o.Replicas, d.labels(o.Labels), d.shape(o.Shape),
			d.labels(o.PodLabels)})
	default:
		d.put(kind, o)
	}
}

func (d *dumper) put(kind string, o any) {
	b, err := json.Marshal(o)
	d.err = errors.Join(d.err, err)
	d.line(dumpLine{Kind: kind, Object: b})
}

// Load reads a dump. One that is torn, or of another version, is refused whole.
func Load(r io.Reader) (*collect.Facts, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("read dump: want gzip: %w", err)
	}
	return loadLines(io.LimitReader(z, maxDump))
}

func loadLines(r io.Reader) (*collect.Facts, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	l := newLoader()
	for n := 1; lines.Scan(); n++ {
		if l.ended {
			return nil, fmt.Errorf("read dump: line %d: want nothing after the end", n)
		}
		if err := shallow(lines.Bytes()); err != nil {
			return nil, fmt.Errorf("read dump: line %d: %w", n, err)
		}
		read := l.line
		if n == 1 {
			read = l.head
		}
		if err := read(lines.Bytes()); err != nil {
			return nil, fmt.Errorf("read dump: line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read dump: %w", err)
	}
	if !l.ended {
		return nil, errors.New("read dump: it ends too early: the file is torn")
	}
	return l.facts, nil
}

type loader struct {
	facts  *collect.Facts
	in     *Interner
	lines  int
	ended  bool
	shapes []*collect.PodShape
	labels []*collect.Labels
	images []*collect.Images
	make   map[string]func() object
}

func newLoader() *loader {
	none, _ := NewInterner().labelSet(nil)
	l := &loader{facts: collect.NewFacts(), in: NewInterner(), shapes: []*collect.PodShape{nil}, labels: []*collect.Labels{none},
		images: []*collect.Images{nil}, make: map[string]func() object{}}
	for _, k := range kinds() {
		l.make[k.name] = k.make
	}
	return l
}

func (l *loader) head(b []byte) error {
	var h dumpHead
	if err := json.Unmarshal(b, &h); err != nil || h.Format != dumpFormat {
		return fmt.Errorf("want a %s", dumpFormat)
	}
	if h.Version != dumpVersion {
		return fmt.Errorf("want version %d of the format, not %d", dumpVersion, h.Version)
	}
	l.facts.Cluster, l.facts.AsOf = h.Cluster, h.AsOf
	for k, v := range h.ResourceVersions {
		l.facts.ResourceVersions[k] = v
	}
	l.facts.Cloud, l.facts.Kubelets = h.Cloud, h.Kubelets
	for k, v := range h.Unread {
		l.facts.Unread[k] = v
	}
	return nil
}

func (l *loader) line(b []byte) error {
	var d dumpLine
	if err := strict(b, &d); err != nil {
		return err
	}
	l.lines++
	switch {
	case d.End != nil:
		if l.ended = true; *d.End != l.lines-1 {
			return fmt.Errorf("want %d lines, not %d", *d.End, l.lines-1)
		}
	case d.Gap != nil:
		l.facts.Gaps[d.Gap.Key()] = *d.Gap
	case d.Shape != nil:
		s, _ := l.in.shape(d.Shape)
		l.shapes = append(l.shapes, s)
	case d.Labels != nil:
		s, _ := l.in.labelSet(d.Labels)
		l.labels = append(l.labels, s)
	case d.Images != nil:
		s, _ := l.in.imageList(d.Images)
		l.images = append(l.images, s)
	case d.Kind != "":
		return l.object(d.Kind, d.Object)
	default:
		return errors.New("want a shape, labels, images, an object, a gap or the end")
	}
	return nil
}

func (l *loader) object(kind string, b []byte) error {
	if l.make[kind] == nil {
		return fmt.Errorf("want a known kind, not %q", kind)
	}
	var key collect.Key
	var o any
	var err error
	switch kind {
	case "Pod":
		var p *collect.Pod
		if p, err = l.pod(b); err == nil {
			key, o = p.Key, p
		}
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "ReplicationController":
		var w *collect.Workload
		if w, err = l.workload(kind, b); err == nil {
			key, o = w.Key, w
		}
	case "Node":
		n := &collect.Node{}
		err = json.Unmarshal(b, n)
		key, o = collect.Key{Name: n.Name}, n
	case "EndpointSlice":
		e := &collect.EndpointSlice{}
		err = json.Unmarshal(b, e)
		key, o = e.Key, e
	case "ConfigMap":
		c := &collect.ConfigMap{}
		err = json.Unmarshal(b, c)
		key, o = c.Key, c
	case "PersistentVolume":
		v := &collect.PersistentVolume{}
		err = json.Unmarshal(b, v)
		key, o = v.Key, v
	case "PersistentVolumeClaim":
		c := &collect.PersistentVolumeClaim{}
		err = json.Unmarshal(b, c)
		key, o = c.Key, c
	case "Secret":
		s := &collect.Secret{}
		err = json.Unmarshal(b, s)
		key, o = s.Key, s
	default:
		u := l.make[kind]()
		err = json.Unmarshal(b, u)
		key, o = keyOf(u), u
	}
	if err != nil {
		return fmt.Errorf("want a %s: %w", kind, err)
	}
	l.facts.Apply(collect.Change{Op: collect.Put, Kind: kind, Key: key, Object: o})
	return nil
}

func (l *loader) pod(b []byte) (*collect.Pod, error) {
	var d dumpPod
	if err := strict(b, &d); err != nil {
		return nil, err
	}
	p := &collect.Pod{Key: d.Key, UID: d.UID, Node: str(d.Node), IPs: d.IPs, HostIP: str(d.HostIP), Phase: str(d.Phase), Owner: d.Owner,
		Made: d.Made, ContainerIDs: d.ContainerIDs, Ended: d.Ended}
	if err := errors.Join(at(l.labels, d.Labels, &p.Labels), at(l.shapes, d.Shape, &p.Shape),
		at(l.images, d.Images, &p.Images)); err != nil {
		return nil, err
	}
	if p.Shape == nil {
		return nil, errors.New("want a shape")
	}
	return p, nil
}

func (l *loader) workload(kind string, b []byte) (*collect.Workload, error) {
	var d dumpWorkload
	if err := strict(b, &d); err != nil {
		return nil, err
	}
	w := &collect.Workload{WorkloadKey: collect.WorkloadKey{Kind: kind, Key: d.Key}, UID: d.UID, Owner: d.Owner,
		Annotations: d.Annotations, Replicas: d.Replicas}
	return w, errors.Join(at(l.labels, d.Labels, &w.Labels), at(l.shapes, d.Shape, &w.Shape), at(l.labels, d.PodLabels, &w.PodLabels))
}

// at looks a shared part up by its number.
func at[T any](list []T, n int, to *T) error {
	if n < 0 || n >= len(list) {
		return fmt.Errorf("want a number below %d, not %d", len(list), n)
	}
	*to = list[n]
	return nil
}

// strict refuses fields that this version does not know.
func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// isDump says whether a file begins like a dump: gzip, and our head in it.
func isDump(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return false
	}
	head := make([]byte, len(`{"format":"`+dumpFormat+`"`))
	_, err = io.ReadFull(z, head)
	return err == nil && string(head) == `{"format":"`+dumpFormat+`"`
}
