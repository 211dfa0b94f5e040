package api

import (
	"context"

	"github.com/breakwater-sec/breakwater/report"
)

// GetDifference implements StrictServerInterface.
func (s session) GetDifference(ctx context.Context, r GetDifferenceRequestObject) (GetDifferenceResponseObject, error) {
	for _, of := range [][2]string{{"base", r.Params.Base}, {"head", r.Params.Head}} {
		if s.Clusters[of[1]] == nil {
			return nil, missing(of[0] + " is the name of no cluster")
		}
	}
	if err := s.room(ctx, s.Clusters[r.Params.Base], s.Clusters[r.Params.Head]); err != nil {
		return nil, err
	}
	c, err := s.Compare(ctx, r.Params.Base, r.Params.Head)
	if err != nil {
		return nil, err
	}
	return GetDifference200JSONResponse(report.Between(c)), nil
}
