package report

import (
	"context"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
)

// Cut is the document of few fixes that end paths: how many paths there were, and what
// could not be seen.
type Cut struct {
	analyse.Cut
	Paths int `json:"paths"`
	// Stale counts paths of the selection that could not be judged again: no fix is chosen for them.
	Stale int           `json:"stale,omitempty"`
	Gaps  []collect.Gap `json:"gaps"`
}

// CutOf chooses fixes for paths, and does them on copies of their clusters to see what is left.
func CutOf(ctx context.Context, paths []analyse.Path, gaps []collect.Gap, assume string, try Try) (Cut, error) {
	found, err := analyse.MinimumCut(ctx, paths, func(ctx context.Context, cluster string, fixes []analyse.Fix) ([]analyse.Path, error) {
		trial, err := try(ctx, cluster, fixes, assume)
		if err != nil {
			return nil, err
		}
		return trial.Paths, nil
	})
	return Cut{Cut: found, Paths: len(paths), Gaps: append([]collect.Gap{}, gaps...)}, err
}
