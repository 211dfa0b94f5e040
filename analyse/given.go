package analyse

import (
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/schema"
)

// parseGiven reads the graph of a rule's test.
func parseGiven(text string) (*graph.View, error) {
	return query.Given(query.Schema(), schema.Vocabulary(), text)
}

// givenID is a node's id as the test wrote it, without the test's cluster.
func givenID(n graph.Node) string {
	return strings.TrimPrefix(n.ID(), n.Cluster()+"/")
}
