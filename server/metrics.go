package server

import (
	"bufio"
	"cmp"
	"context"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/gate"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/severity"
)

// Metrics says who may ask for them.
type Metrics struct {
	// Listen is an address of their own; empty: nobody may.
	Listen string
	// TokenFile holds the token that who asks must show. Beyond loopback there must be one.
	TokenFile string
}

// leastToken is how long the token must be.
const leastToken = 16

// listenMetrics opens the port, or none. Beyond loopback a token is wanted, and TLS, so that it
// is not read on the way.
func (v *Server) listenMetrics() (net.Listener, error) {
	m := v.config.Metrics
	if m.Listen == "" {
		return nil, nil
	}
	host, _, err := net.SplitHostPort(m.Listen)
	if err != nil {
		return nil, fmt.Errorf("--metrics-listen %q: want HOST:PORT, such as 127.0.0.1:9464: %w", m.Listen, err)
	}
	if m.TokenFile != "" {
		text, err := os.ReadFile(m.TokenFile)
		if err != nil {
			return nil, fmt.Errorf("--metrics-token-file: %w", err)
		}
		if v.metricsToken = strings.TrimSpace(string(text)); len(v.metricsToken) < leastToken {
			return nil, fmt.Errorf("--metrics-token-file %s: want a token of at least %d letters", m.TokenFile, leastToken)
		}
	}
	secure := v.config.TLSCert != "" && v.config.TLSKey != ""
	ip := net.ParseIP(host)
	if local := host == "localhost" || ip != nil && ip.IsLoopback(); !local && (!secure || v.metricsToken == "") {
		return nil, fmt.Errorf("--metrics-listen %s: beyond loopback, give --metrics-token-file, --tls-cert and --tls-key too", m.Listen)
	}
	l, err := net.Listen("tcp", m.Listen)
	if err != nil {
		return nil, fmt.Errorf("--metrics-listen: %w", err)
	}
	l = gate.New(v.limits.gate("connections")).Listen(l)
	if !secure {
		return l, nil
	}
	cert, err := openCertificate(v.config.TLSCert, v.config.TLSKey, v.log)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("--tls-cert: %w", err), l.Close())
	}
	return tls.NewListener(l, cert.TLS()), nil
}

// serveMetrics answers until ctx ends.
func (v *Server) serveMetrics(ctx context.Context) error {
	if v.metrics == nil {
		return nil
	}
	web := gate.Server(ctx, v.limits.pace().Handler(v.metricsHandler()), v.log)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := web.Serve(v.metrics); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve metrics: %w", err)
		}
		return nil
	})
	g.Go(func() error { <-ctx.Done(); return web.Close() })
	return g.Wait()
}

// metricsHandler serves /metrics and nothing else. No session of the portal opens it.
func (v *Server) metricsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		shown, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if v.metricsToken != "" && subtle.ConstantTimeCompare([]byte(shown), []byte(v.metricsToken)) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "want the token of --metrics-token-file", http.StatusUnauthorized)
			return
		}
		if !localHost(r.Host) && v.metricsToken == "" { // a page of somebody else, by a name that points here
			http.Error(w, "without a token, metrics are for this machine", http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_ = v.writeMetrics(r.Context(), w) // the asker left
	})
	return mux
}

func localHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Metric is a family of metrics. Labels have few values: clusters that people named and words of
// ours, never what a cluster holds.
type Metric struct {
	Name, Type, Help string
	Labels           []string
	collect          func(context.Context, *Server, func(value float64, labels ...string))
}

// writeMetrics writes them in the text format of Prometheus.
func (v *Server) writeMetrics(ctx context.Context, to io.Writer) error {
	w := bufio.NewWriter(to)
	for _, m := range MetricsTold() {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", m.Name, m.Help, m.Name, m.Type)
		m.collect(ctx, v, func(value float64, labels ...string) {
			w.WriteString(m.Name)
			for i, name := range m.Labels {
				fmt.Fprintf(w, `%c%s="%s"`, "{,"[min(i, 1)], name, escapeLabel.Replace(strings.ToValidUTF8(labels[i], "\ufffd")))
			}
			if len(m.Labels) > 0 {
				w.WriteString("}")
			}
			fmt.Fprintf(w, " %s\n", strconv.FormatFloat(value, 'g', -1, 64))
		})
	}
	return w.Flush()
}

