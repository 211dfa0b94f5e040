package netpol

import (
	"github.com/breakwater-sec/breakwater/collect"
)

// Who writes policies and labels chooses how much there is to compare: rules, their peers and addresses, for each pair of pods
// that somebody asks about. A namespace has half of what the others leave of all that is done, and what is beyond is not
// known: open, and uncertain.
const (
	worksMost = 400_000_000 // rules, peers and addresses looked at
	partsMost = 512         // into which policies cut the addresses of one question
)

// work is what was done for the pods of each namespace.
type work struct {
	done int
	by   map[string]int
}

func (w *work) may(namespace string, n int) bool {
	own := w.by[namespace]
	if own+n > (worksMost-(w.done-own))/2 {
		return false
	}
	if w.by == nil {
		w.by = map[string]int{}
	}
	w.by[namespace] += n
	w.done += n
	return true
}

// spend counts what was done already, up to what the namespace has.
func (w *work) spend(namespace string, n int) {
	own := w.by[namespace]
	w.may(namespace, max(0, min(n, (worksMost-(w.done-own))/2-own)))
}

// costs is what one question about a direction costs.
func (s selection) costs(d Direction) (n int) {
	for _, tier := range s {
		for _, p := range tier {
			for _, r := range p.rules(d) {
				n += 1 + len(r.peers) + len(r.blocks) + len(r.perhaps)
			}
		}
	}
	return n
}

// undecided is the answer where there was too much to compare.
func undecided(self *collect.Pod, d Direction) []piece {
	return []piece{{ports: AllPorts(), allowed: true, at: Everywhere(),
		uncertain: "there are too many rules of policies to tell what they mean for " + string(d) + " of Pod " + self.Key.String()}}
}
