package server

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/api"
	"github.com/breakwater-sec/breakwater/gate"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/store"
)

// Limits are what one asker or sender, and all of them, may have of this server, by their names.
type Limits map[string]int64

// Limit is one that a person can move.
type Limit struct {
	Name, Sentence string
	Default        int64
	// Of says what the default is where it is not one number, which is 0 then.
	Of string
}

// EveryLimit says what the limits are. No source of events may have more than half of what the
// others leave of what they share.
var EveryLimit = []Limit{
	{Name: "ingest-memory", Sentence: "bytes of requests with events in flight, inflated, that all sources share", Default: 256 << 20},
	{Name: "ingest-disk", Sentence: "bytes of events that wait to be analysed, that all sources share", Default: 2 << 30},
	{Name: "ingest-body", Sentence: "bytes of one request with events, inflated", Default: 64 << 20},
	{Name: "ingest-connections", Sentence: "connections of clusters and sensors", Default: 4096},
	{Name: "source-events",
		Sentence: "events a second of one source, the audit log or the sensors of a cluster; ten seconds' worth at once", Default: 100_000},
	{Name: "source-bytes", Sentence: "bytes a second of one source, inflated; ten seconds' worth at once", Default: 128 << 20},
	{Name: "source-nodes", Sentence: "nodes that the sensors of one cluster may name", Default: 10_000},
	{Name: "connections", Sentence: "connections to the portal", Default: 4096},
	{Name: "strangers",
		Sentence: "connections, to each listener, of whom nobody has proved who they are; the oldest makes room", Default: 512},
	{Name: "strangers-per-address", Sentence: "those of them that come from one address", Default: 128},
	{Name: "new-per-address", Sentence: "connections that one address may open a second; four seconds' worth at once", Default: 64},
	{Name: "slowest", Sentence: "bytes a second that a body or an answer must make; ten seconds without are the most", Default: 16 << 10},
	{Name: "queries", Sentence: "queries, exports, reports and trials of fixes at once", Default: 6},
	{Name: "queries-per-person", Sentence: "those of them that one person asks", Default: 4},
	{Name: "query-memory",
		Sentence: "bytes that all of them may use at once, as they estimate it; who takes most ends when nothing is left", Default: 1 << 30},
	{Name: "query-seconds", Sentence: "seconds that one of them may take", Default: 60},
	{Name: "streams", Sentence: "pages that are told of news at once", Default: 512},
	{Name: "streams-per-person", Sentence: "those of them that one person looks at", Default: 128},
	{Name: layers, Sentence: "bytes kept of what was read of layers of images; the oldest go first", Default: store.LayerBytes},
	{Name: clusterObjects, Sentence: "bytes of objects kept of one cluster; what is beyond is a gap",
		Of: "a quarter of the memory, shared by the clusters, and from 64MiB to 2GiB"},
}

// DefaultLimits are those that nobody moved.
func DefaultLimits() Limits {
	l := Limits{}
	for _, one := range EveryLimit {
		l[one.Name] = one.Default
	}
	return l
}

// units are how large numbers are written.
var units = []struct {
	end  string
	size int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}

