package harborshop_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/exposure"
)

func TestTheInternetReachesWhatTheReadmeSays(t *testing.T) {
	e := open(t)
	want := map[string][]string{
		"harbor-prod": {"ingress-nginx/ingress-nginx-controller", "kube-system/calico-node", "loyalty/api", "loyalty/web", "platform/edge-proxy", "shop/catalog", "shop/checkout", "shop/legacy-pricing", "shop/storefront", "shop/thumbnails"},
		"harbor-dev":  {"ingress-nginx/ingress-nginx-controller", "shop/receipts", "shop/storefront"},
	}
	for _, c := range e.Clusters {
		t.Run(c.Name, func(t *testing.T) {
			facts, err := kube.ReadFS(c.Live)
			if err != nil {
				t.Fatal(err)
			}
			result := exposure.Judge(facts)
			var got []string
			for _, x := range result.Entities {
				if pod := facts.Pods[x.Key]; x.Kind == "Pod" && pod != nil {
					app := facts.Pods[x.Key].Owner.Name
					app, _, _ = strings.Cut(app, "-6d5f9c7b8")
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
