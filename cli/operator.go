package cli

import (
	"encoding/json"
	"os"
	"os/user"
	"strconv"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/scope"
)

// operator is what somebody at the command line may see: everything, as they can
// read the files and the database. It is said here and nowhere else.
var operator = graph.Everything

// whoRuns is the account that runs the command: whom it acts for, where it acts for
// another (sudo).
func whoRuns() string {
	if name := os.Getenv("SUDO_USER"); name != "" {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "user " + strconv.Itoa(os.Getuid()) // a container's account may have no name
}

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