// set moves a limit.
func (l Limits) set(name, value string) error {
	if _, known := l[name]; !known {
		var names []string
		for _, one := range EveryLimit {
			names = append(names, one.Name)
		}
		return fmt.Errorf("%s: want one of %s", name, strings.Join(names, ", "))
	}
	digits, size := value, int64(1)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(value, u.end); ok {
			digits, size = rest, u.size
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 1 || n > (1<<50)/size {
		return fmt.Errorf("%s=%s: want a number from 1, such as 512, 64MiB or 2GiB", name, value)
	}
	l[name] = n * size
	return nil
}

// limits are the default, changed by flags.
func (c Config) limits() (Limits, error) {
	l := DefaultLimits()
	err := each("--limit", c.Limits, l.set)
	if l[clusterObjects] == 0 {
		l[clusterObjects] = min(max(memory()/4/max(1, int64(len(c.From))), 64<<20), 2<<30)
	}
	return l, err
}

// layers is what may be kept of layers.
const layers = "layers"

// retained bounds what is kept by bytes, where that has a limit.
func (l Limits) retained(r store.Retention) {
	kept := r["layers"]
	kept.Bytes = l[layers]
	r["layers"] = kept
}

// clusterObjects is what the objects of each cluster may take.
const clusterObjects = "cluster-objects"

func (l Limits) int(name string) int { return int(l[name]) }

func (l Limits) gate(connections string) gate.Limits {
	return gate.Limits{Connections: l.int(connections), Strangers: l.int("strangers"), PerAddress: l.int("strangers-per-address"),
		PerSecond: l.int("new-per-address")}
}

func (l Limits) pace() gate.Pace { return gate.Pace{Rate: l["slowest"]} }

func (l Limits) api() api.Limits {
	return api.Limits{Queries: l.int("queries"), EachQueries: l.int("queries-per-person"), Streams: l.int("streams"),
		EachStreams: l.int("streams-per-person"), Memory: l["query-memory"], Within: time.Duration(min(l["query-seconds"], 1<<30)) * time.Second}
}

// bound sets what limits the endpoint for events.
func (l Limits) bound(c *ingest.Config) {
	c.Memory, c.MaxBytes, c.MaxBody, c.Nodes = l["ingest-memory"], l["ingest-disk"], l["ingest-body"], l.int("source-nodes")
	c.Rate = ingest.Rate{Events: l["source-events"], Bytes: l["source-bytes"]}
	c.Connections, c.Pace = l.gate("ingest-connections"), l.pace()
}

// shown are the limits as people see them, with how often one was in somebody's way.
func (v *Server) shown(refused map[string]uint64) (out []api.Bound) {
	refused["connections"] = v.door.gate.Closed()
	if v.alerting != nil {
		refused["ingest-connections"] = v.alerting.server.Closed()
	}
	for _, one := range EveryLimit {
		shown := api.Bound{Name: one.Name, What: one.Sentence, Value: v.limits[one.Name]}
		if n, counted := refused[one.Name]; counted {
			shown.Refused = new(int(n))
		}
		out = append(out, shown)
	}
	return out
}

// limitNames are those that can be moved, for the help of a flag.
func limitNames() string {
	var out []string
	for _, one := range EveryLimit {
		out = append(out, fmt.Sprintf("%s (%s; default %s)", one.Name, one.Sentence, cmp.Or(one.Of, written(one.Default))))
	}
	return strings.Join(out, ", ")
}

// LimitHelp is what the flag says.
func LimitHelp() string { return "NAME=VALUE: moves a limit; may repeat: " + limitNames() }

// written is a number as people write it.
func written(n int64) string {
	for _, u := range slices.Backward(units) {
		if n%u.size == 0 {
			return fmt.Sprint(n/u.size, u.end)
		}
	}
	return strconv.FormatInt(n, 10)
}

// longest is for how long anything can be told to take or wait: a time that far ahead is still one.
const longest = 10 * 365 * 24 * time.Hour

// times says which durations cannot be meant: an hour typed as nanoseconds would ask those who publish advisories without a pause.
func (c Config) times() error {
	for _, one := range []struct {
		flag         string
		given, least time.Duration
	}{
		{"--advisories-every", c.AdvisoriesEvery, time.Minute},
		{"--registry-every", c.RegistryEvery, time.Millisecond},
		{"--save-every", c.SaveEvery, time.Millisecond},
		{"--sensor-cert-life", c.SensorCertificates, time.Second},
	} {
		if one.given != 0 && one.given < one.least || one.given > longest {
			return fmt.Errorf("%s %s: want from %s to %s", one.flag, one.given, one.least, longest)
		}
	}
	return nil
}
