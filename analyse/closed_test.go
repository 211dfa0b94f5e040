package analyse

import (
	"fmt"
	"strings"
	"testing"
)

// TestWhatTrafficFixesEnd writes a graph of routes to pods, and the routes that a fix ends.
func TestWhatTrafficFixesEnd(t *testing.T) {
	const (
		web   = "Service web -ROUTES_TO{ports=8080/TCP}-> Pod a namespace=n workload=Deployment/a\n"
		admin = "Service admin -ROUTES_TO{ports=9090/TCP}-> Pod a namespace=n workload=Deployment/a\n"
		other = "Service web -ROUTES_TO{ports=8080/TCP}-> Pod b namespace=n workload=Deployment/b\n"
		twin  = "Service admin -ROUTES_TO{ports=7070/TCP}-> Pod twin namespace=n workload=Deployment/a\n"
		runs  = "Pod a -RUNS-> Container a/c namespace=n workload=Deployment/a\n"
	)
	for _, test := range []struct{ name, given, ends, want string }{
		{"the door of all", web + other, "ROUTES_TO internet web", "a was 8080/TCP is none, b was 8080/TCP is none"},
		{"the way to one", web + other, "ROUTES_TO web a", "a was 8080/TCP is none"},
		{"one of two ways", web + admin, "ROUTES_TO web a", "a was 8080/TCP 9090/TCP is 9090/TCP"},
		{"pods of one workload are told together", web + twin, "ROUTES_TO web a", "a was 7070/TCP 8080/TCP is 7070/TCP"},
		{"a port that another pod of the workload answers on, too", web + strings.ReplaceAll(twin, "7070", "8080"), "ROUTES_TO web a", ""},
		{"a way on any port", strings.ReplaceAll(web, "{ports=8080/TCP}", ""), "ROUTES_TO web a", "a was all is none"},
		{"a way that is not there", web, "ROUTES_TO admin a", ""},
		{"what is no route", web + runs, "RUNS a a/c", ""},
		{"nothing", web, "", ""},
		{"a pod that has ended", strings.ReplaceAll(web, "workload", "ended=true workload"), "ROUTES_TO web a", ""},
		{"a pod that nothing routes to", other + "Pod a namespace=n workload=Deployment/a exposed=true\n", "ROUTES_TO internet web",
			"b was 8080/TCP is none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			v, err := parseGiven("Internet internet -ROUTES_TO{ports=80/TCP}-> Service web\n" +
				"Internet internet -ROUTES_TO{ports=81/TCP}-> Service admin\n" + test.given)
			if err != nil {
				t.Fatal(err)
			}
			fix := Fix{Kind: fixExposure}
			if at := strings.Fields(test.ends); len(at) > 0 {
				for _, kind := range startsOf(at[0]) {
					for n := range v.Nodes(kind) {
						for e := range n.Out(at[0]) {
							if givenID(n) == at[1] && givenID(e.To) == at[2] {
								fix.endings = append(fix.endings, endingOf(e))
							}
						}
					}
				}
			}
			rest, err := NewBreach(v, &Rules{}).Without(t.Context(), []Fix{fix}, "")
			if err != nil {
				t.Fatal(err)
			}
			var said []string
			for _, c := range rest.Closed {
				is := "none"
				if len(c.Left) > 0 {
					is = strings.Join(c.Left, " ")
				}
				said = append(said, fmt.Sprintf("%s was %s is %s", c.Workload[strings.LastIndex(c.Workload, "/")+1:], strings.Join(c.Ports, " "), is))
			}
			if got := strings.Join(said, ", "); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}
