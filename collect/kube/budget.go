package kube

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"math/bits"
	"slices"
	"sync"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
)

// Whoever may create objects in a cluster chooses how many there are, how large and under which names. So the objects
// of one cluster have a budget of bytes. When it is full, whose objects take most give some back: of namespaces the
// largest, in it the kind that takes most, of that kind the large objects first, and of those of about one size the ones
// that a secret chooses. Namespaces with less than a fair share, and kinds with less than one in theirs, lose nothing,
// and nobody has an object kept by the name or the moment they give it. What is not kept is counted, and is a gap.

const (
	// objectCosts is what knowing an object takes beside what it says.
	objectCosts = 512
	// mostUnkept bounds the objects whose number is known exactly though they are not kept.
	mostUnkept = 1 << 20
)

// budget is what is kept of one cluster's objects. It tells the changes itself, so that their order is that of its decisions.
type budget struct {
	mu       sync.Mutex
	tell     func(collect.Change)
	most     int64
	used     int64
	unkept   int // that are remembered, of all kinds
	seed     maphash.Seed
	holdings map[share]*holding
	readers  map[string]*tally // by kind
}

// share is what one namespace has of one kind.
type share struct{ namespace, kind string }

type holding struct {
	size   int64
	kept   map[string]entry    // by name
	unkept map[uint64]struct{} // by the hash of the name
	seen   map[uint64]struct{} // those of unkept that the list under way has too
	line   *rank               // what ranks from here on gave way
}

type entry struct {
	size  int64
	round uint32 // of the list that had it last
}

// tally is what became of one kind.
type tally struct {
	reader *reader
	round  uint32
	unkept int
	more   bool // there are others, of which nobody knows how many
	told   int
	toldAt time.Time
}

// rank says what gives way first among objects of one kind in one namespace.
type rank struct {
	class int // of the size, in powers of two
	hash  uint64
}

func (a rank) compare(b rank) int {
	return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.hash, b.hash))
}

func newBudget(most int64, tell func(collect.Change)) *budget {
	return &budget{tell: tell, most: most, seed: maphash.MakeSeed(), holdings: map[share]*holding{}, readers: map[string]*tally{}}
}

func (b *budget) hash(name string) uint64 { return maphash.String(b.seed, name) }

func (b *budget) rank(name string, size int64) rank {
	return rank{bits.Len64(uint64(size)), b.hash(name)}
}

// follows says which reader tells of a kind.
func (b *budget) follows(r *reader) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t := b.readers[r.kind.name]; t != nil {
		t.reader = r
		return
	}
	b.readers[r.kind.name] = &tally{reader: r}
}

// begins says that a list of a kind begins: what it does not have is gone when it ends.
func (b *budget) begins(kind string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.readers[kind]
	t.round++
	for s, h := range b.holdings {
		if s.kind == kind {
			h.seen = nil
		}
	}
}

// put keeps an object and tells it, or counts it among those that are not kept.
func (b *budget) put(kind string, key collect.Key, object any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.holding(share{key.Namespace, kind})
	size := max(sizeOf(object)+objectCosts+2*int64(len(key.Name)), b.most/maxObjects)
	old, known := h.kept[key.Name]
	if !b.full() {
		h.line = nil
	}
	if !known && h.line != nil && b.rank(key.Name, size).compare(*h.line) >= 0 { // it would only be swept again
		b.misses(kind, h, key.Name, true)
		b.report(kind)
		return
	}
	h.kept[key.Name] = entry{size, b.readers[kind].round}
	h.size += size - old.size
	b.used += size - old.size
	b.finds(kind, h, key.Name)
	b.tell(collect.Change{Op: collect.Put, Kind: kind, Key: key, Object: object})
	if b.used > b.most {
		b.sweep()
	}
}

func (b *budget) holding(s share) *holding {
	h := b.holdings[s]
	if h == nil {
		h = &holding{kept: map[string]entry{}}
		b.holdings[s] = h
	}
	return h
}

// full says that there is no room for what gave way.
func (b *budget) full() bool { return b.used > b.most/4*3 }

// misses counts an object that is not kept, which the newest list, or what came after it, has or not.
func (b *budget) misses(kind string, h *holding, name string, there bool) {
	t, n := b.readers[kind], b.hash(name)
	_, counted := h.unkept[n]
	if !counted && b.unkept >= mostUnkept {
		t.more = true
		return
	}
	if h.unkept == nil {
		h.unkept = map[uint64]struct{}{}
	}
	if h.seen == nil {
		h.seen = map[uint64]struct{}{}
	}
	h.unkept[n] = struct{}{}
	if there {
		h.seen[n] = struct{}{}
	}
	if !counted {
		b.unkept++
		t.unkept++
	}
}

// finds forgets that an object was not kept.
func (b *budget) finds(kind string, h *holding, name string) {
	n := b.hash(name)
	if _, counted := h.unkept[n]; counted {
		delete(h.unkept, n)
		delete(h.seen, n)
		b.unkept--
		b.readers[kind].unkept--
	}
}

// gone says that an object is no more.
func (b *budget) gone(kind string, key collect.Key) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := share{key.Namespace, kind}
	h := b.holdings[s]
	if h == nil {
		return
	}
	b.finds(kind, h, key.Name)
	if _, known := h.kept[key.Name]; known {
		b.forget(h, key.Name)
		b.tell(collect.Change{Op: collect.Gone, Kind: kind, Key: key})
	}
	b.drop(s, h)
}

