package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/store"
)

// ListSensors implements StrictServerInterface.
func (s session) ListSensors(ctx context.Context, r ListSensorsRequestObject) (ListSensorsResponseObject, error) {
	w, cluster := s.World, deref(r.Params.Cluster)
	rows, err := s.sensorRows(ctx, w, cluster)
	if err != nil {
		return nil, err
	}
	out := SensorList{Total: len(rows), Counts: map[string]int{}, Gaps: s.sensorGaps(w, cluster, rows)}
	for _, row := range rows {
		out.Counts[string(row.State)]++
	}
	out.WithSensor = out.Counts[string(Seeing)] + out.Counts[string(Partial)]
	if want := r.Params.State; want != nil {
		rows = slices.DeleteFunc(rows, func(row SensorRow) bool { return row.State != *want })
	}
	if out.Items, out.Next, err = page(rows, r.Params.Cursor, r.Params.Limit,
		func(row SensorRow) string { return row.Cluster + "/" + row.Node }); err != nil {
		return nil, err
	}
	return ListSensors200JSONResponse(out), nil
}

type nodeKey struct{ cluster, node string }

// sensorRows joins the graph's nodes with the sensors that report, blind ones first.
func (s session) sensorRows(ctx context.Context, w *scope.World, cluster string) ([]SensorRow, error) {
	rows := map[nodeKey]SensorRow{}
	for n := range w.View.Nodes("Node") {
		if cluster == "" || n.Cluster() == cluster {
			k := nodeKey{n.Cluster(), n.Text("name")}
			row := emptySensor(k)
			row.Known, row.Ref = true, new(refOf(n))
			rows[k] = row
		}
	}
	if err := s.reports(ctx, cluster, rows); err != nil {
		return nil, err
	}
	return slices.SortedFunc(maps.Values(rows), func(a, b SensorRow) int {
		return cmp.Or(cmp.Compare(stateOrder(a.State), stateOrder(b.State)), cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Node, b.Node))
	}), nil
}

func stateOrder(s SensorState) int {
	return slices.Index([]SensorState{None, Silent, Partial, Seeing}, s)
}

// reports puts what sensors said of themselves into the rows.
func (s session) reports(ctx context.Context, cluster string, rows map[nodeKey]SensorRow) error {
	sensors, all, err := s.Sensors(ctx, cluster)
	if err != nil {
		return err
	}
	runs := map[nodeKey][]store.SensorRun{}
	for _, r := range all {
		k := nodeKey{r.Cluster, r.Node}
		runs[k] = append(runs[k], r)
	}
	for _, sensor := range sensors {
		k := nodeKey{sensor.Cluster, sensor.Node}
		row, there := rows[k]
		if !there {
			row = emptySensor(k)
		}
		var st runtime.Status
		if err := json.Unmarshal(sensor.Status, &st); err != nil {
			row.State, row.Why = Silent, "What it says of itself cannot be read: "+err.Error()+"."
			row.SeenAt = new(sensor.SeenAt)
		} else {
			row.report(sensor, st, runs[k])
			row.judge(st, time.Now())
		}
		rows[k] = row
	}
	return nil
}

func emptySensor(k nodeKey) SensorRow {
	return SensorRow{Cluster: k.cluster, Node: k.node, State: None, Why: "No sensor of this node has ever reported.",
		Lost: map[string]int64{}, Probes: []SensorProbe{}}
}

func (row *SensorRow) report(sensor store.Sensor, st runtime.Status, runs []store.SensorRun) {
	row.SeenAt, row.Started, row.Build, row.Kernel = new(sensor.SeenAt), moment(st.Started), text(st.Build), text(st.Kernel)
	row.Seen, row.Sent, row.Waiting = int64(st.Seen), int64(st.Sent), int64(st.Waiting)
	row.ProcessorSeconds, row.MemoryBytes = st.Processor, int64(st.Memory)
	for why, n := range st.Lost {
		row.Lost[why] = int64(n)
	}
	for _, p := range st.Probes {
		row.Probes = append(row.Probes, SensorProbe{Name: p.Name, State: p.State, Why: text(p.Why)})
	}
	for _, r := range runs {
		if r.Boot == st.Boot {
			row.Received, row.Missing = int64(r.Received), int64(r.Missing)
		}
	}
}

const (
	// silentAfter is how many reports may fail to come before a sensor counts as silent.
	silentAfter = 3
	// A sensor's word on when it reports next is believed within these.
	leastInterval, mostInterval = 5 * time.Second, 10 * time.Minute
)

// judge says what of the node is seen, and why not all.
func (row *SensorRow) judge(st runtime.Status, now time.Time) {
	interval := max(leastInterval, min(time.Duration(st.Interval)*time.Second, mostInterval))
	at := row.SeenAt.UTC().Format("2006-01-02 15:04:05 UTC")
	var flaws []string
	for _, p := range st.Probes {
		if p.State != "on" {
			flaws = append(flaws, strings.TrimSuffix(fmt.Sprintf("the probe %s is off: %s", p.Name, p.Why), ": "))
		}
	}
	if len(st.Probes) == 0 {
		flaws = append(flaws, "it names no probe that is on")
	}
	for _, why := range slices.Sorted(maps.Keys(st.Lost)) {
		if n := st.Lost[why]; n > 0 {
			flaws = append(flaws, fmt.Sprintf("it lost %d of %d records since it started: %s", n, st.Seen, why))
		}
	}
	if row.Missing > 0 {
		flaws = append(flaws, fmt.Sprintf("%d records were lost on the way here", row.Missing))
	}
	switch {
	case st.Ends:
		row.State, row.Why = Silent, "It was stopped at "+at+"."
	case now.Sub(*row.SeenAt) > silentAfter*interval:
		row.State, row.Why = Silent, fmt.Sprintf("It last reported at %s, and should every %s.", at, interval)
	case len(flaws) > 0:
		row.State, row.Why = Partial, sentenceOf(strings.Join(flaws, "; "))
	default:
		row.State, row.Why = Seeing, ""
	}
	if !row.Known {
		row.Why = strings.TrimSpace(row.Why + " The graph holds no such node: it is gone, or nodes cannot be read.")
	}
}
