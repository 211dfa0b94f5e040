package corpus

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/rbac"
)

func powers(t *testing.T) []rbac.Power {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "packs", "attack", "powers.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := rbac.ParsePowers("powers.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestCorpusPowers checks that each weak account of another project's test
// cluster holds the power that its attack needs, and that the account of the
// control case holds none.
func TestCorpusPowers(t *testing.T) {
	dir := filepath.Join(folder(t, "kubehound-cluster"), "attacks")
	f, err := kube.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	held := map[string][]string{}
	for _, h := range rbac.New(f).Holds(powers(t)) {
		held[h.Subject.Name] = append(held[h.Subject.Name], h.Power)
	}
	want := map[string]string{"pod-create-sa": "create-pods", "tokenlist-sa": "read-secrets"}
	hit, cases := 0, 0
	for k := range f.ServiceAccounts {
		power, known := want[k.Name]
		if !known {
			t.Logf("%s holds %v", k, held[k.Name])
			continue
		}
		cases++
		if strings.Contains(strings.Join(held[k.Name], " "), power) {
			hit++
		} else {
			t.Errorf("%s does not hold %s but %v", k, power, held[k.Name])
		}
	}
	t.Logf("%d of %d accounts hold the power of their attack", hit, cases)
	if control := held["control-sa"]; len(control) > 0 {
		t.Errorf("the control account holds %v", control)
	}
}

// TestCorpusClusterAdmin finds the documented cluster administrator.
func TestCorpusClusterAdmin(t *testing.T) {
	f, err := kube.Read(filepath.Join(folder(t, "kubernetes-goat"), "scenarios"))
	if err != nil {
		t.Fatal(err)
	}
	d := rbac.New(f).Can(rbac.ServiceAccount("kube-system", "superadmin"), rbac.Request{Verb: "*", Group: "*", Resource: "*"})
	if !d.Allowed || !d.Witness.BuiltIn {
		t.Errorf("superadmin: %s", d.Explain())
	}
}
