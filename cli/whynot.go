package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/ref"
	"github.com/breakwater-sec/breakwater/server"
	"github.com/breakwater-sec/breakwater/terminal"
)

// whyNot is the answer of paths --why-not: the nearest way, nil where none leads there even without guards.
type whyNot struct {
	From string           `json:"from"`
	To   string           `json:"to"`
	Way  *analyse.Nearest `json:"way"`
	Gaps []collect.Gap    `json:"gaps"`
}

// answerWhyNot looks for the nearest way in one cluster, which --from names.
func answerWhyNot(ctx context.Context, in input, from, to string) (out whyNot, err error) {
	if len(in.from) != 1 {
		return out, errors.New("--why-not asks about one cluster: want exactly one --from")
	}
	facts, err := in.facts(ctx)
	if err != nil {
		return out, err
	}
	w, err := in.computed(ctx, facts)
	if err != nil {
		return out, err
	}
	rules, err := server.LoadRules(in.rules)
	if err != nil {
		return out, err
	}
	var lifted []analyse.Lifted
	if open, policies := facts[0].WithoutPolicies(); policies {
		without, err := in.computed(ctx, []*collect.Facts{open})
		if err != nil {
			return out, err
		}
		lifted = append(lifted, analyse.Lifted{View: without.View, Guard: "network policies forbid the connection"})
	}
	out = whyNot{From: from, To: to, Gaps: gapsOrEmpty(w.Gaps())}
	out.Way, _, err = analyse.NearestWay(ctx, w.View, rules, from, to, lifted...)
	return out, err
}

func printWhyNot(s streams, f format, d whyNot) error {
	if f != "table" {
		return writeJSON(s.out, d)
	}
	switch {
	case d.Way == nil:
		fmt.Fprintf(s.out, "No way leads from %s to %s, whatever guards are ignored.\n", terminal.Plain(d.From), terminal.Plain(d.To))
	case d.Way.Reached:
		fmt.Fprintf(s.out, "Nothing prevents it: from %s an attacker can reach %s.\n", terminal.Plain(d.From), terminal.Plain(d.To))
	default:
		fmt.Fprintf(s.out, "No path. On the nearest way from %s to %s: %s.\n", terminal.Plain(d.From), terminal.Plain(d.To),
			terminal.Count(d.Way.Guards, "guard"))
	}
	if d.Way != nil {
		for i, step := range d.Way.Steps {
			fmt.Fprintf(s.out, "   %d. %s %s %s", i+1, terminal.Plain(nameInCluster(step.From)), step.Verb, terminal.Plain(nameInCluster(step.To)))
			if step.Technique != "" {
				fmt.Fprintf(s.out, " (%s)", terminal.Plain(step.Technique))
			}
			fmt.Fprintln(s.out)
			if len(step.Prevented) > 0 {
				fmt.Fprintf(s.out, "      prevented: %s\n", terminal.Plain(strings.Join(step.Prevented, "; ")))
			}
			if step.Uncertain != "" {
				fmt.Fprintf(s.out, "      uncertain: %s\n", terminal.Plain(step.Uncertain))
			}
		}
	}
	printGaps(s.err, d.Gaps)
	return nil
}

// nameInCluster is a thing of one cluster as people name it: its kind, and where it is
// within the cluster.
func nameInCluster(kindID string) string {
	kind, id := ref.ParseKindID(kindID)
	cluster, rest, more := strings.Cut(id, "/")
	if !more {
		return kind + " " + id
	}
	parts := strings.Split(rest, "/")
	if i := slices.Index(parts, kind); i >= 0 {
		parts = slices.Delete(parts, i, i+1)
	}
	return kind + " " + cmp.Or(strings.Join(parts, "/"), cluster)
}
