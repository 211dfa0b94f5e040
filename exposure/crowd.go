package exposure

import (
	"fmt"
	"maps"
	"slices"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/ref"
)

// Who may create Services, Ingresses, routes and pods makes as many ways in as the product of them, and a way is larger than
// each. So of a pod some ways are told, of all pods some more, and of the rest how many there are and what they open.
// What a namespace may have of what all share is half of what the others leave: none takes another's.
const (
	waysOfPod = 16        // into one pod, whatever others have
	waysMore  = 50_000    // beyond those, of all
	answers   = 1_000_000 // of policies about a port of pods, beyond those about ways that every pod has
	visits    = 2_000_000 // of groups of pods, by ways
	portsOf   = 256       // of one Service at one pod, and of a pod in all, that are told one by one
	spokenOf  = 16        // hosts, ports and addresses in a sentence
)

// share is room that namespaces share.
type share struct {
	size, held int
	by         map[string]int
}

func (s *share) take(namespace string, n int) bool {
	own := s.by[namespace]
	if own+n > (s.size-(s.held-own))/2 {
		return false
	}
	if s.by == nil {
		s.by = map[string]int{}
	}
	s.by[namespace] += n
	s.held += n
	return true
}

// crowd counts ways into pods.
type crowd struct {
	into, shut            map[collect.Key]int // told, and closed by policies
	passed                map[ref.Ref]bool    // what some way that is told passes
	more, answers, visits share
	untold                map[collect.Key]*untold
	ways                  int // that are not told
	lost                  int // that were not followed to all of their pods
	closed                int // that policies close, and are not told
}

// untold is what the ways into a pod open that are not told one by one.
type untold struct {
	ports   map[netpol.Port]bool
	all     bool // ports
	width   Width
	certain bool
}

func newCrowd(pods int) crowd {
	return crowd{into: map[collect.Key]int{}, shut: map[collect.Key]int{}, passed: map[ref.Ref]bool{}, untold: map[collect.Key]*untold{},
		more: share{size: waysMore}, answers: share{size: answers}, visits: share{size: visits + waysOfPod*pods}}
}

// tells says whether a way into a pod is told: the first through each object is, so that it is known to be exposed.
func (c *crowd) tells(w way, p *collect.Pod) bool {
	first := slices.ContainsFunc(w.hops, func(h *Hop) bool { return !c.passed[h.To] })
	if !first && c.into[p.Key] >= waysOfPod && !c.more.take(p.Namespace, 1) {
		return false
	}
	for _, h := range w.hops {
		c.passed[h.To] = true
	}
	c.into[p.Key]++
	return true
}

// follows says whether a way is followed to one more group of pods.
func (c *crowd) follows(w way, namespace string) bool {
	return c.visits.take(namespace, 1) || slices.ContainsFunc(w.hops, func(h *Hop) bool { return !c.passed[h.To] })
}

// asks says whether the policies are asked about each of some ports of pods: always, of few ports, where few ways lead to them.
func (c *crowd) asks(t target) bool {
	few := len(t.ports) <= waysOfPod && slices.ContainsFunc(t.pods, func(p *collect.Pod) bool { return c.into[p.Key] < waysOfPod })
	return few || c.answers.take(t.pods[0].Namespace, len(t.ports))
}

// leaveOut keeps of a way that is not told what it opens.
func (c *crowd) leaveOut(p *collect.Pod, ports []netpol.Port, width Width, uncertain string) {
	u := c.untold[p.Key]
	if u == nil {
		u = &untold{ports: map[netpol.Port]bool{}, width: Ranges}
		c.untold[p.Key] = u
	}
	c.ways++
	if width == Any {
		u.width = Any
	}
	u.certain = u.certain || uncertain == ""
	if len(ports) > portsOf {
		ports = nil
	}
	u.all = u.all || len(ports) == 0
	for _, port := range ports {
		if u.all = u.all || len(u.ports) > portsOf; u.all {
			return
		}
		u.ports[port] = true
	}
}

// crowded says what is not told.
func (j *judge) crowded() {
	c := &j.crowd
	if c.ways > 0 {
		j.gap("ways into crowded pods",
			fmt.Sprintf("%d pods have more ways in than are told one by one: %d of them are not", len(c.untold), c.ways),
			"The pods, and the ports that these ways open, are marked as exposed; which way leads where is not shown for each.")
	}
	if c.lost > 0 {
		j.gap("ways to many pods",
			fmt.Sprintf("Services and what leads to them name more pods and hosts than are looked at: %d times some were left out", c.lost),
			"Pods behind them may be exposed and not be shown.")
	}
	if c.closed > 0 {
		j.gap("ways that policies close", fmt.Sprintf("there are too many: %d are not told", c.closed),
			"What would be exposed without a policy is not shown for each.")
	}
}

// open adds what the ways opened that are not told.
func (j *judge) open(entities []Exposed) {
	for i := range entities {
		e := &entities[i]
		if e.Kind != "Pod" {
			continue
		}
		u := j.crowd.untold[collect.KeyOf(e.Ref)]
		if u == nil {
			continue
		}
		if u.width == Any {
			e.Width = Any
		}
		if u.certain {
			e.Uncertain = ""
		}
		if e.Ports = distinct(append(slices.Clone(e.Ports), slices.Collect(maps.Keys(u.ports))...)); u.all || len(e.Ports) > portsOf {
			e.Ports = nil
		}
	}
}
