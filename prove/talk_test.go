package prove

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/schema"
)

// network is a cluster's pods and what comes of connections to them, by address and port.
type network struct {
	server
	pods  map[string]string // addresses, by namespace and name
	says  map[string]kube.Attempt
	tried []string
}

func (n *network) PodIP(_ context.Context, namespace, name string) (string, error) {
	ip, there := n.pods[namespace+"/"+name]
	if !there {
		return "", apierrors.NewNotFound(corev1.Resource("pods"), name)
	}
	if ip == "forbidden" {
		return "", errors.New("read pod " + namespace + "/" + name + ": it is forbidden")
	}
	return ip, nil
}

func (n *network) Connect(_ context.Context, from kube.From, host string, port int) (kube.Attempt, error) {
	to := fmt.Sprintf("%s:%d", host, port)
	n.tried = append(n.tried, from.Namespace+"/"+from.Pod+"/"+from.Container+" to "+to)
	says, known := n.says[to]
	if !known {
		return says, errors.New("the API server hung up")
	}
	return says, nil
}

// talking is a class of two pods that send, and one of two that listen.
const talking = `
Container shop/web/app name=app -TALKS_AS-> NetClass sends
Pod shop/web namespace=shop name=web -RUNS-> Container shop/web/app
Container shop/job/main name=main -TALKS_AS-> NetClass sends
Pod shop/job namespace=shop name=job -RUNS-> Container shop/job/main
Container shop/tool/app name=app
Pod shop/tool namespace=shop name=tool -RUNS-> Container shop/tool/app
NetClass sends -CAN_TALK_TO-> NetClass listens ports=PORTS
Container db/one/app name=app -TALKS_AS-> NetClass sends
Container db/one/app -LISTENS_AS-> NetClass listens
Pod db/one namespace=db name=one -RUNS-> Container db/one/app
Container db/two/app -LISTENS_AS-> NetClass listens
Pod db/two namespace=db name=two -RUNS-> Container db/two/app
`

func TestAConnectionThatIsMadeShowsThatPodsCanTalkAndThatAllAreDeniedThatTheyCannot(t *testing.T) {
	made, refused := kube.Attempt{Made: true, Known: true, Why: "made"}, kube.Attempt{Known: true, Why: "refused"}
	noShell := kube.Attempt{Why: "no shell"}
	both := map[string]string{"db/one": "10.0.0.1", "db/two": "10.0.0.2"}
	for _, c := range []struct {
		name, from, ports string
		pods              map[string]string
		says              map[string]kube.Attempt
		verdict           Verdict
		why               string
		tries             int
	}{
		{"the first listener answers", "shop/web", "6379/TCP", both, map[string]kube.Attempt{"10.0.0.1:6379": made},
			Verified, "from pod shop/web to port 6379 of pod one: made", 1},
		{"only the second does", "shop/web", "6379/TCP", both,
			map[string]kube.Attempt{"10.0.0.1:6379": refused, "10.0.0.2:6379": made},
			Verified, "from pod shop/web to port 6379 of pod two: made", 2},
		{"none does", "shop/web", "6379/TCP", both,
			map[string]kube.Attempt{"10.0.0.1:6379": refused, "10.0.0.2:6379": refused},
			Refuted, "from pod shop/web to port 6379 of pod two: refused", 2},
		{"of one it is not known", "shop/web", "6379/TCP", both,
			map[string]kube.Attempt{"10.0.0.1:6379": noShell, "10.0.0.2:6379": refused},
			Unproven, "from pod shop/web to port 6379 of pod two: refused", 2},
		{"one that listens is gone, the other is denied", "shop/web", "6379/TCP", map[string]string{"db/two": "10.0.0.2"},
			map[string]kube.Attempt{"10.0.0.2:6379": refused}, Refuted, "from pod shop/web to port 6379 of pod two: refused", 1},
		{"all that listen are gone", "shop/web", "6379/TCP", nil, nil, Unproven, "nothing that listens was found", 0},
		{"one has no address yet", "shop/web", "6379/TCP", map[string]string{"db/one": ""}, nil, Unproven,
			"pod db/one has no address yet", 0},
		{"one cannot be read, the other is denied", "shop/web", "6379/TCP", map[string]string{"db/one": "10.0.0.1", "db/two": "forbidden"},
			map[string]kube.Attempt{"10.0.0.1:6379": refused}, Unproven, "read pod db/two: it is forbidden", 1},
		{"the named pod listens itself, and reaches itself", "db/one", "6379/TCP", map[string]string{"db/one": "10.0.0.1"},
			map[string]kube.Attempt{"10.0.0.1:6379": made}, Unproven, "nothing that listens was found", 0},
		{"they listen for datagrams, which nothing answers", "shop/web", "53/UDP", both, nil, Unproven, "nothing that listens was found", 0},
		{"of two ports only one is of TCP", "shop/web", "53/UDP,53/TCP", map[string]string{"db/one": "10.0.0.1"},
			map[string]kube.Attempt{"10.0.0.1:53": made}, Verified, "from pod shop/web to port 53 of pod one: made", 1},
		{"there is more than is tried", "shop/web", "1/TCP,2/TCP,3/TCP,4/TCP", both,
			map[string]kube.Attempt{"10.0.0.1:1": refused, "10.0.0.1:2": refused, "10.0.0.1:3": refused, "10.0.0.1:4": refused,
				"10.0.0.2:1": refused, "10.0.0.2:2": refused, "10.0.0.2:3": made},
			Unproven, "only some of what listens was tried: from pod shop/web to port 2 of pod two: refused", maxTries},
		{"no pod is named", "", "6379/TCP", both, nil, Unproven,
			"no pod was named from which connections may be tried, or it is none of those that send", 0},
		{"the named pod sends as others do", "shop/tool", "6379/TCP", both, nil, Unproven,
			"no pod was named from which connections may be tried, or it is none of those that send", 0},
		{"the API server hangs up", "shop/web", "6379/TCP", both, nil, "", "the API server hung up", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			view, err := query.Given(query.Schema(), schema.Vocabulary(), strings.Replace(talking, "PORTS", fmt.Sprintf("%q", c.ports), 1))
			if err != nil {
				t.Fatal(err)
			}
			n := &network{pods: c.pods, says: c.says}
			p := prover{server: n, view: view, from: c.from}
			ask := Proof{Edge: "CAN_TALK_TO"}
			for n := range view.Nodes("NetClass") {
				if strings.HasSuffix(n.ID(), "sends") {
					ask.From = "NetClass " + n.ID()
				} else {
					ask.To = "NetClass " + n.ID()
				}
			}
			verdict, why, err := p.ask(t.Context(), ask)
			if err != nil {
				why = err.Error()
			}
			if verdict != c.verdict || why != c.why || len(n.tried) != c.tries {
				t.Errorf("%s: %s, by %v; want %s: %s by %d tries", verdict, why, n.tried, c.verdict, c.why, c.tries)
			}
			for _, try := range n.tried {
				if !strings.HasPrefix(try, c.from+"/app to ") {
					t.Errorf("tried from another than the named pod: %s", try)
				}
			}
		})
	}
}
