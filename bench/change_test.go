package bench

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/store"
)

// TestMeasureChangeToPath gives accounts of exposed pods the cluster, one after the other, and says how long each time
// it takes until the path is served, while the Explorer is asked.
func TestMeasureChangeToPath(t *testing.T) {
	measured(t)
	sizes := sizes(1000, 3000, 10_000, 30_000)
	f, err := kube.Read(clusterOf(sizes[len(sizes)-1]).files(t))
	if err != nil {
		t.Fatal(err)
	}
	f.Cluster.Name = "bench"
	pods, teams := len(f.Pods), len(f.Namespaces)-3
	records, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "b.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer records.Close()
	changes := make(chan collect.Change)
	l, err := live.New(live.Config{Records: records, Rules: builtInRules(t), Log: slog.New(slog.DiscardHandler)}, []live.Source{{
		Name: "bench", Saved: func() (*collect.Facts, error) { return f, nil },
		Watch: func(ctx context.Context, emit func(collect.Change)) error {
			emit(collect.Change{Op: collect.Synced, Time: time.Now()})
			for {
				select {
				case c := <-changes:
					emit(c)
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() {
		if err := l.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	worlds := l.Subscribe(ctx)
	until := func(shown func(*live.Cluster) bool) {
		for !shown(l.World().Clusters["bench"]) {
			<-worlds
		}
	}
	until(func(c *live.Cluster) bool { return c.State == live.Current && c.Segment != nil })
	asked := ask(ctx, t, l)
	var took, computed []time.Duration
	cpu := cpuTime()
	for n := range min(20, teams/5) {
		team := fmt.Sprintf("team-%d", 5*n)
		change, leads := grant(fmt.Sprintf("measured-%d", n), team, 50*n+2), func(p live.Path) bool {
			return p.Foothold.Namespace == team && p.Target.Kind == "Cluster"
		}
		if slices.ContainsFunc(l.World().Clusters["bench"].Open, leads) {
			continue // it is served already
		}
		began := time.Now()
		changes <- change
		until(func(c *live.Cluster) bool { return slices.ContainsFunc(c.Open, leads) })
		took, computed = append(took, time.Since(began)), append(computed, l.World().Clusters["bench"].Took)
	}
	cpu = cpuTime() - cpu
	stop()
	slices.Sort(took)
	slices.Sort(computed)
	at := func(all []time.Duration, q float64) time.Duration {
		return all[int(q*float64(len(all)-1))].Round(time.Millisecond)
	}
	t.Logf("%d pods, %d changes one after the other → path served, with the pause between computations: p50 %s, p95 %s, max %s; "+
		"the computation itself p50 %s, p95 %s; %s of CPU time a change, questions included", pods, len(took),
		at(took, 0.5), at(took, 0.95), at(took, 1), at(computed, 0.5), at(computed, 0.95),
		(cpu / time.Duration(max(1, len(took)))).Round(time.Millisecond))
	each := <-asked
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("  %d MiB from the operating system, those of reading the dump among them", m.Sys>>20)
	t.Logf("  %d questions beside: p50 %s, p95 %s, max %s", len(each), at(each, 0.5), at(each, 0.95), at(each, 1))
}

// grant gives the account of a team's exposed workload the whole cluster.
func grant(name, team string, workload int) collect.Change {
	return collect.Change{Op: collect.Put, Kind: "ClusterRoleBinding", Key: collect.Key{Name: name},
		Object: &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: name},
			RoleRef:  rbacv1.RoleRef{Kind: "ClusterRole", Name: "cluster-admin"},
			Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: team, Name: fmt.Sprintf("app-%d", workload)}}}}
}

// ask asks the newest World again and again, and says in the end how long each answer took.
func ask(ctx context.Context, t *testing.T, l *live.Live) <-chan []time.Duration {
	t.Helper()
	q, err := query.Parse("MATCH (p:Pod) WHERE p.exposed MATCH (p)-[:RUNS_AS]->(a:ServiceAccount) WHERE a.clusterAdmin RETURN p, a")
	if err != nil {
		t.Fatal(err)
	}
	out := make(chan []time.Duration, 1)
	go func() {
		var each []time.Duration
		for ctx.Err() == nil {
			began := time.Now()
			if _, err := query.Run(ctx, l.World().View, graph.Everything, q, query.Options{Limit: 100}); err == nil {
				each = append(each, time.Since(began))
			}
			time.Sleep(20 * time.Millisecond)
		}
		slices.Sort(each)
		out <- each
	}()
	return out
}
