package corpus

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/provider"
)

// control is the number of a rule in the key's words.
var control = regexp.MustCompile(`\((C-\d+)\)`)

// TestCorpusCloudContext asks what clouds say of clusters and registries: facts that
// Cartography's tests expect, and what Kubescape's rules find wrong.
func TestCorpusCloudContext(t *testing.T) {
	dir := folder(t, "cloud-context")
	key := table(t, inside(dir, "expected.csv"))
	s := scoring(t, "cloud-context", len(key))
	for _, row := range key {
		name := named(row["case_id"], row["fact"])
		if s.excepted(name) {
			continue
		}
		said, err := provider.Read(inside(dir, row["file"]))
		if err != nil {
			t.Fatal(err)
		}
		switch m := control.FindStringSubmatch(row["fact"]); {
		case m != nil:
			s.row(name, !fine(said, m[1]), row["expected"] == "fail")
		case strings.HasPrefix(row["fact"], "API server"):
			i := slices.IndexFunc(said.Clusters, func(c collect.CloudCluster) bool { return c.Name == row["case_id"] })
			s.row(name, i >= 0 && is(said.Clusters[i].Public), row["expected"] == "true")
		case strings.HasSuffix(row["fact"], "system:masters"):
			words := strings.Fields(row["case_id"])
			s.row(name, slices.ContainsFunc(said.Accesses, func(a collect.CloudAccess) bool {
				return a.Cluster == words[0] && strings.HasSuffix(a.Identity, "/"+words[len(words)-1]) && slices.Contains(a.Groups, "system:masters")
			}), row["expected"] == "true")
		default:
			s.leave(name, "no fact of ours answers it")
		}
	}
	s.end()
}

func is(b *bool) bool { return b != nil && *b }

// fine says whether a rule of Kubescape finds nothing wrong.
func fine(said *collect.Cloud, rule string) bool {
	clusters := func(ok func(collect.CloudCluster) bool) bool {
		return len(said.Clusters) > 0 && !slices.ContainsFunc(said.Clusters, func(c collect.CloudCluster) bool { return !ok(c) })
	}
	switch rule {
	case "C-0241": // roles of the cloud decide in the cluster
		return clusters(func(c collect.CloudCluster) bool { return is(c.CloudRoles) })
	case "C-0247": // who may connect to the API server is listed
		return clusters(func(c collect.CloudCluster) bool { return len(c.Ranges) > 0 })
	case "C-0248": // nodes have no public addresses
		return clusters(func(c collect.CloudCluster) bool { return is(c.PrivateNodes) })
	case "C-0252": // the API server has an address inside
		return clusters(func(c collect.CloudCluster) bool { return is(c.PrivateEndpoint) })
	case "C-0221": // images are scanned
		return len(said.Repositories) > 0 &&
			!slices.ContainsFunc(said.Repositories, func(r collect.CloudRepository) bool { return !is(r.ScanOnPush) })
	}
	return true
}
