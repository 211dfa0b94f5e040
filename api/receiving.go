package api

import (
	"fmt"
	"slices"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event/audit"
	"github.com/breakwater-sec/breakwater/scope"
)

// eventGaps says which events were not seen, and of which that is not known.
func eventGaps(received []Receiving, w *scope.World) []collect.Gap {
	out := []collect.Gap{}
	for _, c := range w.Ordered() {
		sends := func(r Receiving) bool { return r.Kind == Audit && r.Cluster == c.Name }
		if !slices.ContainsFunc(received, sends) {
			out = append(out, collect.Gap{Cluster: c.Name, Source: string(Audit), What: "audit log",
				Why:         "nobody sends it here (breakwater connect audit makes what its API server needs)",
				Consequence: "What people and programs do through its API server raises no alert."})
		}
	}
	for _, r := range received {
		gap := func(what, why, consequence string) {
			out = append(out, collect.Gap{Cluster: r.Cluster, Source: string(r.Kind), What: what, Why: why, Consequence: consequence})
		}
		switch {
		case r.Kind != Audit || r.Cluster == "":
		case r.Lost != nil && *r.Lost > 0:
			gap(fmt.Sprintf("%d audit events", *r.Lost), "its API server gave up sending them since it started",
				fmt.Sprintf("Attacks in them raised no alert. "+
					"They may be in its log file: breakwater connect replay brings them here (so far %d events came that way).", deref(r.Reconciled)))
		case r.Lost == nil && r.LostWhy != nil:
			gap("lost audit events", *r.LostWhy, "Whether the API server gave up sending some is not known.")
		}
		if n, undecided := deref(r.Blind), detect.Undecided(deref(r.Undecided)); n > 0 || undecided != "" {
			why, consequence := audit.WhyBlind(n)
			gap("what requests wrote", why, consequence+undecided)
		}
		if n := r.Rejected["no event"]; n > 0 {
			gap(fmt.Sprintf("%d texts", n), fmt.Sprintf("they are no %s events", r.Kind), "What they would have told raised no alert.")
		}
		if r.DeadLettered > 0 {
			gap(fmt.Sprintf("%d %s events", r.DeadLettered, r.Kind), "they could not be analysed and are set aside",
				"Attacks in them raised no alert.")
		}
	}
	return out
}
