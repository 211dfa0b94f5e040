package kube

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kjson "sigs.k8s.io/json"

	"github.com/breakwater-sec/breakwater/collect"
)

// Bounds on what manifests may make us do.
const (
	maxFile      = 256 << 20 // a `kubectl get -A -o json` of a large cluster
	maxDocument  = 16 << 20  // one YAML document; YAML costs many times its size
	maxDocuments = 200_000   // of one folder
	maxFiles     = 50_000
	maxNesting   = 100
	maxFileGaps  = 1000 // told one by one; more are counted
)

// Read reads manifests into the facts of one cluster: files and folders of
// YAML or JSON, multi-document files, Lists such as `kubectl get -o json`
// prints. A workload without pods yields the pods it would make. What cannot be
// read becomes a gap, as long as something can.
func Read(paths ...string) (*collect.Facts, error) {
	m := newManifests()
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, fmt.Errorf("read manifests: %w", err)
		}
		if !info.IsDir() {
			m.file(filepath.Dir(p), os.DirFS(filepath.Dir(p)), filepath.Base(p), true)
			continue
		}
		if err := m.tree(p, os.DirFS(p)); err != nil {
			return nil, err
		}
	}
	return m.finish(strings.Join(paths, ", "))
}

// ReadFS is Read of every manifest in a file system.
func ReadFS(fsys fs.FS) (*collect.Facts, error) {
	m := newManifests()
	if err := m.tree("", fsys); err != nil {
		return nil, err
	}
	return m.finish("files")
}

// manifests gathers the objects of many files.
type manifests struct {
	facts     *collect.Facts
	strip     *stripper
	kinds     map[schema.GroupVersionKind]formerKind
	versions  map[schema.GroupKind]schema.GroupVersion // that we want
	documents int
	files     int
	objects   int
	broken    []error
	// told is where each fact was read, for the object that repeats it.
	told map[identity]sighting
	// unnamed have a generateName, and get a name that is free when all are read.
	unnamed []unnamed
	// templates are pod templates besides those of the workloads in facts.
	templates []template
	// owners is who controls the objects that make pods.
	owners    map[collect.WorkloadKey]collect.OwnerRef
	endpoints []endpoints
	unknown   fieldGaps
	lost      map[*kind]int
	doubts    int             // owners that are named and whose templates are others
	doubt     string          // the first of them
	nodes     []*collect.Node // that pods may be put on which no node was chosen for
	imagined  bool            // none of them was read
	// everywhere is how many pods were made because they would be on every node.
	everywhere int
}

type identity struct {
	kind string
	collect.Key
}

// sighting is where an object was read, and at which resourceVersion.
type sighting struct{ where, version string }

type unnamed struct {
	where string
	kind  *kind
	object
}

func newManifests() *manifests {
	m := &manifests{facts: collect.NewFacts(), strip: &stripper{NewInterner()}, told: map[identity]sighting{},
		versions: map[schema.GroupKind]schema.GroupVersion{}, owners: map[collect.WorkloadKey]collect.OwnerRef{}, lost: map[*kind]int{}}
	all := kinds()
	m.kinds = formerKinds(all)
	for gvk, k := range m.kinds {
		m.versions[gvk.GroupKind()] = k.versions[0]
	}
	for i := range all {
		for _, v := range all[i].versions {
			gvk := all[i].in(v)
			m.kinds[gvk] = formerKind{kind: &all[i]}
			m.versions[gvk.GroupKind()] = all[i].versions[0]
		}
	}
	return m
}

// content reads the documents of a file.
func (m *manifests) content(file string, b []byte) {
	for doc := range documents(b) {
		if m.documents++; m.documents > maxDocuments {
			m.unread(file, fmt.Errorf("want at most %d documents in all; the rest was not read", maxDocuments))
			return
		}
		where := fmt.Sprintf("%s:%d", file, doc.line)
		err := doc.err
		if err == nil {
			err = shallow(doc.json)
		}
		if err != nil {
			m.unread(where, err)
			continue
		}
		if string(bytes.TrimSpace(doc.json)) == "null" { // what a template leaves that rendered to nothing
			m.facts.Count(collect.Left("an empty document"))
			continue
		}
		m.object(where, doc.json, header{})
	}
}

