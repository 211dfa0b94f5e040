package netpol

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/breakwater-sec/breakwater/test/manifests"
)

// plain is a policy in as few words as there can be: what it says to pods of an app.
type plain struct {
	name, tier, app string
	order           int
	rules           []plainRule
}

type plainRule struct {
	action, from string
	port         int32
}

func (r plainRule) matches(from string, port int32) bool {
	return (r.from == "" || r.from == from) && (r.port == 0 || r.port == port)
}

func (p plain) selects(app string) bool { return p.app == "" || p.app == app }

func selecting(app string) string {
	if app == "" {
		return "all()"
	}
	return "app == '" + app + "'"
}

// inTiers is the definition: tier by tier, in order, the first rule decides.
func inTiers(tiers [][]plain, from, to string, port int32) bool {
next:
	for _, policies := range tiers {
		some := false
		for _, p := range policies {
			if !p.selects(to) {
				continue
			}
			some = true
			for _, r := range p.rules {
				switch {
				case !r.matches(from, port):
				case r.action == "Pass":
					continue next
				default:
					return r.action == "Allow"
				}
			}
		}
		if some {
			return false
		}
	}
	return true
}

func (d draw) plain(name, tier string, actions ...string) plain {
	p := plain{name: name, tier: tier, app: d.pick("", "a", "b"), order: d.IntN(2000)}
	for range 1 + d.IntN(3) {
		p.rules = append(p.rules, plainRule{d.pick(actions...), d.pick("", "a", "b", "c"), []int32{0, 80, 81}[d.IntN(3)]})
	}
	return p
}

// apps is a pod of each app, on nodes of their own.
func apps() (text string) {
	for i, app := range []string{"a", "b", "c"} {
		text += fmt.Sprintf("---\napiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: shop, labels: {app: %s}}\nspec: {nodeName: n%d, "+
			"containers: [{name: c, image: i}]}\nstatus: {podIPs: [{ip: 10.0.0.%d}]}\n", app, app, i, i)
	}
	return text
}

func TestTiersAreAskedAsTheyAreDefined(t *testing.T) {
	d := draw{rand.New(rand.NewPCG(1, 2))}
	for range 150 {
		text, tiers := apps()+tierOf("sec", 1, ""), [][]plain{nil, nil}
		for i := range d.IntN(6) {
			tier := d.IntN(2)
			tiers[tier] = append(tiers[tier], d.plain(fmt.Sprint("p", i), []string{"sec", "default"}[tier], "Allow", "Deny", "Pass"))
		}
		for _, policies := range tiers {
			slices.SortFunc(policies, func(a, b plain) int { return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.name, b.name)) })
			for _, p := range policies {
				spec := fmt.Sprintf("tier: %s, order: %d, selector: \"%s\", ingress: [", p.tier, p.order, selecting(p.app))
				for _, r := range p.rules {
					spec += fmt.Sprintf("{action: %s, source: {selector: \"%s\"}", r.action, selecting(r.from))
					if r.port != 0 {
						spec += fmt.Sprintf(", protocol: TCP, destination: {ports: [%d]}", r.port)
					}
					spec += "}, "
				}
				text += gnp(p.name, spec+"]")
			}
		}
		everyPair(t, text, func(from, to string, port int32) bool { return inTiers(tiers, from, to, port) })
	}
}

func TestWhatCiliumDeniesNothingAllows(t *testing.T) {
	d := draw{rand.New(rand.NewPCG(3, 4))}
	for range 150 {
		text, all := apps(), []plain(nil)
		for i := range d.IntN(4) {
			p := d.plain(fmt.Sprint("p", i), "", "Allow", "Deny")
			all = append(all, p)
			lists := map[string]string{}
			for _, r := range p.rules {
				peer := map[bool]string{true: "{fromEntities: [all]", false: "{fromEndpoints: [{matchLabels: {app: " + r.from + "}}]"}[r.from == ""]
				if r.port != 0 {
					peer += fmt.Sprintf(", toPorts: [{ports: [{port: '%d'}]}]", r.port)
				}
				lists[r.action] += peer + "}, "
			}
			subject := map[bool]string{true: "{}", false: "{matchLabels: {app: " + p.app + "}}"}[p.app == ""]
			text += cnpIn(p.name, "endpointSelector: "+subject+", ingress: ["+lists["Allow"]+"], ingressDeny: ["+lists["Deny"]+"]")
		}
		everyPair(t, text, func(from, to string, port int32) bool {
			allowed, restricted := false, false
			for _, p := range all {
				for _, r := range p.rules {
					if p.selects(to) && r.matches(from, port) {
						if r.action == "Deny" {
							return false
						}
						allowed = true
					}
				}
				restricted = restricted || p.selects(to)
			}
			return allowed || !restricted
		})
	}
}

func everyPair(t *testing.T, text string, want func(from, to string, port int32) bool) {
	t.Helper()
	f := manifests.Facts(t, text)
	j := New(f)
	for _, from := range []string{"a", "b", "c"} {
		for _, to := range []string{"a", "b", "c"} {
			for _, port := range []int32{80, 81, 82} {
				if from == to {
					continue
				}
				a := j.Ask(endpoint(t, f, "shop/"+from), endpoint(t, f, "shop/"+to), Port{"TCP", port})
				if a.Allowed != want(from, to, port) || a.Uncertain != "" {
					t.Fatalf("%s\nwant %v: %s", text, want(from, to, port), a.Explain())
				}
			}
		}
	}
}
