// Package fixes tries the code that Breakwater gives for fixes on a real API server:
// for each technique there is a scene with a path, the code is run as people would run
// it, and the path is gone, while who could talk to whom still can.
package fixes

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/remedy"
	"github.com/breakwater-sec/breakwater/report"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/test/kubetest"
	"github.com/breakwater-sec/breakwater/vuln"
)

func TestMain(m *testing.M) { os.Exit(kubetest.Main(m)) }

// moment is what is read of the cluster at one time.
type moment struct {
	facts *collect.Facts
	world *scope.World
}

func read(t *testing.T, rules *analyse.Rules) moment {
	t.Helper()
	config, err := kube.FromContext("", "test")
	if err != nil {
		t.Fatal(err)
	}
	config.Secrets = true
	f, err := kube.Once(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	db, err := vuln.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w, err := live.Once(t.Context(), rules, assess.New(assess.Config{Advisories: func() *vuln.DB { return db }}), []*collect.Facts{f})
	if err != nil {
		t.Fatal(err)
	}
	return moment{f, scope.Of(w, graph.Everything)}
}

// by are the paths of a scene that its technique is a step of.
func (m moment) by(t *testing.T, s scene) (out []analyse.Path) {
	t.Helper()
	for _, p := range m.paths(t, s) {
		if s.technique == "" || slices.ContainsFunc(p.Steps, func(st analyse.Step) bool { return slices.Contains(st.Rules, s.technique) }) {
			out = append(out, p)
		}
	}
	return out
}

// paths are all of a scene's: from what is assumed or, without a technique, from outside.
func (m moment) paths(t *testing.T, s scene) (out []analyse.Path) {
	t.Helper()
	if s.technique == "" {
		d, err := report.AttackPaths(t.Context(), m.world)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range d.Paths {
			if p.Namespace == s.namespace() {
				out = append(out, p)
			}
		}
		return out
	}
	d, err := report.AssumedPaths(t.Context(), m.world, s.assumed())
	if err != nil && !errors.Is(err, scope.ErrNothing) {
		t.Fatalf("%s: assume %s: %v", s.technique, s.assumed(), err)
	}
	return d.Paths
}

// shell runs commands as somebody at a terminal would.
func shell(t *testing.T, c *kubetest.Cluster, bin, script string) error {
	t.Helper()
	cmd := exec.Command("sh", "-e", "-c", script)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig, "PATH="+bin+":"+os.Getenv("PATH"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s\n%s", err, out, script)
	}
	return nil
}

func TestTheCodeOfEveryFixEndsItsPathOnARealCluster(t *testing.T) {
	c := kubetest.Shared(t)
	bin, err := kubetest.Binaries()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", c.Kubeconfig)
	c.PretendNodes(t, kubetest.Nodes{Number: 1, External: func(int) string { return "8.8.4.4" }})
	rules, err := analyse.Load("")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	all.WriteString(plugin + "---\n")
	for _, s := range scenes {
		all.WriteString(s.manifests() + "---\n")
	}
	file := filepath.Join(t.TempDir(), "scenes.yaml")
	if err := os.WriteFile(file, []byte(all.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	const node = "kubectl label node node-1 node-role.kubernetes.io/control-plane=\n" +
		"kubectl patch node node-1 -p '{\"spec\": {\"podCIDR\": \"10.0.0.0/8\", \"podCIDRs\": [\"10.0.0.0/8\"]}}'\n"
	if err := shell(t, c, bin, node+"kubectl apply --server-side -f "+file); err != nil {
		t.Fatal(err)
	}
	before := settled(t, rules)
	ends := map[string]string{} // the path that each scene's code is for
	for _, s := range scenes {
		paths := before.by(t, s)
		if len(paths) == 0 {
			t.Errorf("%s: no path from %s takes it", s.namespace(), s.assumed())
			continue
		}
		ends[s.namespace()] = paths[0].ID
		if err := mend(t, c, bin, remedy.New(before.facts, rules).Path(paths[0]), s); err != nil {
			t.Errorf("%s: %v", s.namespace(), err)
			delete(ends, s.namespace())
		}
	}
	after := settledBut(t, rules, ends)
	for _, s := range scenes {
		if s.keeps != "" && ends[s.namespace()] != "" && !mayGet(t, c, s) {
			t.Errorf("%s: the account app may no longer get %s", s.technique, s.keeps)
		}
	}
	for _, lost := range lostRoutes(before.facts, after.facts) {
		t.Errorf("a way of traffic was lost: %s", lost)
	}
	t.Logf("%d scenes; pairs of workloads that talk on: %d", len(scenes), len(report.Exposed(after.facts).Connections))
}

// mend runs the code of the fix of the scene's technique.
func mend(t *testing.T, c *kubetest.Cluster, bin string, p analyse.Path, s scene) error {
	t.Helper()
	i := slices.IndexFunc(p.Fixes, func(f analyse.Fix) bool {
		return strings.HasPrefix(f.Title, s.title) && (f.Rule == s.technique || s.title != "")
	})
	if i < 0 {
		return fmt.Errorf("path %s has no fix for it", p.Title)
	}
	if p.Fixes[i].WithoutCode != "" {
		return fmt.Errorf("no code: %s", p.Fixes[i].WithoutCode)
	}
	for _, change := range p.Fixes[i].Code {
		if err := shell(t, c, bin, change.Command); err != nil {
			return err
		}
	}
	return nil
}

// settled waits until all pods run.
func settled(t *testing.T, rules *analyse.Rules) moment {
	t.Helper()
	return await(t, rules, func(m moment) string {
		for k, p := range m.facts.Pods {
			if p.Phase != "Running" || p.Node == "" {
				return k.String() + " does not run"
			}
		}
		for k, w := range m.facts.Workloads {
			if k.Kind == "Deployment" && !slices.ContainsFunc(pods(m.facts), func(p *collect.Pod) bool {
				return p.Namespace == k.Namespace && strings.HasPrefix(p.Name, w.Name+"-")
			}) {
				return k.Key.String() + " has no pod"
			}
		}
		if len(m.facts.Pods) == 0 {
			return "there are no pods"
		}
		return ""
	})
}

func pods(f *collect.Facts) (out []*collect.Pod) {
	for _, p := range f.Pods {
		out = append(out, p)
	}
	return out
}

// settledBut waits until the paths are gone and all pods run.
func settledBut(t *testing.T, rules *analyse.Rules, ends map[string]string) moment {
	t.Helper()
	return await(t, rules, func(m moment) string {
		var still []string
		for _, s := range scenes {
			if slices.ContainsFunc(m.paths(t, s), func(p analyse.Path) bool { return p.ID == ends[s.namespace()] }) {
				still = append(still, s.namespace())
			}
		}
		if len(still) > 0 {
			return "paths are still there: " + strings.Join(still, ", ")
		}
		return ""
	})
}

// await reads the cluster until nothing is wanting.
func await(t *testing.T, rules *analyse.Rules, wanting func(moment) string) moment {
	t.Helper()
	deadline := time.Now().Add(3 * time.Minute)
	for {
		m := read(t, rules)
		why := wanting(m)
		if why == "" {
			return m
		}
		if time.Now().After(deadline) {
			t.Fatal(why)
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// mayGet asks the API server's authorizer, until it has learnt what was granted.
func mayGet(t *testing.T, c *kubetest.Cluster, s scene) bool {
	t.Helper()
	for range 100 {
		r, err := c.Client.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorizationv1.SubjectAccessReview{
			Spec: authorizationv1.SubjectAccessReviewSpec{User: "system:serviceaccount:" + s.namespace() + ":app",
				ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: s.namespace(), Verb: "get", Resource: s.keeps, Name: "any"}},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Status.Allowed {
			return true
		}
		time.Sleep(100 * time.Millisecond)
	}
	return false
}

// cut says that the fix of a scene is to keep two apart.
func cut(from, to string) bool {
	return slices.ContainsFunc(scenes, func(s scene) bool {
		in := "test/" + s.namespace() + "/Deployment/"
		who, whom := strings.TrimPrefix(from, in), strings.TrimPrefix(to, in)
		return slices.Contains(s.cut, [2]string{who, whom})
	})
}

// lostRoutes are pairs of workloads that no longer talk to each other.
func lostRoutes(before, after *collect.Facts) (out []string) {
	now := map[[2]string][]string{}
	for _, c := range report.Exposed(after).Connections {
		now[[2]string{c.From, c.To}] = append(now[[2]string{c.From, c.To}], c.Ports...)
	}
	for _, c := range report.Exposed(before).Connections {
		for _, port := range c.Ports {
			if cut(c.From, c.To) {
				continue
			}
			if have := now[[2]string{c.From, c.To}]; !slices.Contains(have, port) && !slices.Contains(have, "all") {
				out = append(out, c.From+" to "+c.To+" on "+port)
			}
		}
	}
	return out
}

func TestEveryTechniqueWithCodeHasASceneOrAReason(t *testing.T) {
	rules, err := analyse.Load("")
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range rules.Techniques() {
		code := rules.Code(h.ID)
		made := code != nil && code.None == ""
		has := slices.ContainsFunc(scenes, func(s scene) bool { return s.technique == h.ID && s.title == "" })
		switch why := uncovered[h.ID]; {
		case made && !has && why == "":
			t.Errorf("technique %s has code, and no scene shows that it ends a path", h.ID)
		case has && !made:
			t.Errorf("there is a scene of %s, which has no code", h.ID)
		case why != "" && (has || !made):
			t.Errorf("technique %s is excused and need not be", h.ID)
		}
	}
}