// header is what every object begins with. Items is a List's content; Objects that
// of an OpenShift Template.
type header struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Items      []json.RawMessage `json:"items"`
	Objects    []json.RawMessage `json:"objects"`
}

// object counts what became of an object, or of each in a list of them.
func (m *manifests) object(where string, b []byte, within header) {
	if b = bytes.TrimSpace(b); b[0] == '[' {
		var list []json.RawMessage
		if err := json.Unmarshal(b, &list); err != nil {
			m.unread(where, fmt.Errorf("want a list of Kubernetes objects: %w", err))
			return
		}
		m.each(where, list, header{})
		return
	}
	h, err := headerOf(b, within)
	switch {
	case err != nil:
		m.unread(where, err)
	case h.isAnswer():
		m.unread(where, answered(b))
	case h.Kind == "Template" && h.Objects != nil:
		m.unread(where, errors.New("a Template's parameters are not filled in: `oc process -f FILE | breakwater … --from -` reads the result"))
		m.each(where, h.Objects, header{})
	case strings.HasSuffix(h.Kind, "List") && m.isList(h):
		m.objects++ // an empty List is an answer too
		m.facts.Count(collect.Left("a list, of which each item is counted"))
		m.each(where, h.Items, header{APIVersion: h.APIVersion, Kind: strings.TrimSuffix(h.Kind, "List")})
	default:
		m.facts.Count(m.take(where, b, h))
	}
}

func (m *manifests) each(where string, list []json.RawMessage, within header) {
	for i, item := range list {
		m.object(fmt.Sprintf("%s: items[%d]", where, i), item, within)
	}
}

// isList tells lists from kinds that are called so: a List holds items, or is of
// kinds that we know.
func (m *manifests) isList(h header) bool {
	gv, err := schema.ParseGroupVersion(h.APIVersion)
	if err != nil {
		return false
	}
	_, known := m.kinds[gv.WithKind(strings.TrimSuffix(h.Kind, "List"))]
	return h.Items != nil || h.Kind == "List" || known
}

// headerOf reads keys as the API server does: in their own case, each once. Items
// of a typed list (PodList) need not repeat what they are.
func headerOf(b []byte, within header) (h header, err error) {
	if b[0] != '{' {
		return h, fmt.Errorf("want a Kubernetes object, not %.20q", b)
	}
	strict, err := kjson.UnmarshalStrict(b, &h)
	if err == nil {
		err = duplicate(strict)
	}
	if err != nil {
		return h, fmt.Errorf("want a Kubernetes object: %w", err)
	}
	if h.APIVersion == "" {
		h.APIVersion = within.APIVersion
	}
	if h.Kind == "" {
		h.Kind = within.Kind
	}
	switch {
	case h.APIVersion == "" && h.Kind == "":
		err = errors.New("want a Kubernetes object: apiVersion and kind are missing")
	case h.APIVersion == "":
		err = fmt.Errorf("want the apiVersion of the %s: it is missing", h.Kind)
	case h.Kind == "":
		err = fmt.Errorf("want the kind of the object of %s: it is missing", h.APIVersion)
	}
	return h, err
}

// duplicate is the first key that stands twice: which of the two counts differs
// from reader to reader.
func duplicate(strict []error) error {
	for _, err := range strict {
		if strings.HasPrefix(err.Error(), "duplicate field ") {
			return err
		}
	}
	return nil
}

// take makes one object a fact, or says why it is none.
func (m *manifests) take(where string, b []byte, h header) collect.Outcome {
	gv, err := schema.ParseGroupVersion(h.APIVersion)
	if err != nil {
		return m.gap(where, fmt.Errorf("want an apiVersion such as apps/v1: %w", err))
	}
	m.objects++
	gvk := gv.WithKind(h.Kind)
	if isEndpoints(gvk) {
		return m.takeEndpoints(where, b)
	}
	if isKubelet(gvk) {
		return m.takeKubelet(where, "a KubeletConfiguration in "+where, b)
	}
	k, known := m.kinds[gvk]
	if !known {
		if want, other := m.versions[gvk.GroupKind()]; other {
			return m.gap(where, fmt.Errorf("%s %s: want version %s", h.Kind, h.APIVersion, want))
		}
		return m.foreign(where, gvk, b)
	}
	if k.name == "ConfigMap" {
		m.kubeletIn(where, b)
	}
	o, err := m.decode(where, k, b)
	if err != nil {
		m.lost[k.kind]++
		return m.gap(where, fmt.Errorf("want a %s of %s: %w", h.Kind, h.APIVersion, err))
	}
	m.part(k, o, b)
	if o.GetName() == "" {
		m.unnamed = append(m.unnamed, unnamed{where, k.kind, o})
		return collect.Left(generated)
	}
	return m.keep(where, k.kind, o)
}

