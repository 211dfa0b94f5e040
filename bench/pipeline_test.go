package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/pipeline"
	"github.com/breakwater-sec/breakwater/store"
)

// perBatch is how many events an API server sends at once, at most.
const perBatch = 400

// auditBatches is the log as a webhook brings it.
func auditBatches(t testing.TB) (out []ingest.Batch) {
	lines := auditLog(t)
	for len(lines) > 0 {
		n := min(perBatch, len(lines))
		out = append(out, ingest.Batch{Kind: ingest.Audit, Stream: "bench", Lines: append(bytes.Join(lines[:n], []byte("\n")), '\n'), Events: n})
		lines = lines[n:]
	}
	return out
}

// speed is events per second of the clock, and per second of processor time.
type speed struct{ wall, cpu float64 }

// median is the middle of an odd number of values.
func median(values []float64) float64 { return slices.Sorted(slices.Values(values))[len(values)/2] }

// waiting is a cluster's batch of a number, behind which the next one waits.
func waiting(batches []ingest.Batch, cluster string, sequence uint64) ingest.Batch {
	b := batches[sequence%uint64(len(batches))]
	b.Cluster, b.Sequence, b.Received = cluster, sequence, time.Now()
	b.Next = func(context.Context) (ingest.Batch, bool) { return waiting(batches, cluster, sequence+1), true }
	return b
}

// analysed sends clusters' batches through the whole pipeline, from JSON to what is
// committed in SQLite, for a while and on so many cores.
func analysed(t testing.TB, rules *detect.Rules, batches []ingest.Batch, cores, clusters int) speed {
	t.Helper()
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(cores))
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	goruntime.GC() // of what the round before left
	p := pipeline.New(pipeline.Config{Rules: rules, Records: s, Tell: func() {}, Log: slog.New(slog.DiscardHandler)})
	counts := make([]int, clusters)
	began, cpu := time.Now(), cpuTime()
	err = p.Run(t.Context(), func(ctx context.Context, handler func(context.Context, ingest.Batch) error) error {
		var g errgroup.Group
		for i := range clusters {
			g.Go(func() error {
				for b := waiting(batches, fmt.Sprint("cluster-", i), 1); time.Since(began) < 3*time.Second; {
					if err := handler(ctx, b); err != nil {
						return err
					}
					counts[i] += b.Events
					b, _ = b.Next(ctx)
				}
				return nil
			})
		}
		return g.Wait()
	})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, one := range counts {
		n += one
	}
	return speed{float64(n) / time.Since(began).Seconds(), float64(n) / (cpuTime() - cpu).Seconds()}
}

// alone is set in a process that analyses one cluster on one core.
const alone = "BREAKWATER_BENCH_ALONE"

// apart is the events per second of two processes together, a cluster and a core each:
// what the machine gives two that share nothing.
func apart(t testing.TB) (sum float64) {
	t.Helper()
	var told [2]*bufio.Reader
	var begin [2]io.Closer
	for i := range told {
		one := exec.Command(os.Args[0], "-test.run=^TestMeasureAuditEventsOnTwoCores$")
		one.Env, one.Stderr = append(os.Environ(), alone+"=y"), os.Stderr
		out, err := one.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if begin[i], err = one.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		if err := one.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = one.Wait() }()
		told[i] = bufio.NewReader(out)
	}
	number := func(r *bufio.Reader) (n float64) {
		if _, err := fmt.Fscanln(r, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, one := range told {
		number(one) // it is ready
	}
	for _, one := range begin {
		_ = one.Close()
	}
	for _, one := range told {
		sum += number(one)
	}
	return sum
}

// TestMeasureAuditEventsOnTwoCores asks what a second core brings when two clusters
// send: each has an engine of its own. Processor time says what parallel work costs
// beyond the work itself, and two processes say what can be had of this machine.
func TestMeasureAuditEventsOnTwoCores(t *testing.T) {
	measured(t)
	rules, batches := manyRules(t, true), auditBatches(t)
	if os.Getenv(alone) != "" {
		fmt.Println(0)
		_, _ = io.Copy(io.Discard, os.Stdin)
		fmt.Println(analysed(t, rules, batches, 1, 1).wall)
		return
	}
	// Rounds in turn, and the middle of their ratios: other work on the machine comes and goes.
	var ones, twos, ratios, costs, aparts []float64
	for range 9 {
		one, two, processes := analysed(t, rules, batches, 1, 2), analysed(t, rules, batches, 2, 2), apart(t)
		ones, twos = append(ones, one.wall), append(twos, two.wall)
		ratios, costs, aparts = append(ratios, two.wall/one.wall), append(costs, two.cpu/one.cpu), append(aparts, processes/one.wall)
	}
	slices.Sort(ratios)
	t.Logf("audit, two clusters through the pipeline into SQLite: %.0f events/s on one core, %.0f on two; %.2f× (%.2f to %.2f); "+
		"per second of processor time %.2f×", median(ones), median(twos), median(ratios), ratios[0], ratios[len(ratios)-1], median(costs))
	t.Logf("audit, the same two clusters in two processes, each on one core: %.2f×", median(aparts))
	t.Logf("audit, one cluster on two cores: %.0f events/s", analysed(t, rules, batches, 2, 1).wall)
}
