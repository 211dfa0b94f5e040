package harborshop_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect/kube"
	harborshop "github.com/breakwater-sec/breakwater/examples/harbor-shop"
	"github.com/breakwater-sec/breakwater/examples/harbor-shop/advisories"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/vuln"
)

func open(t *testing.T) *harborshop.Estate {
	t.Helper()
	e, err := harborshop.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func TestEveryImageHasTheVulnerabilitiesTheReadmeLists(t *testing.T) {
	e := open(t)
	db, err := vuln.Read(t.Context(), advisories.FS)
	if err != nil {
		t.Fatal(err)
	}
	apache := "CVE-2006-20001 CVE-2022-36760 CVE-2022-37436 CVE-2023-25690 CVE-2023-27522"
	chromium := "CVE-2022-3885 CVE-2022-3886 CVE-2022-3887 CVE-2022-3888 CVE-2022-3889 CVE-2022-3890"
	want := map[string]string{
		"shop/web:1.4.2":                  "CVE-2022-3602 CVE-2022-3715 CVE-2022-3786",
		"shop/web:1.3.0":                  "CVE-2022-3602 CVE-2022-3715 CVE-2022-3786",
		"shop/price-board:0.3.0":          "CVE-2021-44228 CVE-2021-45046 CVE-2021-45105",
		"shop/web:1.5.0":                  "",
		"shop/cart:2.1.0":                 "CVE-2021-44228 CVE-2021-45046 CVE-2021-45105",
		"shop/session-agent:0.4.0":        "",
		"shop/catalogue:3.1.0":            "CVE-2022-48174 CVE-2023-38545 CVE-2023-38546 CVE-2023-44487 CVE-2023-5363",
		"shop/receipts:1.9.0":             chromium,
		"shop/chart-plotter:0.8.0":        chromium,
		"shop/sail-preview:0.8.2":         "CVE-2022-3602 CVE-2022-3715 CVE-2022-3786",
		"shop/sessions:6.0.16":            "CVE-2022-0543",
		"shop/tide-tables:2011.7":         "unknown",
		"shop/knot-of-the-day:0.1.0":      "lost",
		"edge/proxy:2.4.54":               apache,
		"edge/log-shipper:1.2.0":          "",
		"ci/build-agent:4.8":              "CVE-2024-6387",
		"ci/jump-host:1.0":                "CVE-2024-6387",
		"payments/checkout:4.2.0":         "",
		"payments/ledger:4.2.0":           "",
		"loyalty/web:1.4.0":               "",
		"ingress-nginx/controller:v1.8.2": "",
		"calico/node:v3.27.2":             "",
	}
	if len(e.Digests) != len(want) {
		t.Errorf("%d images, %d in this table", len(e.Digests), len(want))
	}
	options := image.Options{Transport: e.Transport(nil)}
	for ref, digest := range e.Digests {
		short := strings.TrimPrefix(ref, harborshop.Host+"/")
		t.Run(short, func(t *testing.T) {
			ref, err := image.ParseReference(ref)
			if err != nil {
				t.Fatal(err)
			}
			inv, err := image.Scan(t.Context(), ref, options)
			if want[short] == "lost" {
				if err == nil || !strings.Contains(err.Error(), "no such image (404)") {
					t.Errorf("%v, want that the registry has no such image", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if resolved, err := image.Resolve(t.Context(), ref, options); err != nil || resolved != digest || inv.Digest != digest {
				t.Errorf("digest %s, resolved to %s (%v), want %s", inv.Digest, resolved, err, digest)
			}
			if got := findings(db, inv); got != want[short] {
				t.Errorf("%s, gaps %v", got, inv.Gaps)
			}
		})
	}
}

func findings(db *vuln.DB, inv *image.Inventory) string {
	if !inv.Understood {
		return "unknown"
	}
	ids := map[string]bool{}
	for _, p := range inv.Packages {
		for _, m := range db.Match(vuln.Package{Ecosystem: p.Ecosystem, Name: p.Name, Version: p.Version, Source: p.Source,
			SourceVersion: p.SourceVersion}) {
			ids[m.ID] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(ids)), " ")
}

func TestBuildingTheEstateTwiceGivesTheSameDigests(t *testing.T) {
	first, second := open(t), open(t)
	if !maps.Equal(first.Digests, second.Digests) {
		t.Errorf("%v, then %v", first.Digests, second.Digests)
	}
}

func TestTheClustersAreReadWithoutAGap(t *testing.T) {
	e := open(t)
	pods := map[string]int{"harbor-prod": 32, "harbor-dev": 4}
	for _, c := range e.Clusters {
		t.Run(c.Name, func(t *testing.T) {
			facts, err := kube.ReadFS(c.Manifests)
			if err != nil {
				t.Fatal(err)
			}
			if len(facts.Pods) != pods[c.Name] {
				t.Errorf("%d pods, want %d", len(facts.Pods), pods[c.Name])
			}
			for _, g := range facts.Gaps {
				t.Errorf("gap %+v", g)
			}
			for key, p := range facts.Pods {
				if p.Made || p.Node == "" || p.Owner.Kind == "" {
					t.Errorf("pod %s is not as a cluster shows it: %+v", key, p)
				}
			}
			if _, err := kube.ReadFS(c.Applied); err != nil {
				t.Errorf("what people apply: %v", err)
			}
		})
	}
}