func (b *budget) forget(h *holding, name string) {
	size := h.kept[name].size
	h.size -= size
	b.used -= size
	delete(h.kept, name)
}

// drop forgets a share of which nothing is left.
func (b *budget) drop(s share, h *holding) {
	if len(h.kept) == 0 && len(h.unkept) == 0 {
		delete(b.holdings, s)
	}
}

// ends says that a list of a kind was read whole: what it did not have is gone.
func (b *budget) ends(kind, version string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, keys := b.readers[kind], map[collect.Key]struct{}{}
	for s, h := range b.holdings {
		if s.kind != kind {
			continue
		}
		for name, e := range h.kept {
			if e.round != t.round {
				b.forget(h, name)
				continue
			}
			keys[collect.Key{Namespace: s.namespace, Name: name}] = struct{}{}
		}
		b.unkept += len(h.seen) - len(h.unkept)
		t.unkept += len(h.seen) - len(h.unkept)
		h.unkept = h.seen
		b.drop(s, h)
	}
	t.more = t.more && b.unkept >= mostUnkept
	b.tell(collect.Change{Op: collect.Resynced, Kind: kind, Keys: keys, Version: version})
}

// sweep has who takes most give back, until a sixteenth is free.
func (b *budget) sweep() {
	of := map[string]int64{}
	for s, h := range b.holdings {
		of[s.namespace] += h.size
	}
	most := level(sizes(of), b.most-b.most/16)
	inside := map[string]map[share]int64{}
	for s, h := range b.holdings {
		if of[s.namespace] > most {
			if inside[s.namespace] == nil {
				inside[s.namespace] = map[share]int64{}
			}
			inside[s.namespace][s] = h.size
		}
	}
	for _, shares := range inside {
		each := level(sizes(shares), most)
		for s, size := range shares {
			if size > each {
				b.cull(s, each)
			}
		}
	}
}

func sizes[K comparable](m map[K]int64) []int64 {
	out := make([]int64, 0, len(m))
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

// level is the most that each may have for all to have no more than most together; who has less keeps it.
func level(all []int64, most int64) int64 {
	slices.Sort(all)
	for i, size := range all {
		each := most / int64(len(all)-i)
		if size > each {
			return each
		}
		most -= size
	}
	return most
}

// cull has a share give back what is beyond most.
func (b *budget) cull(s share, most int64) {
	type one struct {
		name string
		rank rank
	}
	h := b.holdings[s]
	all := make([]one, 0, len(h.kept))
	for name, e := range h.kept {
		all = append(all, one{name, b.rank(name, e.size)})
	}
	slices.SortFunc(all, func(x, y one) int { return y.rank.compare(x.rank) })
	for _, o := range all {
		if h.size <= most {
			break
		}
		there := h.kept[o.name].round == b.readers[s.kind].round
		b.forget(h, o.name)
		h.line = &o.rank
		b.misses(s.kind, h, o.name, there)
		b.tell(collect.Change{Op: collect.Gone, Kind: s.kind, Key: collect.Key{Namespace: s.namespace, Name: o.name}})
	}
	b.report(s.kind)
}

// again says whether a list may bring what was not kept.
func (b *budget) again(kind string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.readers[kind].unkept > 0 && !b.full()
}

// report tells what is not kept of a kind when it is news: at first, when there is a good part more, and now and then.
func (b *budget) report(kind string) {
	t := b.readers[kind]
	if t.told == 0 || t.unkept > t.told+t.told/8 || t.unkept != t.told && time.Since(t.toldAt) > 10*time.Second {
		b.missing(t)
	}
}

// reportNow tells exactly what is not kept of a kind.
func (b *budget) reportNow(kind string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.missing(b.readers[kind])
}

// refused tells why a kind cannot be read: that says more than how many of it are not kept.
func (b *budget) refused(r *reader, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r.gapped.Store(true)
	r.w.openGap(r.kind.what(), why(err), r.kind.lost, r.kind.graph...)
}

// readable takes back that a kind cannot be read.
func (b *budget) readable(r *reader) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.gapped.Swap(false) {
		r.w.closeGap(r.kind.what())
		b.readers[r.kind.name].told = 0
		b.missing(b.readers[r.kind.name])
	}
}

func (b *budget) missing(t *tally) {
	r := t.reader
	if t.unkept == t.told || r.gapped.Load() {
		return
	}
	t.told, t.toldAt = t.unkept, time.Now()
	if t.unkept == 0 {
		r.w.closeGap(r.kind.what())
		return
	}
	number := fmt.Sprintf("%d objects are", t.unkept)
	switch {
	case t.more:
		number = fmt.Sprintf("at least %d objects are", t.unkept)
	case t.unkept == 1:
		number = "1 object is"
	}
	r.w.openGap(r.kind.what(), fmt.Sprintf("%s not kept: the budget of %s for the objects of this cluster is full%s", number, amount(b.most),
		b.where(r.kind.name)), r.kind.lost, r.kind.graph...)
}

// where names the namespace in which most of a kind is not kept.
func (b *budget) where(kind string) string {
	namespace, most := "", 0
	for s, h := range b.holdings {
		if s.kind == kind && (len(h.unkept) > most || len(h.unkept) == most && s.namespace < namespace) {
			namespace, most = s.namespace, len(h.unkept)
		}
	}
	if namespace == "" {
		return ""
	}
	return fmt.Sprintf("; %d of namespace %.63s", most, namespace)
}

func amount(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}
