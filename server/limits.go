package server

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/api"
	"github.com/breakwater-sec/breakwater/gate"
	"github.com/breakwater-sec/breakwater/ingest"
)

// Limits are what one asker or sender, and all of them, may have of this server, by their names.
type Limits map[string]int64

// Limit is one that a person can move.
type Limit struct {
	Name, Sentence string
	Default        int64
}

// EveryLimit says what the limits are. No source of events may have more than half of what the
// others leave of what they share.
var EveryLimit = []Limit{
	{"ingest-memory", "bytes of requests with events in flight, inflated, that all sources share", 256 << 20},
	{"ingest-disk", "bytes of events that wait to be analysed, that all sources share", 2 << 30},
	{"ingest-body", "bytes of one request with events, inflated", 64 << 20},
	{"ingest-connections", "connections of clusters and sensors", 4096},
	{"source-events", "events a second of one source, the audit log or the sensors of a cluster; ten seconds' worth at once", 100_000},
	{"source-bytes", "bytes a second of one source, inflated; ten seconds' worth at once", 128 << 20},
	{"source-nodes", "nodes that the sensors of one cluster may name", 10_000},
	{"connections", "connections to the portal", 4096},
	{"strangers", "connections, to each listener, of whom nobody has proved who they are; the oldest makes room", 512},
	{"strangers-per-address", "those of them that come from one address", 128},
	{"new-per-address", "connections that one address may open a second; four seconds' worth at once", 64},
	{"slowest", "bytes a second that a body or an answer must make; ten seconds without are the most", 16 << 10},
	{"queries", "queries, exports, reports and trials of fixes at once", 6},
	{"queries-per-person", "those of them that one person asks", 4},
	{"query-memory", "bytes that all of them may use at once, as they estimate it; who takes most ends when nothing is left", 1 << 30},
	{"query-seconds", "seconds that one of them may take", 60},
	{"streams", "pages that are told of news at once", 512},
	{"streams-per-person", "those of them that one person looks at", 128},
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
	return l, each("--limit", c.Limits, l.set)
}

func (l Limits) int(name string) int { return int(l[name]) }

func (l Limits) gate(connections string) gate.Limits {
	return gate.Limits{Connections: l.int(connections), Strangers: l.int("strangers"), PerAddress: l.int("strangers-per-address"),
		PerSecond: l.int("new-per-address")}
}

func (l Limits) pace() gate.Pace { return gate.Pace{Rate: l["slowest"]} }

func (l Limits) api() api.Limits {
	return api.Limits{Queries: l.int("queries"), EachQueries: l.int("queries-per-person"), Streams: l.int("streams"),
		EachStreams: l.int("streams-per-person"), Memory: l["query-memory"], Within: time.Duration(l["query-seconds"]) * time.Second}
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
		out = append(out, fmt.Sprintf("%s (%s; default %s)", one.Name, one.Sentence, written(one.Default)))
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
