package analyse

import (
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
)

// lost is what Hold says of the paths that a change makes disappear.
func lost(t *testing.T, file string, change func(f *collect.Facts)) []string {
	t.Helper()
	rules := builtIn(t)
	e, _ := readEstate(t, file)
	_, before := analysed(t, e.facts(t), rules, e.scanned())
	if len(before) == 0 {
		t.Fatal("no paths to lose")
	}
	f, scanned := e.facts(t), e.scanned()
	if change != nil {
		change(f)
	}
	view, after := analysed(t, f, rules, scanned)
	var gaps []collect.Gap
	for _, g := range f.Gaps {
		gaps = append(gaps, g)
	}
	hold := Hold(view, gaps)
	left := map[string]bool{}
	for _, p := range after {
		left[p.ID] = true
	}
	var out []string
	for _, p := range before {
		if left[p.ID] {
			continue
		}
		out = append(out, hold(&p))
	}
	return out
}

func forbid(what string, kinds ...string) func(*collect.Facts) {
	return func(f *collect.Facts) {
		g := collect.Gap{Source: "api", What: what, Why: "403 Forbidden", Kinds: kinds}
		f.Gaps[g.Key()] = g
	}
}

func TestAPathThatIsNoLongerFoundIsResolvedOnlyIfEverythingWasSeen(t *testing.T) {
	key := collect.Key{Namespace: "shop", Name: "web"}
	removeIngress := func(f *collect.Facts) { delete(f.Ingresses, key) }
	removePods := func(namespace string) func(*collect.Facts) {
		return func(f *collect.Facts) {
			for k := range f.Pods {
				if k.Namespace == namespace {
					delete(f.Pods, k)
				}
			}
		}
	}
	scaled := func(f *collect.Facts) {
		removePods("shop")(f)
		for k, w := range f.Workloads {
			if k.Namespace == "shop" {
				none := *w
				none.Replicas = 0
				f.Workloads[k] = &none
			}
		}
	}
	tests := []struct {
		name   string
		change func(*collect.Facts)
		want   string // part of the reason, "" if resolved
	}{
		{"the ingress was removed", removeIngress, ""},
		{"ingresses cannot be read any more", func(f *collect.Facts) {
			removeIngress(f)
			forbid("ingresses", "Ingress", "ROUTES_TO")(f)
		}, "ingresses cannot be read: 403"},
		{"something else cannot be read", func(f *collect.Facts) {
			removeIngress(f)
			forbid("cronjobs", "CronJob")(f)
		}, ""},
		{"nothing can be read", func(f *collect.Facts) {
			removeIngress(f)
			forbid("connection")(f)
		}, "connection cannot be read"},
		{"the workload has no pods while it rolls out", removePods("shop"), "wants 2 pods and has none"},
		{"the ingress controller has no pods while it rolls out", removePods("ingress-nginx"),
			"ingress-nginx-controller wants 1 pod and has none"},
		{"the workload was scaled to nothing", scaled, ""},
		{"a new image was rolled out that nobody has scanned", newImage("registry.test/shop/cart:1.3"),
			"registry.test/shop/cart:1.3 of deployment cart was not scanned"},
		{"a clean image was rolled out", newImage("registry.k8s.io/ingress-nginx/controller:v1.12.0"), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := lost(t, "testdata/ingress.txt", test.change)
			if len(got) == 0 {
				t.Fatal("the path is still found")
			}
			for _, why := range got {
				if (why == "") != (test.want == "") || !strings.Contains(why, test.want) {
					t.Errorf("held because %q, want %q", why, test.want)
				}
			}
		})
	}
}

// newImage rolls a new image out to the shop.
func newImage(image string) func(*collect.Facts) {
	return func(f *collect.Facts) {
		for k, p := range f.Pods {
			if k.Namespace != "shop" {
				continue
			}
			pod, shape := *p, *p.Shape
			shape.Containers = []collect.ContainerShape{shape.Containers[0]}
			shape.Containers[0].Image = image
			pod.Shape, pod.Images = &shape, nil
			f.Pods[k] = &pod
		}
	}
}

func TestARolloutToPodsOfOtherNamesOnOtherNodesIsTheSamePath(t *testing.T) {
	got := lost(t, "testdata/direct.txt", func(f *collect.Facts) {
		for k, p := range f.Pods {
			pod := *p
			pod.Name, pod.Node = k.Name+"-next", "another-node"
			delete(f.Pods, k)
			f.Pods[pod.Key] = &pod
		}
	})
	if len(got) != 0 {
		t.Errorf("%d paths were lost", len(got))
	}
}

