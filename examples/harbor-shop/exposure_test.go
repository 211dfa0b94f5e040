package harborshop_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/exposure"
	"github.com/breakwater-sec/breakwater/netpol"
)

func TestTheInternetReachesWhatTheReadmeSays(t *testing.T) {
	e := open(t)
	want := map[string][]string{
		"harbor-prod": {"ci/build-agent", "edge/proxy", "ingress-nginx/ingress-nginx-controller", "kube-system/calico-node", "loyalty/web",
			"shop/cart", "shop/catalogue", "shop/knot-of-the-day", "shop/receipts", "shop/sail-preview", "shop/tide-tables", "shop/web"},
		"harbor-dev": {"ingress-nginx/ingress-nginx-controller", "shop/cart", "shop/web"},
	}
	for _, c := range e.Clusters {
		t.Run(c.Name, func(t *testing.T) {
			facts, err := kube.ReadFS(c.Manifests)
			if err != nil {
				t.Fatal(err)
			}
			result := exposure.Judge(facts, netpol.New(facts))
			var got []string
			for _, x := range result.Entities {
				if pod := facts.Pods[collect.KeyOf(x.Ref)]; x.Kind == "Pod" && pod != nil {
					app := pod.Owner.Name
					if pod.Owner.Kind == "ReplicaSet" {
						app = app[:strings.LastIndex(app, "-")]
					}
					got = append(got, x.Namespace+"/"+app)
				}
			}
			slices.Sort(got)
			if got = slices.Compact(got); !slices.Equal(got, want[c.Name]) {
				t.Errorf("exposed:\n%v, want\n%v", got, want[c.Name])
			}
		})
	}
}
