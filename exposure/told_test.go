package exposure

import (
	"fmt"
	"strings"
)

// told is all that the judge says, as people and the graph read it.
func told(r *Result) string {
	var b strings.Builder
	for _, route := range r.Routes {
		fmt.Fprintf(&b, "route to %s on %s, %s", route.Target(), portList(route.Ports()), route.Width)
		if len(route.Ranges) > 0 {
			b.WriteString(" " + prefixList(route.Ranges))
		}
		fmt.Fprintf(&b, " %q\n", route.Uncertain())
		for line := range strings.Lines(route.Explain()) {
			b.WriteString("  " + line)
		}
	}
	for _, h := range r.Hops() {
		fmt.Fprintf(&b, "hop %s → %s from %s: %v\n", h.From, h.To, h.Source, h.Evidence)
	}
	for _, e := range r.Entities {
		fmt.Fprintf(&b, "%s is exposed on %s, %s %q\n", e.Ref, portList(e.Ports), e.Width, e.Uncertain)
		for _, via := range e.Via {
			b.WriteString("  " + via + "\n")
		}
	}
	for _, c := range r.Closed {
		fmt.Fprintf(&b, "closed %s on %s: %s: %s %s\n", c.To, portList(c.Ports), c.Via, c.Policy.Name, c.Answer)
	}
	for _, g := range r.Gaps {
		fmt.Fprintf(&b, "gap %s: %s. %s\n", g.What, g.Why, g.Consequence)
	}
	return b.String()
}
