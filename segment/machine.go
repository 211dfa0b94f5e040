package segment

import (
	"maps"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/graph"
)

// machines joins nodes to the vulnerabilities of what they report to run, and returns what
// is known of each kind of machine once.
func (c *cluster) machines() (out []*assess.Assessment) {
	told := map[*assess.Assessment]bool{}
	for _, name := range slices.Sorted(maps.Keys(c.judged.Machines)) {
		a := c.judged.Machines[name]
		if !told[a] {
			told[a] = true
			out = append(out, a)
		}
		r := c.nodeRef(name)
		c.b.Set(r, graph.B("assessed", a.Scanned))
		if !a.Scanned {
			continue
		}
		c.b.Set(r, graph.B("partly", a.Partly()), graph.S("severity", string(worst(a))), graph.I("criticals", int64(a.Criticals)),
			graph.I("highs", int64(a.Highs)), graph.I("vulnerabilities", int64(a.Vulnerabilities)),
			insight(a, "exploited", a.Exploited, a.ExploitedUnknown), maybe("kernelEscapes", a.Escapes(assess.Kernel)),
			maybe("runtimeEscapes", a.Escapes(assess.Runtime)), maybe("kubeletEscapes", a.Escapes(assess.Kubelet)))
		for _, f := range a.Findings {
			c.b.Edge("NODE_HAS_VULNERABILITY", r, c.b.Ref("Vulnerability", f.ID), graph.S("part", f.PURL),
				text("package", strings.TrimSpace(f.Package.Name+" "+f.Package.Version)), text("fixed", f.FixedVersion),
				graph.S("severity", string(f.Severity)), text("advisory", strings.Join(f.Advisories, ", ")))
		}
	}
	return out
}