func TestWhyAPathIsHeldIsReadFromWhatIsThereNow(t *testing.T) {
	const (
		deployment = "Deployment shop/Deployment/cart name=cart namespace=shop replicas=1"
		pod        = deployment + " -OWNS-> Pod a name=a\n"
		scanned    = pod + "Pod a -RUNS-> Container a/c -USES_IMAGE-> Image i name=cart:2 scanned=true\n"
	)
	owner := Path{Owners: []string{"c/shop/Deployment/cart"}, DependsOn: []string{"Pod"}, Unseen: []string{"api: pods"}}
	carrier := Path{Carriers: owner.Owners}
	gap := func(source, what string, kinds ...string) collect.Gap {
		return collect.Gap{Source: source, What: what, Why: "403", Kinds: kinds}
	}
	tests := []struct {
		name, given string
		path        Path
		gaps        []collect.Gap
		want        string
	}{
		{"all is there and scanned", scanned, owner, nil, ""},
		{"the workload is gone", "Pod x\n", owner, nil, ""},
		{"an owner that is no workload", scanned, Path{Owners: []string{"cart", "c/shop/Deployment/cart/app"}}, nil, ""},
		{"no pods, though one is wanted", deployment, owner, nil, "deployment cart wants 1 pod and has none at the moment"},
		{"no pods, and none wanted", strings.Replace(deployment, "replicas=1", "replicas=0", 1), owner, nil, ""},
		{"what it owns is not a pod yet", deployment + " -OWNS-> ReplicaSet shop/ReplicaSet/cart-1", owner, nil,
			"deployment cart wants 1 pod and has none at the moment"},
		{"its pod has ended", strings.Replace(pod, "name=a", "phase=Succeeded", 1), owner, nil,
			"deployment cart wants 1 pod and has none at the moment"},
		{"its pod has failed", strings.Replace(pod, "name=a", "phase=Failed", 1), owner, nil,
			"deployment cart wants 1 pod and has none at the moment"},
		{"its pod runs", strings.Replace(pod, "name=a", "phase=Running", 1), owner, nil, ""},
		{"its image was not scanned", strings.Replace(scanned, "scanned=true", "", 1), owner, nil,
			"image cart:2 of deployment cart was not scanned"},
		{"its image was not scanned, for which the path was there", strings.Replace(scanned, "scanned=true", "", 1),
			Path{EntryClass: Possible, Owners: owner.Owners}, nil, ""},
		{"a nameless image was not scanned", strings.Replace(scanned, "name=cart:2 scanned=true", "", 1), owner, nil,
			"image i of deployment cart was not scanned"},
		{"a carrier has no pods", deployment, carrier, nil, "deployment cart wants 1 pod and has none at the moment"},
		{"the second of two carriers has no pods", deployment + "\nDeployment shop/Deployment/in name=in replicas=0",
			Path{Carriers: []string{"c/shop/Deployment/in", "c/shop/Deployment/cart"}}, nil,
			"deployment cart wants 1 pod and has none at the moment"},
		{"a carrier's image was not scanned", strings.Replace(scanned, "scanned=true", "", 1), carrier, nil, ""},
		{"a manifest could not be read", scanned, owner, []collect.Gap{gap("file", "shop.yaml", "Pod")}, "shop.yaml cannot be read: 403"},
		{"a source could not be read", scanned, owner, []collect.Gap{gap("source", "cluster", "Pod")}, "cluster cannot be read: 403"},
		{"the API refuses", scanned, owner, []collect.Gap{gap("api", "nodes", "Node", "Pod")}, "nodes cannot be read: 403"},
		{"it refuses what does not matter", scanned, owner, []collect.Gap{gap("api", "nodes", "Node")}, ""},
		{"it refused already when the path was found", scanned, owner, []collect.Gap{gap("api", "pods", "Pod")}, ""},
		{"a judge repeats it", scanned, owner, []collect.Gap{gap("netpol", "policies", "Pod")}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v, err := parseGiven(test.given)
			if err != nil {
				t.Fatal(err)
			}
			if got := Hold(v, test.gaps)(&test.path); got != test.want {
				t.Errorf("held because %q, want %q", got, test.want)
			}
		})
	}
}

func TestAPathRemembersWhatWasNotSeenOfTheFactsAlone(t *testing.T) {
	got := unseen([]collect.Gap{{Source: "source", What: "x"}, {Source: "netpol", What: "y"}, {Source: "api", What: "pods"},
		{Source: "file", What: "z"}, {Source: "api", What: "pods"}})
	if want := "api: pods, file: z, source: x"; strings.Join(got, ", ") != want {
		t.Errorf("got %q, want %s", got, want)
	}
}
