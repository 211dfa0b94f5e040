package live

import (
	"maps"
	"slices"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
)

// machinesOf asks once for all nodes that report the same.
func machinesOf(f *collect.Facts, from Machines) map[string]*assess.Assessment {
	type reported struct{ os, kernel, runtime, kubelet string }
	done := map[reported]*assess.Assessment{}
	out := make(map[string]*assess.Assessment, len(f.Nodes))
	for _, n := range f.Nodes {
		is := reported{n.OSImage, n.KernelVersion, n.ContainerRuntime, n.KubeletVersion}
		if is == (reported{}) {
			continue // a node of a manifest
		}
		if done[is] == nil {
			done[is] = from.Machine(n)
		}
		out[n.Name] = done[is]
	}
	return out
}

// machineGaps is what could not be said of nodes: each thing once, with how many nodes it is about.
func machineGaps(machines map[string]*assess.Assessment) (out []collect.Gap) {
	at := map[collect.GapKey]int{}
	note := func(g collect.Gap) {
		i, told := at[g.Key()]
		if !told {
			i, at[g.Key()] = len(out), len(out)
			out = append(out, g)
		}
		out[i].Count++
	}
	for _, name := range slices.Sorted(maps.Keys(machines)) {
		a := machines[name]
		for _, g := range a.Gaps {
			note(g)
		}
		if !a.Scanned && len(a.Gaps) == 0 {
			note(collect.Gap{Source: "node", What: "what nodes run", Why: a.Why, Kinds: []string{"NODE_HAS_VULNERABILITY"},
				Consequence: "Vulnerabilities of kernels, container runtimes and kubelets are not known."})
		}
	}
	return out
}
