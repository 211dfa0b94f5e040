package vuln

import (
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/breakwater-sec/breakwater/collect"
)

// Bounds on what is remembered of packages that were examined: a match is a few kilobytes, which all that have it share.
const (
	mostExamined = 100_000
	mostMatches  = 20_000
)

// examined is what a database said of a package.
type examined struct {
	matches []Match
	// entries are those that each match rests on.
	entries [][]*entry
	gaps    []collect.Gap
}

// remembered is what was examined last. A database does not change, and the same package is in many images: each is held against the
// advisories once, so that what new advisories make of all images costs little.
type remembered struct {
	mu struct {
		sync.Mutex
		known   *simplelru.LRU[string, examined]
		matches int
	}
}

// identity is all of a package that an advisory could look at.
func (p Package) identity() string {
	return strings.Join([]string{p.Ecosystem, p.Name, p.Version, p.Source, p.SourceVersion}, "\x00")
}

func (r *remembered) get(key string) (examined, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.known == nil {
		return examined{}, false
	}
	return r.mu.known.Get(key)
}

// put remembers, and forgets what was asked for longest ago where it is too much. What was damaged is read again.
func (r *remembered) put(key string, e examined) {
	if slices.ContainsFunc(e.gaps, func(g collect.Gap) bool { return g.What == damagedWhat }) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.known == nil {
		r.mu.known, _ = simplelru.NewLRU(mostExamined, func(_ string, e examined) { r.mu.matches -= len(e.matches) }) // the size is above 0
	}
	if r.mu.known.Contains(key) {
		return // another asked at the same time
	}
	r.mu.known.Add(key, e)
	for r.mu.matches += len(e.matches); r.mu.matches > mostMatches; {
		r.mu.known.RemoveOldest()
	}
}
