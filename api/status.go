package api

import (
	"context"
	"fmt"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/scope"
)

// GetStatus implements StrictServerInterface.
func (s session) GetStatus(context.Context, GetStatusRequestObject) (GetStatusResponseObject, error) {
	w := s.World
	return GetStatus200JSONResponse{Version: s.version, World: int(w.Version), Clusters: clusterStates(w), Images: s.imageCounts(),
		Advisories: s.advisoryStatus(), Gaps: s.gaps(w), Limits: s.limits(), NoRoom: text(s.noRoom)}, nil
}

// limits are those of this server, nil where nobody told of any.
func (s session) limits() *[]Bound {
	if s.shown == nil {
		return nil
	}
	return new(s.shown(map[string]uint64{"queries": s.bounds.queries.refused.Load(), "query-memory": s.bounds.memory.Refused(),
		"streams": s.bounds.streams.refused.Load()}))
}

// GetStorage implements StrictServerInterface. Rows of all clusters are counted, so it is for who
// may see all of them.
func (s session) GetStorage(ctx context.Context, _ GetStorageRequestObject) (GetStorageResponseObject, error) {
	if !s.World.All() {
		return nil, fmt.Errorf("what is stored of all clusters: %w", scope.ErrOutside)
	}
	if s.storage == nil {
		return nil, missing("what is stored is not known here")
	}
	out, err := s.storage(ctx)
	if err != nil {
		return nil, err
	}
	return GetStorage200JSONResponse(out), nil
}

// GetCoverage implements StrictServerInterface.
func (s session) GetCoverage(ctx context.Context, _ GetCoverageRequestObject) (GetCoverageResponseObject, error) {
	w := s.World
	c := Coverage{Clusters: clusterStates(w), Gaps: s.gaps(w), Images: s.imageCounts(), Unscanned: []ImageRow{},
		Advisories: s.advisoryStatus(), Ecosystems: map[string]int{}}
	for _, row := range s.imageRows(w) {
		if row.State != Done {
			c.Unscanned = append(c.Unscanned, row)
		}
	}
	if db := s.advisories(); db != nil {
		c.Ecosystems = db.Status().Ecosystems
	}
	received, err := s.receiving(ctx)
	if err != nil {
		return nil, err
	}
	c.Gaps = append(c.Gaps, eventGaps(received, w)...)
	if _, err := s.exceptions(ctx); err != nil && w.All() {
		c.Gaps = append(c.Gaps, collect.Gap{Source: "file", What: "exceptions", Why: err.Error(),
			Consequence: "What people accepted counts as it was read before."})
	}
	return GetCoverage200JSONResponse(c), nil
}

// gaps is everything that could not be seen, advisories included.
func (s session) gaps(w *scope.World) []collect.Gap {
	out := list(w.Gaps())
	if db := s.advisories(); db != nil {
		out = append(out, db.Status().Gaps...)
	}
	return out
}

// maxUnseen bounds what a page of a list says of gaps.
const maxUnseen = 50

// unseen is what a list says beside its rows: each reason once, and the first of them.
func (s session) unseen() *[]collect.Gap {
	out := collect.ByReason(s.gaps(s.World))
	if more := len(out) - maxUnseen; more > 0 {
		out = append(out[:maxUnseen], collect.Gap{Source: "api", What: fmt.Sprintf("%d further reasons", more), Why: "they are in the coverage",
			Consequence: "The coverage tells all that could not be seen.", Count: more})
	}
	all := list(out)
	return &all
}

func clusterStates(w *scope.World) []ClusterStatus {
	out := []ClusterStatus{}
	for _, c := range w.Ordered() {
		st := ClusterStatus{Name: c.Name, State: ClusterStatusState(c.State), Counts: c.Counts, Unread: c.Unread, Gaps: len(c.Gaps),
			Kubernetes: text(c.Info.Version), Server: text(c.Info.Server), Source: text(c.Info.Source)}
		if st.Counts == nil {
			st.Counts = map[string]int{}
		}
		if st.Unread == nil {
			st.Unread = map[string]int{}
		}
		if !c.AsOf.IsZero() {
			st.AsOf, st.TookMs = new(c.AsOf), new(int(c.Took.Milliseconds()))
		}
		out = append(out, st)
	}
	return out
}

// imageCounts counts the images that some cluster uses by their state.
func (s session) imageCounts() ImageCounts {
	var c ImageCounts
	for _, i := range s.Images() {
		c.Total++
		switch ScanState(i.State) {
		case Done:
			c.Done++
		case Queued, Scanning:
			c.Waiting++
		case Failed:
			c.Failed++
		case Unsupported:
			c.Unsupported++
		default:
			c.Unknown++
		}
	}
	return c
}

func (s session) advisoryStatus() AdvisoryStatus {
	db := s.advisories()
	if db == nil {
		return AdvisoryStatus{}
	}
	st := db.Status()
	return AdvisoryStatus{Records: st.Records, Sources: len(st.Sources), Newest: moment(st.Newest), ImportedAt: moment(st.ImportedAt),
		Kev: st.HasKEV, Epss: st.HasEPSS}
}

// moment is nil for the zero time.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
