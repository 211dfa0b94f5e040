package cli

import (
	"context"
	"fmt"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/prove"
	"github.com/breakwater-sec/breakwater/report"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/server"
)

// provenPaths are attack paths with what an API server said of their steps, where it
// was asked.
type provenPaths struct {
	report.Paths
	Proof *prove.Answer `json:"proof,omitempty"`
}

// provePaths asks the cluster of --from about the steps of its paths, and tries connections
// from a pod if one is named.
func provePaths(ctx context.Context, in input, w *scope.World, paths []analyse.Path, pod string) (*prove.Answer, error) {
	_, source := server.SplitFrom(in.from[0])
	cfg, live, err := kube.Cluster(source)
	if err != nil {
		return nil, err
	}
	if !live {
		return nil, fmt.Errorf("--prove asks an API server, and %s is none: want --from context:NAME or in-cluster", source)
	}
	api, err := kube.NewProver(cfg)
	if err != nil {
		return nil, err
	}
	rules, err := server.LoadRules(in.rules)
	if err != nil {
		return nil, err
	}
	answer, err := prove.Paths(ctx, api, w.View, rules.Powers, paths, pod)
	if err != nil {
		return nil, fmt.Errorf("prove attack paths: %w", err)
	}
	return &answer, nil
}

// printProofs writes what was asked as a table, and how much of it is so.
func printProofs(s streams, a *prove.Answer) error {
	t := newTable(s.out, "VERDICT", "FROM", "STEP", "TO", "WHY")
	for _, p := range a.Proofs {
		if p.Verdict != prove.Unproven {
			t.row(string(p.Verdict), p.From, p.Edge, p.To, p.Why)
		}
	}
	if err := t.flush(); err != nil {
		return err
	}
	said := "none could be asked about"
	if share, ok := a.Precision(); ok {
		said = fmt.Sprintf("of those asked about, %.1f %% are so", 100*share)
	}
	fmt.Fprintf(s.err, "%d steps verified, %d refuted, %d unproven: %s\n", a.Verified, a.Refuted, a.Unproven, said)
	return nil
}