// generated objects are counted when they have names: this reason is taken back then.
const generated = "waits for a name"

// decode reads an object into its type as the API server does: a key in another
// case is another key, and one that the type does not have is passed over, and told.
func (m *manifests) decode(where string, k formerKind, b []byte) (object, error) {
	o := k.make()
	if k.how != whole {
		return o, namesOnly(b, o)
	}
	b, err := k.today(b)
	if err != nil {
		return nil, err
	}
	strict, err := kjson.UnmarshalStrict(b, o)
	if err == nil {
		err = duplicate(strict)
	}
	if err == nil && o.GetName() == "" && o.GetGenerateName() == "" {
		err = errors.New("metadata.name is missing")
	}
	if err == nil {
		err = valid(o)
	}
	if err != nil {
		return nil, err
	}
	if !k.partial {
		m.unknown.add(where, k.name, strict)
	}
	return o, nil
}

// namesOnly reads of an object what an API server is asked for: never its data.
func namesOnly(b []byte, o object) error {
	var named struct {
		Metadata struct {
			Name         string            `json:"name"`
			GenerateName string            `json:"generateName"`
			Namespace    string            `json:"namespace"`
			Labels       map[string]string `json:"labels"`
			Annotations  map[string]string `json:"annotations"`
		} `json:"metadata"`
		Type string `json:"type"`
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(b, &named); err != nil {
		return err
	}
	m := named.Metadata
	if m.Name == "" && m.GenerateName == "" {
		return errors.New("metadata.name is missing")
	}
	o.SetName(m.Name)
	o.SetGenerateName(m.GenerateName)
	o.SetNamespace(m.Namespace)
	o.SetLabels(m.Labels)
	if s, ok := o.(*corev1.Secret); ok {
		s.Type = corev1.SecretType(named.Type)
		s.Annotations = map[string]string{corev1.ServiceAccountNameKey: m.Annotations[corev1.ServiceAccountNameKey]}
	}
	return nil
}

// keep files an object. One that was read before is not replaced without a word.
func (m *manifests) keep(where string, k *kind, o object) collect.Outcome {
	if !k.cluster && o.GetNamespace() == "" {
		o.SetNamespace(metav1.NamespaceDefault)
	}
	if k.cluster {
		o.SetNamespace("")
	}
	version := o.GetResourceVersion()
	stripped, kept := k.cut(m.strip, o)
	if !kept {
		return collect.Left("a ReplicaSet that a Deployment keeps of its past")
	}
	key := keyOf(o)
	put := collect.Change{Op: collect.Put, Kind: k.name, Key: key, Object: stripped}
	is := identity{k.name, key}
	before, again := m.told[is]
	if !again {
		m.told[is] = sighting{where, version}
		return collect.Kept(put)
	}
	old := m.facts.Get(k.name, key)
	if reflect.DeepEqual(old, stripped) {
		return collect.Left("the same object once more")
	}
	used, other := where, before.where
	if newer(before.version, version) {
		used, other = other, used
		old, stripped = stripped, old
	} else {
		m.told[is] = sighting{where, version}
		m.facts.Apply(put)
	}
	consequence := "Only the first named counts."
	if w, ok := old.(*collect.Workload); ok {
		m.templates = append(m.templates, templateOf(w))
		consequence = "The pods of both are judged; for the rest only the first named counts."
	}
	return collect.Lost(collect.Gap{Source: "file", What: k.name + " " + key.String(),
		Why: fmt.Sprintf("%s and %s hold it, and differ", used, other), Consequence: consequence, Kinds: k.graph, Since: time.Now()})
}

// newer says whether a resourceVersion is a later one than another.
func newer(a, than string) bool {
	x, err := strconv.ParseUint(a, 10, 64)
	y, err2 := strconv.ParseUint(than, 10, 64)
	return err == nil && err2 == nil && x > y
}

// foreign counts an object of a kind we do not interpret, and takes the pods that
// it would make.
func (m *manifests) foreign(where string, gvk schema.GroupVersionKind, b []byte) collect.Outcome {
	if isNoKind(gvk) {
		return m.gap(where, fmt.Errorf("want a kind that API servers have: %s of today has no %q", gvk.GroupVersion(), gvk.Kind))
	}
	plural, _ := meta.UnsafeGuessKindToResource(gvk)
	m.facts.Unread[plural.GroupResource().String()]++
	if collect.BuiltIn(gvk.Group) && gvk.Kind != "DeploymentConfig" {
		return collect.Left("of a kind that is not interpreted")
	}
	return m.templatesIn(where, gvk, b)
}

// gap is the outcome of what could not be read; where it names a place in a file.
func (m *manifests) gap(where string, err error) collect.Outcome {
	m.broken = append(m.broken, fmt.Errorf("%s: %w", where, err))
	if n := len(m.broken); n > maxFileGaps {
		where, err = "more of the files", fmt.Errorf("%d more could not be read, the first of them %w", n-maxFileGaps, m.broken[maxFileGaps])
	}
	return collect.Lost(collect.Gap{Source: "file", What: where, Why: collect.Why(err), Since: time.Now(), Consequence: notRead})
}

const notRead = "What it describes is missing: nothing here can be taken for absent."

// Unread says that a gap is a place in a file, or an object in it, that could not be read.
func Unread(g collect.Gap) bool { return g.Source == "file" && g.Consequence == notRead }

func (m *manifests) unread(where string, err error) { m.facts.Count(m.gap(where, err)) }

func (m *manifests) finish(source string) (*collect.Facts, error) {
	if m.objects == 0 {
		if len(m.broken) > 0 {
			return nil, fmt.Errorf("read manifests: %w", errors.Join(m.broken[:min(len(m.broken), 10)]...))
		}
		return nil, fmt.Errorf("read manifests in %s: want YAML or JSON files with Kubernetes objects; there is none", source)
	}
	m.nameGenerated()
	m.keepEndpoints()
	m.makePods()
	m.unseenKinds()
	m.unknown.tell(m.facts)
	f := m.facts
	f.AsOf = time.Now()
	f.Cluster = collect.ClusterInfo{Name: "files", Source: "files:" + source}
	return f, nil
}

// nameGenerated gives objects with a generateName the first free number as their
// suffix, where an API server draws five letters.
func (m *manifests) nameGenerated() {
	next := map[identity]int{}
	for _, u := range m.unnamed {
		m.facts.Tally.Read--
		if m.facts.Tally.Left[generated]--; m.facts.Tally.Left[generated] == 0 {
			delete(m.facts.Tally.Left, generated)
		}
		namespace := u.GetNamespace()
		if namespace == "" && !u.kind.cluster {
			namespace = metav1.NamespaceDefault
		}
		prefix := identity{u.kind.name, collect.Key{Namespace: namespace, Name: u.GetGenerateName()}}
		for {
			u.SetName(fmt.Sprintf("%s%d", u.GetGenerateName(), next[prefix]))
			next[prefix]++
			if _, taken := m.told[identity{u.kind.name, collect.Key{Namespace: namespace, Name: u.GetName()}}]; !taken {
				break
			}
		}
		m.facts.Count(m.keep(u.where, u.kind, u.object))
	}
}

// unseenKinds says of each kind with objects that could not be read what that hides.
func (m *manifests) unseenKinds() {
	for k, n := range m.lost {
		m.facts.Apply(collect.Change{Op: collect.GapOpen, Gap: &collect.Gap{Source: "file", What: k.what(), Since: time.Now(),
			Why:         fmt.Sprintf("%d could not be read", n),
			Consequence: "What they say is missing, and what would follow from it.", Kinds: slices.Clone(k.graph)}})
	}
}
