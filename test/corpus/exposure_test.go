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
	key := table(t, inside(dir, "exposure.csv"))
	s := scoring(t, "gateway-api-conformance", len(key))
	for _, row := range key {
		name := named(row["test"], row["backend"])
		if s.excepted(name) {
			continue
		}
		paths := []string{filepath.Join(dir, "base")}
		for m := range strings.SplitSeq(row["manifests"], ";") {
			paths = append(paths, inside(dir, m))
		}
		f, err := kube.Read(paths...)
		if err != nil {
			t.Fatal(err)
		}
		namespace, service, _ := strings.Cut(row["backend"], "/")
		_, got := exposure.Judge(f, netpol.New(f)).Find(ref.Ref{Namespace: namespace, Kind: "Service", Name: service})
		s.row(name, got, row["exposed"] == "true")
	}
	s.end()
}
