package redact

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

// Memo remembers texts in which Text found nothing, for those that come again and again: they
// are looked at once. A text that lost something is not remembered, so that nothing keeps it.
// Its zero value is ready, and many may use it at once.
type Memo struct {
	clean [256]atomic.Pointer[string] // each where its hash says; what comes later stands instead
}

// memoSeed makes places of texts that nobody outside can aim at.
var memoSeed = maphash.MakeSeed()

// maxRemembered bounds a text that is remembered.
const maxRemembered = 512

// Value is Value.
func (m *Memo) Value(name, value string) string {
	if secretName(name) && !harmless(value) {
		return Mark
	}
	return m.Text(value)
}

// Text is Text.
func (m *Memo) Text(s string) string {
	if len(s) > maxRemembered {
		return Text(s)
	}
	place := &m.clean[maphash.String(memoSeed, s)%uint64(len(m.clean))]
	if have := place.Load(); have != nil && *have == s {
		return s
	}
	out := Text(s)
	if out == s {
		kept := strings.Clone(s) // s may be part of a text that is far longer
		place.Store(&kept)
	}
	return out
}
