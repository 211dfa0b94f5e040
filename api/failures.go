package api

import (
	"sync"
	"time"
)

// failures counts the sign-ins that failed, for each address. Nobody is signed in there: what they can have us
// write down is bounded, however often and from however many addresses they try.
type failures struct {
	mu struct {
		sync.Mutex
		since time.Time
		of    map[string]int
	}
}

const (
	failuresFor   = time.Hour // how long they are counted
	mostAddresses = 20        // counted by their own name; the others are counted together
	otherwise     = "other addresses"
	tooMany       = 10 // failed ones of an address until it is told to wait
)

// add counts a failed sign-in. It returns how many there were of the address, under which name it is counted, since
// when, and whether to record it: the first, the tenth, the hundredth and so on.
func (f *failures) add(address string, now time.Time) (n int, name string, since time.Time, record bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Sub(f.mu.since) > failuresFor || f.mu.of == nil {
		f.mu.since, f.mu.of = now, map[string]int{}
	}
	if _, known := f.mu.of[address]; !known && len(f.mu.of) >= mostAddresses {
		address = otherwise
	}
	f.mu.of[address]++
	n = f.mu.of[address]
	return n, address, f.mu.since, powerOfTen(n)
}

func powerOfTen(n int) bool {
	for n >= 10 && n%10 == 0 {
		n /= 10
	}
	return n == 1
}
