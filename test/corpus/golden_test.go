package corpus

import (
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/test/golden"
)

// TestCorpusForeignManifests holds what the commands say of other people's manifests to files that a reviewer has read.
// The manifests themselves are no part of this repository; the files hold our words and the names of their objects.
func TestCorpusForeignManifests(t *testing.T) {
	for name, at := range map[string]string{
		"badpods": "badpods/manifests", "goat": "kubernetes-goat/scenarios", "kubehound": "kubehound-cluster/attacks",
		"boutique": "online-boutique",
	} {
		t.Run(name, func(t *testing.T) {
			family, below, _ := strings.Cut(at, "/")
			from := name + "=" + inside(folder(t, family), below)
			var said strings.Builder
			for _, command := range [][]string{
				{"paths"},
				{"exposure"},
				{"query", "MATCH (p:Pod)-[:RUNS]->(c:Container)-[:CAN_TAKE_OVER]->(n:Node) RETURN p.name, c.name, n.name"},
				{"query", "MATCH (p:Pod)-[:RUNS]->(c:Container)-[:MOUNTS]->(v:Volume) WHERE v.hostPath RETURN p.name, c.name, v.path"},
				{"query", "MATCH (s:ServiceAccount)-[:HOLDS]->(p:Permission)-[:CAN_TAKE_OVER]->(c:Cluster) RETURN s.namespace, s.name, p.name"},
				{"query", "MATCH (s:ServiceAccount)-[:HOLDS]->(p:Permission) RETURN s.namespace, s.name, p.name"},
			} {
				answer, told := breakwaterSays(t, append(command, "--data", t.TempDir(), "--from", from)...)
				said.WriteString("# breakwater " + strings.Join(command, " ") + "\n\n" + answer)
				if command[0] == "paths" { // what could not be seen is the same for all
					said.WriteString(told)
				}
				said.WriteString("\n")
			}
			golden.Compare(t, "testdata/"+name+".txt", said.String())
		})
	}
}
