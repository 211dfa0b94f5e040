package corpus

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/exposure"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/ref"
)

// TestCorpusGateways compares the services that gateways expose with what the
// Gateway API's conformance tests say.
func TestCorpusGateways(t *testing.T) {
	dir := folder(t, "gateway-api-conformance")
	var count tally
	scored := 0
	for _, row := range table(t, filepath.Join(dir, "exposure.csv")) {
		paths := []string{filepath.Join(dir, "base")}
		for m := range strings.SplitSeq(row["manifests"], ";") {
			paths = append(paths, filepath.Join(dir, m))
		}
		f, err := kube.Read(paths...)
		if err != nil {
			t.Fatal(err)
		}
		ns, name, _ := strings.Cut(row["backend"], "/")
		_, got := exposure.Judge(f, netpol.New(f)).Find(ref.Ref{Namespace: ns, Kind: "Service", Name: name})
		switch {
		case row["test"] == "HTTPRouteServiceTypes" && strings.Contains(name, "manual"):
			continue // the test fills their EndpointSlices in while it runs
		case row["test"] == "GRPCRouteWeight" && name == "grpc-infra-backend-v3":
			continue // the key has it exposed, but the route's weight for it is zero
		}
		scored++
		switch want := row["exposed"] == "true"; {
		case got && want:
			count.hit++
		case got:
			count.wrong++
			t.Errorf("%s: %s is exposed and should not be", row["test"], row["backend"])
		case want:
			count.missed++
			t.Errorf("%s: %s is not exposed", row["test"], row["backend"])
		}
	}
	t.Logf(
		"%d verdicts: precision %.3f, recall %.3f",
		scored,
		ratio(count.hit, count.hit+count.wrong),
		ratio(count.hit, count.hit+count.missed),
	)
}

// TestCorpusGoatExposure finds the node port that the guide documents. No node
// is in the manifests, so the route is there and marked.
func TestCorpusGoatExposure(t *testing.T) {
	f, err := kube.Read(filepath.Join(folder(t, "kubernetes-goat"), "scenarios"))
	if err != nil {
		t.Fatal(err)
	}
	e, ok := exposure.Judge(f, netpol.New(f)).
		Find(ref.Ref{Namespace: "default", Kind: "Service", Name: "internal-proxy-info-app-service"})
	if !ok || e.Uncertain == "" {
		t.Errorf("exposed %v, uncertain %q", ok, e.Uncertain)
	}
}

// TestCorpusOnlineBoutique is the noise of a benign application: one door.
func TestCorpusOnlineBoutique(t *testing.T) {
	f, err := kube.Read(folder(t, "online-boutique"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range exposure.Judge(f, netpol.New(f)).Entities {
		if !strings.Contains(e.Name, "frontend") {
			t.Errorf("%s is exposed by %v", e.ID(), e.Via)
		}
	}
}
