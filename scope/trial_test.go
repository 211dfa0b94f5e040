package scope

import (
	"fmt"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/rbac"
)

func TestATrialTellsOfWhatIsSeenAlone(t *testing.T) {
	inside := analyse.Path{ID: "inside", Cluster: "shop", Entry: internet, Foothold: web, Target: web,
		Nodes: []analyse.Thing{internet, front, web}}
	elsewhere := analyse.Path{ID: "elsewhere", Cluster: "shop", Entry: safe, Foothold: safe, Target: safe, Nodes: []analyse.Thing{safe}}
	fromOutside := analyse.Path{ID: "from outside", Cluster: "shop", Entry: account, Foothold: account, Target: web,
		Nodes: []analyse.Thing{account, web}}
	loss := func(subject, namespace string) analyse.Loss {
		return analyse.Loss{Subject: rbac.ServiceAccount(subject, "a"),
			Request: rbac.Request{Verb: "get", Resource: "pods", Namespace: namespace}}
	}
	trial := live.Trial{Lost: []analyse.Loss{loss("cart", "cart"), loss("till", "cart"), loss("cart", "till"), loss("cart", "")}}
	trial.Paths = []analyse.Path{inside, elsewhere, fromOutside}
	trial.Closed = []analyse.Closed{{Workload: "shop/cart/Deployment/web"}, {Workload: "shop/till/Deployment/pay"}}
	for _, c := range []struct {
		name, tenants string
		assumed       bool
		want          string
	}{
		{"one namespace", "cart", false, "inside, from outside; shop/cart/Deployment/web; cart in cart"},
		{"one namespace, what is assumed to be lost lies outside", "cart", true, "inside; shop/cart/Deployment/web; cart in cart"},
		{"two namespaces", "cart till", true,
			"inside, from outside; shop/cart/Deployment/web, shop/till/Deployment/pay; cart in cart, till in cart, cart in till"},
		{"another namespace", "empty", false, "; ; "},
	} {
		got := trialWithin(&trial, strings.Fields(c.tenants), c.assumed)
		var paths, closed, lost []string
		for _, p := range got.Paths {
			paths = append(paths, p.ID)
		}
		for _, w := range got.Closed {
			closed = append(closed, w.Workload)
		}
		for _, l := range got.Lost {
			lost = append(lost, fmt.Sprintf("%s in %s", l.Subject.Namespace, l.Request.Namespace))
		}
		if s := strings.Join([]string{strings.Join(paths, ", "), strings.Join(closed, ", "), strings.Join(lost, ", ")}, "; "); s != c.want {
			t.Errorf("%s: %s, want %s", c.name, s, c.want)
		}
	}
}
