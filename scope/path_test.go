package scope

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/graph"
)

var (
	internet = analyse.Thing{ID: "internet", Kind: "Internet", Name: "Internet", Count: 1}
	front    = analyse.Thing{ID: "shop/cart/Service/front", Kind: "Service", Name: "front", Namespace: "cart", Count: 1}
	web      = analyse.Thing{ID: "shop/cart/Pod/web/c0", Kind: "Container", Name: "web", Namespace: "cart", Count: 3}
	account  = analyse.Thing{ID: "shop/till/ServiceAccount/pay", Kind: "ServiceAccount", Name: "pay", Namespace: "till", Count: 1}
	tillOf   = analyse.Thing{ID: "shop/Namespace/till", Kind: "Namespace", Name: "till", Count: 1}
	machine  = analyse.Thing{ID: "shop/Node/n1", Kind: "Node", Name: "n1", Count: 1}
	safe     = analyse.Thing{ID: "bank/vault/Pod/safe/c0", Kind: "Container", Name: "safe", Namespace: "vault", Count: 1}
)

func step(from, to analyse.Thing, technique string, evidence ...analyse.Evidence) analyse.Step {
	return analyse.Step{From: from.ID, To: to.ID, Edge: "LEADS", Uncertain: "n1 may refuse", Attack: []string{technique}, Evidence: evidence}
}

func about(nodes ...string) analyse.Evidence {
	return analyse.Evidence{Text: "by " + fmt.Sprint(nodes), Nodes: nodes}
}

// across leads from the internet through cart to till and the machine.
func across() analyse.Path {
	return analyse.Path{ID: "across", Type: "takeover", Cluster: "shop", Namespace: "cart", Risk: "high", RiskScore: 60,
		Title: "From front to n1", Why: "of its kind", RiskFactors: []analyse.Factor{{Why: "n1 is critical"}},
		Entry: internet, Foothold: web, Target: machine,
		Nodes: []analyse.Thing{front, web, internet, account, tillOf, machine}, Story: []string{"They get to n1."},
		Steps: []analyse.Step{
			step(internet, front, "T1"),
			step(front, web, "T1", about("Service "+front.ID), about("Service "+front.ID, "Container "+web.ID), about("Node "+machine.ID), about()),
			step(web, account, "T2"), step(account, tillOf, "T3", about("ServiceAccount "+account.ID)), step(tillOf, machine, "T4")},
		Also: []analyse.Step{step(front, account, "T5"), step(web, account, "T5"), step(web, machine, "T5"),
			step(account, web, "T5"), step(account, front, "T5")},
		Fixes: []analyse.Fix{{ID: "the service", Concerns: []string{"Service " + front.ID}},
			{ID: "the image", Concerns: []string{"Image sha256:app"}},
			{ID: "all", Concerns: []string{"Service " + front.ID, "Node " + machine.ID}}, {ID: "the rule"},
			{ID: "the account", Concerns: []string{"ServiceAccount " + account.ID}}},
		Owners:          []string{"shop/cart/Deployment/web", "shop/till/Deployment/pay", "shop/cart", "shop"},
		Carriers:        []string{"shop/till/Deployment/proxy"},
		Vulnerabilities: []analyse.Vulnerability{{ID: "CVE-1"}}, VulnerabilitiesTotal: 4, Pods: 9, Workloads: 5,
		Uncertain: []string{"n1 may refuse"}, DependsOn: []string{"Node"}, Unseen: []string{"secrets"},
		Frames: []analyse.Frame{{ID: "c", Kind: "Cluster", Name: "shop", Nodes: []string{machine.ID, tillOf.ID}},
			{ID: "n", Kind: "Namespace", Name: "cart", Nodes: []string{front.ID, web.ID}},
			{ID: "t", Kind: "Namespace", Name: "till", Nodes: []string{account.ID}}}}
}

// inner stays in cart.
func inner() analyse.Path {
	return analyse.Path{ID: "inner", Cluster: "shop", Namespace: "cart", RiskScore: 60, Title: "From front to web",
		Entry: internet, Foothold: web, Target: web, Nodes: []analyse.Thing{internet, front, web},
		Steps:     []analyse.Step{step(internet, front, "T1"), step(front, web, "T2")},
		DependsOn: []string{"Node"}}
}

// robbery is of the other cluster, and worse.
func robbery() analyse.Path {
	return analyse.Path{ID: "inner", Cluster: "bank", Namespace: "vault", RiskScore: 90, Title: "To the safe", Entry: internet, Foothold: safe,
		Target: safe, Nodes: []analyse.Thing{internet, safe}}
}

