package kube

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"runtime"
	"sync"
	"unique"
	"weak"

	"github.com/breakwater-sec/breakwater/collect"
)

// sum identifies content. It is cryptographic and seeded per process, so that
// nobody can craft a pod that passes for another.
type sum [16]byte

type hasher struct{ seed [16]byte }

func newHasher() (h hasher) {
	rand.Read(h.seed[:]) // never fails: crypto/rand ends the program first
	return h
}

// of sums the JSON form, which sorts map keys. What we store always encodes.
func (h hasher) of(v any) sum {
	b, err := json.Marshal(v)
	if err != nil {
		panic("kube: hash of " + err.Error())
	}
	d := sha256.New()
	d.Write(h.seed[:])
	d.Write(b)
	return sum(d.Sum(nil)[:16])
}

// pool shares values of equal content for as long as anybody holds them: it
// keeps weak pointers, and the collector's cleanup removes the entry.
type pool[T any] struct {
	mu  sync.Mutex
	all map[sum]weak.Pointer[T]
}

func newPool[T any]() *pool[T] { return &pool[T]{all: map[sum]weak.Pointer[T]{}} }

// share returns the value that already stands for this content, or v itself.
func (p *pool[T]) share(s sum, v *T) *T {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w, ok := p.all[s]; ok {
		if old := w.Value(); old != nil {
			return old
		}
	}
	w := weak.Make(v)
	p.all[s] = w
	runtime.AddCleanup(v, func(s sum) { p.drop(s, w) }, s)
	return v
}

// drop forgets a value that died, unless a newer one took its place.
func (p *pool[T]) drop(s sum, dead weak.Pointer[T]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all[s] == dead {
		delete(p.all, s)
	}
}

// Interner shares pod shapes, label sets and image lists of equal content. One
// can serve any number of clusters; it is safe for concurrent use.
type Interner struct {
	hash   hasher
	shapes *pool[collect.PodShape]
	labels *pool[collect.Labels]
	images *pool[collect.Images]
}

// NewInterner is an empty Interner.
func NewInterner() *Interner {
	return &Interner{newHasher(), newPool[collect.PodShape](), newPool[collect.Labels](), newPool[collect.Images]()}
}

func (i *Interner) shape(v *collect.PodShape) (*collect.PodShape, sum) {
	s := i.hash.of(v)
	return i.shapes.share(s, v), s
}

func (i *Interner) labelSet(m map[string]string) (*collect.Labels, sum) {
	s := i.hash.of(m)
	return i.labels.share(s, &collect.Labels{Map: m}), s
}

func (i *Interner) imageList(ids []string) (*collect.Images, sum) {
	s := i.hash.of(ids)
	return i.images.share(s, &collect.Images{IDs: ids}), s
}

// str shares one copy of a string that repeats: namespaces, nodes, owners.
func str(s string) string { return unique.Make(s).Value() }