var escapeLabel = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// counted is a metric that is told of each cluster and kind of events.
func counted(name, help string, of func(ingest.Count) uint64) Metric {
	return Metric{name, "counter", help, []string{"cluster", "kind"},
		func(ctx context.Context, v *Server, emit func(float64, ...string)) {
			for _, c := range v.eventCounts(ctx) {
				emit(float64(of(c)), c.Cluster, string(c.Kind))
			}
		}}
}

// eventCounts are what came of events, none if none are taken. What strangers sent has no cluster.
func (v *Server) eventCounts(ctx context.Context) []ingest.Count {
	if v.alerting == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	counts, _ := v.alerting.server.Counts(ctx) // what is known is told
	return counts
}

func one(value func(*Server) float64) func(context.Context, *Server, func(float64, ...string)) {
	return func(_ context.Context, v *Server, emit func(float64, ...string)) { emit(value(v)) }
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// MetricsTold are all metrics, in the order in which they are told.
func MetricsTold() []Metric {
	return []Metric{
		{"breakwater_build_info", "gauge", "1, with the version of the program.", []string{"version"},
			func(_ context.Context, _ *Server, emit func(float64, ...string)) { emit(1, Version()) }},
		{"breakwater_start_time_seconds", "gauge", "When the server was started, in seconds since 1970.", nil,
			one(func(v *Server) float64 { return float64(v.began.Unix()) })},
		{"breakwater_ready", "gauge", "1 if /readyz answers 200, else 0.", nil,
			one(func(v *Server) float64 { return truth(len(v.Unready()) == 0) })},
		{"breakwater_world_version", "counter", "How often the picture has changed since the start.", nil,
			one(func(v *Server) float64 { return float64(v.Live.World().Version) })},
		{"breakwater_cluster_as_of_seconds", "gauge", "As of when a cluster is known, in seconds since 1970; 0 if it was not read yet.",
			[]string{"cluster"}, func(_ context.Context, v *Server, emit func(float64, ...string)) {
				for _, c := range v.Live.World().Ordered() {
					emit(max(0, float64(c.AsOf.Unix())), c.Name)
				}
			}},
		{"breakwater_cluster_compute_seconds", "gauge", "How long the last computation of a cluster took.",
			[]string{"cluster"}, func(_ context.Context, v *Server, emit func(float64, ...string)) {
				for _, c := range v.Live.World().Ordered() {
					emit(c.Took.Seconds(), c.Name)
				}
			}},
		{"breakwater_cluster_gaps", "gauge", "How many things could not be seen of a cluster.",
			[]string{"cluster"}, func(_ context.Context, v *Server, emit func(float64, ...string)) {
				for _, c := range v.Live.World().Ordered() {
					emit(float64(len(c.Gaps)), c.Name)
				}
			}},
		{"breakwater_attack_paths", "gauge", "Open attack paths of a cluster, by risk.", []string{"cluster", "risk"}, pathMetrics},
		{"breakwater_images", "gauge", "Images that clusters run, by the state of their assessment.", []string{"state"}, imageMetrics},
		counted("breakwater_events_received_total", "Events of well-formed requests.", func(c ingest.Count) uint64 { return c.Received }),
		counted("breakwater_events_accepted_total", "Events that were stored to be analysed.", func(c ingest.Count) uint64 { return c.Accepted }),
		counted("breakwater_events_duplicate_total", "Events that were there already.", func(c ingest.Count) uint64 { return c.Duplicate }),
		counted("breakwater_events_dropped_total", "Events that were too big to be stored.", func(c ingest.Count) uint64 { return c.Dropped }),
		counted("breakwater_events_analysed_total", "Events that were analysed.", func(c ingest.Count) uint64 { return c.Analysed }),
		counted("breakwater_events_dead_lettered_total", "Events that could not be analysed and are kept apart.",
			func(c ingest.Count) uint64 { return c.DeadLettered }),
		{"breakwater_event_batches_waiting", "gauge", "Batches of events that are stored and not analysed yet.", []string{"cluster", "kind"},
			func(ctx context.Context, v *Server, emit func(float64, ...string)) {
				for _, c := range v.eventCounts(ctx) {
					emit(float64(c.Waiting), c.Cluster, string(c.Kind))
				}
			}},
		{"breakwater_event_requests_rejected_total", "counter", "Requests with events that were refused, by reason.",
			[]string{"cluster", "kind", "reason"}, func(ctx context.Context, v *Server, emit func(float64, ...string)) {
				for _, c := range v.eventCounts(ctx) {
					for _, reason := range sorted(c.Rejected) {
						emit(float64(c.Rejected[reason]), c.Cluster, string(c.Kind), reason)
					}
				}
			}},
		{"breakwater_registry_pushes_total", "counter", "Pushes that a registry told of: taken, elsewhere (not read here) or dropped.",
			[]string{"registry", "outcome"}, pushMetrics},
		{"breakwater_store_table_rows", "gauge", "Rows of a table when it was last measured.", []string{"table"},
			func(_ context.Context, v *Server, emit func(float64, ...string)) {
				_, sizes := v.measured.last()
				for _, z := range sizes {
					emit(float64(z.Rows), z.Table)
				}
			}},
		{"breakwater_store_table_bytes", "gauge", "Bytes of a table and its indexes when it was last measured.", []string{"table"},
			func(_ context.Context, v *Server, emit func(float64, ...string)) {
				_, sizes := v.measured.last()
				for _, z := range sizes {
					emit(float64(z.Bytes), z.Table)
				}
			}},
		{"breakwater_store_writable", "gauge", "1 if the records could be written when that was last tried, else 0.", nil,
			one(func(v *Server) float64 { return truth(v.health.writable()) })},
		{"breakwater_disk_free_bytes", "gauge", "Room that is left on the disk.", nil,
			one(func(v *Server) float64 { return float64(v.disk.now().Free) })},
		{"breakwater_disk_reserve_bytes", "gauge", "Room below which events are refused, see --min-free.", nil,
			one(func(v *Server) float64 { return float64(v.disk.now().Reserve) })},
		{"breakwater_disk_refusing", "gauge", "1 while events are refused for want of room, else 0.", nil,
			one(func(v *Server) float64 { return truth(v.disk.now().Why != "") })},
		{"breakwater_log_records_total", "counter", "Records of the log, by level.", []string{"level"},
			func(_ context.Context, v *Server, emit func(float64, ...string)) {
				emit(float64(v.told.warnings.Load()), "warn")
				emit(float64(v.told.errors.Load()), "error")
			}},
		{"go_goroutines", "gauge", "Goroutines that there are.", nil,
			one(func(*Server) float64 { return float64(runtime.NumGoroutine()) })},
		{"go_memstats_heap_inuse_bytes", "gauge", "Bytes of the heap in use.", nil, one(func(*Server) float64 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return float64(m.HeapInuse)
		})},
		{"process_open_fds", "gauge", "Open file descriptors; 0 where the system does not tell.", nil, one(func(*Server) float64 {
			open, _ := os.ReadDir("/proc/self/fd")
			return float64(len(open))
		})},
	}
}

func pathMetrics(_ context.Context, v *Server, emit func(float64, ...string)) {
	for _, c := range v.Live.World().Ordered() {
		by := map[string]int{}
		for _, p := range c.Open {
			by[p.Path.Risk]++
		}
		for _, risk := range severity.Rated {
			emit(float64(by[risk]), c.Name, risk)
		}
	}
}

func pushMetrics(_ context.Context, v *Server, emit func(float64, ...string)) {
	for _, r := range v.Registries.Registries() {
		emit(float64(r.Pushes.Taken), r.Host, "taken")
		emit(float64(r.Pushes.Elsewhere), r.Host, "elsewhere")
		emit(float64(r.Pushes.Dropped), r.Host, "dropped")
	}
}

func imageMetrics(_ context.Context, v *Server, emit func(float64, ...string)) {
	by := map[string]int{}
	for _, i := range v.Images.Images() {
		by[cmp.Or(i.State, "unknown")]++
	}
	for _, state := range sorted(by) {
		emit(float64(by[state]), state)
	}
}