// told is all that a path says, a line for each part that says something.
func told(p *analyse.Path) string {
	var out strings.Builder
	line := func(what string, said ...any) {
		if text := strings.TrimSpace(fmt.Sprintln(said...)); text != "" && text != "[]" && text != "0" {
			fmt.Fprintf(&out, "%s: %s\n", what, text)
		}
	}
	short := strings.NewReplacer("shop/cart/", "", "shop/till/", "", "shop/", "", Outside, "OUT")
	steps := func(all []analyse.Step) (out []string) {
		for _, s := range all {
			text := s.From + " " + s.Edge + " " + s.To + s.Uncertain
			for _, e := range s.Evidence {
				text += " " + e.Text
			}
			out = append(out, short.Replace(text))
		}
		return out
	}
	var nodes, fixes, vulnerabilities, frames []string
	for _, n := range p.Nodes {
		nodes = append(nodes, fmt.Sprint(n.Count, " ", n.Name))
	}
	for _, f := range p.Fixes {
		fixes = append(fixes, f.ID)
	}
	for _, v := range p.Vulnerabilities {
		vulnerabilities = append(vulnerabilities, v.ID)
	}
	for _, f := range p.Frames {
		frames = append(frames, short.Replace(f.Name+fmt.Sprint(f.Nodes)))
	}
	line("is", p.Cluster, p.ID, p.Type, p.Title, p.Risk, p.RiskScore, p.Why)
	line("of", p.Namespace)
	line("counts", p.Pods, p.Workloads)
	line("leads", p.Entry.Name, "by", p.Foothold.Name, "to", p.Target.Name)
	line("factors", p.RiskFactors)
	line("nodes", strings.Join(nodes, ", "))
	line("steps", strings.Join(steps(p.Steps), "\n  "))
	line("also", strings.Join(steps(p.Also), "\n  "))
	line("attack", p.Attack)
	line("story", p.Story)
	line("fixes", strings.Join(fixes, ", "))
	line("owners", p.Owners, p.Carriers)
	line("flaws", vulnerabilities, p.VulnerabilitiesTotal)
	line("frames", frames)
	line("unsure", p.Uncertain, p.DependsOn, p.Unseen)
	return out.String()
}

func TestOfAPathIsSeenWhatLiesInTheScopeAndTheRestIsOneThingOutside(t *testing.T) {
	e := newEstate(t)
	whole := across()
	for _, c := range []struct {
		sees graph.Scope
		want string
	}{
		{shop, told(&whole)}, {all, told(&whole)}, {stock, ""}, {nobody, ""}, {graph.Scope{Segments: map[string][]string{"shop": {""}}}, ""},
		{cart, `is: shop across takeover From front to n1 high 60 of its kind
of: cart
counts: 3 1
leads: Internet by web to outside your scope
nodes: 1 outside your scope, 1 front, 3 web, 1 Internet
steps: internet LEADS Service/front
  Service/front LEADS Pod/web/c0 by [Service Service/front]
  Pod/web/c0 OUTSIDE OUT
also: Service/front OUTSIDE OUT
  Pod/web/c0 OUTSIDE OUT
  OUT OUTSIDE Pod/web/c0
  OUT OUTSIDE Service/front
attack: [T1]
story: [Part of this path is outside your scope.]
fixes: the service, the image
owners: [shop/cart/Deployment/web] []
flaws: [CVE-1] 4
frames: [shop[] cart[Service/front Pod/web/c0]]
unsure: [] [] []
`},
		{till, `is: shop across takeover Attack path through your scope high 60 of its kind
counts: 0 0
leads: Internet by outside your scope to outside your scope
nodes: 1 outside your scope, 1 Internet, 1 pay, 1 till
steps: internet OUTSIDE OUT
  OUT OUTSIDE ServiceAccount/pay
  ServiceAccount/pay LEADS Namespace/till by [ServiceAccount ServiceAccount/pay]
  Namespace/till OUTSIDE OUT
also: OUT OUTSIDE ServiceAccount/pay
  ServiceAccount/pay OUTSIDE OUT
attack: [T3]
story: [Part of this path is outside your scope.]
fixes: the image, the account
owners: [shop/till/Deployment/pay] []
flaws: [] 0
frames: [shop[Namespace/till] till[ServiceAccount/pay]]
unsure: [] [] []
`},
	} {
		got := ""
		for _, p := range e.For(c.sees).Open() {
			if p.ID == "across" {
				got = told(p.Path)
			}
		}
		if got != c.want {
			t.Errorf("%s reads\n%s\nwant\n%s", c.sees, got, c.want)
		}
	}
}

func TestAPathThatLiesInTheScopeHasNothingOutside(t *testing.T) {
	for _, p := range newEstate(t).For(cart).Open() {
		if p.ID == "inner" {
			if got := told(p.Path); strings.Contains(got, Outside) || strings.Contains(got, "OUT") || !strings.Contains(got, "From front to web") {
				t.Error(got)
			}
		}
	}
}

func TestWhatWasDrawnForAnotherIsNotChanged(t *testing.T) {
	e := newEstate(t)
	e.For(cart).Open()
	whole := across()
	same(t, "the frames", e.For(all).Clusters["shop"].Open[0].Frames, whole.Frames)
	same(t, "the steps", e.For(all).Clusters["shop"].Open[0].Steps, whole.Steps)
}

func TestWhatIsOutsideIsNoChokePoint(t *testing.T) {
	e := newEstate(t)
	back := func(id string) analyse.Path { // through the till back into the cart
		return analyse.Path{ID: id, Cluster: "shop", Entry: internet, Foothold: account, Target: web,
			Nodes: []analyse.Thing{internet, account, front, web},
			Steps: []analyse.Step{step(internet, account, "T1"), step(account, front, "T2"), step(front, web, "T3")}}
	}
	e.picture.world.Store(draw(func(d *drawing) { d.world.Clusters["shop"].Paths = []analyse.Path{back("one"), back("two")} }))
	for sees, want := range map[string]string{"shop": "[Internet front pay]", "cart": "[Internet front]"} {
		var names []string
		for _, c := range ChokePoints(e.For(map[string]graph.Scope{"shop": shop, "cart": cart}[sees]).Clusters["shop"].Paths) {
			names = append(names, c.Thing.Name)
		}
		slices.Sort(names)
		same(t, "choke points of who sees "+sees, names, want)
	}
}
