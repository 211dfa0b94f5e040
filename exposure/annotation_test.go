package exposure

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/test/manifests"
)

// TestEveryAnnotationIsHeeded reads each through the product's loader, which
// keeps only those of the list.
func TestEveryAnnotationIsHeeded(t *testing.T) {
	const open = "shop/Service/web > shop/Pod/web 8080/TCP any"
	const some = "shop/Service/web > shop/Pod/web 8080/TCP ranges 198.51.100.0/24"
	const ctl = "ingress-nginx/Service/ctl > ingress-nginx/Pod/ctl 80/TCP any"
	count := map[collect.Meaning]int{}
	for _, a := range collect.Annotations {
		if a.Key == "" || a.Source == "" {
			t.Errorf("%+v: want a key and its source", a)
		}
		said := func(value string) string { return fmt.Sprintf("%s: %q", a.Key, value) }
		var tests []test
		switch a.Says {
		case collect.Internal:
			tests = []test{{"says so", estate + unapplied("", said(cmp.Or(a.Value, "10.0.0.0/8"))), nil, nil},
				{"says no", estate + unapplied("", said("false")), []string{open + " ?"}, nil}}
		case collect.SourceRanges:
			value := "198.51.100.0/24"
			switch a.Key {
			case collect.LinodeFirewall:
				value = `{"allowList": {"ipv4": ["198.51.100.0/24"]}}`
			case collect.VultrFirewall:
				value = "198.51.100.0/25,80;198.51.100.128/25,443"
			}
			tests = []test{{"clients", estate + balancer("", said(value)), []string{some}, nil},
				{"clients that cannot be read", estate + balancer("", said("{{ .Values.office }}")), []string{open + " ?"}, nil},
				{"unless the field lists some", estate + balancer(", loadBalancerSourceRanges: [198.51.100.0/24]",
					said("203.0.113.0/24")), []string{some}, nil}}
		case collect.DenyRanges:
			tests = []test{{"all clients", estate + balancer("", said("cidr:0.0.0.0/0,cidr:::/0")), nil, nil},
				{"some clients", estate + balancer("", said("ip:198.51.100.1,cidr:198.51.100.128/25")), []string{open}, nil},
				{"some of those let in", estate + balancer(", loadBalancerSourceRanges: [198.51.100.0/24]", said("cidr:198.51.100.0/25")),
					[]string{some + " ?"}, nil},
				{"others than those let in", estate + balancer(", loadBalancerSourceRanges: [198.51.100.0/24]", said("ip:203.0.113.1")),
					[]string{some}, nil},
				{"clients that cannot be read", estate + balancer("", said("cidr:office")), []string{open + " ?"}, nil}}
		case collect.Elsewhere:
			value := cmp.Or(a.Value, "id-1")
			if tests = []test{{"rules that are not read limit nobody for certain", estate + balancer(", loadBalancerSourceRanges: "+
				"[198.51.100.0/24]", said(value)), []string{open + " ?"}, nil},
				{"none", estate + balancer("", said("false")), []string{open}, nil}}; strings.Contains(a.Key, ".ingress.") {
				alb := func(annotations string) string {
					return estate + backendService + ing("ingressClassName: alb,", ", annotations: {alb.ingress.kubernetes.io/scheme: "+
						"internet-facing, "+annotations+"}", "status: {loadBalancer: {ingress: [{hostname: k8s-1.elb.amazonaws.com}]}}")
				}
				tests = []test{{"rules that are not read limit nobody for certain", alb(said(value) +
					", alb.ingress.kubernetes.io/inbound-cidrs: 198.51.100.0/24"), []string{"shop/Ingress/web > " + open + " ?"}, nil}}
			}
		case collect.AllowList, collect.DenyList, collect.IngressElsewhere:
			by := slices.IndexFunc(controllers, func(c controller) bool { return c.lists != "" && strings.HasPrefix(a.Key, c.lists) })
			if by < 0 {
				t.Fatalf("%s: no controller reads it", a.Key)
			}
			served := func(by controller, value string) string {
				pods := controllerOpen
				if len(by.pods) > 0 {
					pods = strings.Replace(pods, "registry.k8s.io/ingress-nginx/controller", by.pods[0].images[0], 1)
				}
				return estate + backendService + pods + ing("ingressClassName: "+by.classes[0]+",", ", annotations: {"+said(value)+"}",
					"status: {loadBalancer: {ingress: [{ip: 203.0.113.1}]}}")
			}
			const through = "shop/Ingress/web > "
			other := *controllerByClass("skipper")
			if a.Says == collect.IngressElsewhere {
				value := strings.Join(append([]string{"x"}, a.Contains...), " ")
				tests = []test{{"rules that are not read", served(controllers[by], value), []string{ctl, through + open + " ?"}, nil},
					{"of a controller that does not read them", served(other, value), []string{ctl, through + open}, nil}}
				if len(a.Contains) > 0 {
					tests = append(tests, test{"no rules", served(controllers[by], "more_set_headers x"), []string{ctl, through + open}, nil})
				}
				break
			}
			if tests = []test{{"clients", served(controllers[by], "198.51.100.0/24"), []string{ctl, through + some}, nil},
				{"of a controller that does not read it", served(other, "10.0.0.0/8"), []string{ctl, through + open},
					nil}}; a.Says == collect.DenyList {
				tests = []test{{"clients", served(controllers[by], "0.0.0.0/0,::/0"), []string{ctl}, nil},
					{"of a controller that does not read it", served(other, "0.0.0.0/0,::/0"), []string{ctl, through + open}, nil}}
			}
		}
		count[a.Says]++
		t.Run(a.Key, func(t *testing.T) { run(t, tests) })
	}
	for _, m := range []collect.Meaning{collect.Internal, collect.SourceRanges, collect.Elsewhere, collect.IngressElsewhere, collect.AllowList,
		collect.Balancer, collect.Class} {
		if count[m] < 2 {
			t.Errorf("%d annotations say %q", count[m], m)
		}
	}
	keys := map[string]bool{}
	for _, a := range collect.Annotations {
		if keys[a.Key] {
			t.Errorf("%s is there twice", a.Key)
		}
		keys[a.Key] = true
	}
}

func TestTheClassInEffectIsTheFieldThenTheAnnotationThenTheFirstDefault(t *testing.T) {
	const class = "\n---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: %s, annotations: " +
		"{ingressclass.kubernetes.io/is-default-class: %q}}\n"
	defaults := fmt.Sprintf(class, "b", "true") + fmt.Sprintf(class, "a", "false") + fmt.Sprintf(class, "c", "true")
	const annotation = ", annotations: {kubernetes.io/ingress.class: old}"
	for _, test := range []struct{ name, manifests, want string }{
		{"the field", ing("ingressClassName: new,", annotation, defaults), "new false"},
		{"the annotation", ing("", annotation, defaults), "old true"},
		{"the first default", ing("", "", defaults), "b false"},
		{"none", ing("", "", fmt.Sprintf(class, "a", "false")), " false"},
	} {
		f := manifests.Facts(t, test.manifests)
		name, legacy := ClassName(f, f.Ingresses[collect.Key{Namespace: "shop", Name: "web"}])
		if got := fmt.Sprint(name, " ", legacy); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	if !slices.ContainsFunc(collect.Annotations, func(a collect.Annotation) bool { return a.Key == collect.DefaultClass }) {
		t.Error("the mark of a default class is not read")
	}
}
