package cli

import (
	"encoding/json"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/scope"
)

// operator is what somebody at the command line may see: everything, as they can
// read the files and the database. It is said here and nowhere else.
var operator = graph.Everything

// seen is a world as the operator sees it.
func seen(w *live.World, err error) (*scope.World, error) {
	if err != nil {
		return nil, err
	}
	return scope.Of(w, operator), nil
}

// operatorScope is the operator's scope as a session carries it.
func operatorScope() string {
	b, err := json.Marshal(operator)
	if err != nil {
		panic(err) // a scope can be written
	}
	return string(b)
}
