package admission

import (
	"fmt"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

// hostile are policies that cost what nobody has, each in few words.
func hostile() map[string]string {
	validation := func(text string) string { return "  validations: [{expression: \"" + text + "\"}]\n" }
	var doubled strings.Builder
	doubled.WriteString("  variables:\n  - {name: v0, expression: '[1, 2]'}\n")
	for i := range 60 {
		fmt.Fprintf(&doubled, "  - {name: v%d, expression: 'variables.v%d + variables.v%d'}\n", i+1, i, i)
	}
	nested := strings.ReplaceAll(doubled.String(), " + ", ", ")
	for i := range 60 {
		pair := fmt.Sprintf("variables.v%d, variables.v%d", i, i)
		nested = strings.Replace(nested, "'"+pair+"'", "'["+pair+"]'", 1)
	}
	long := "'" + strings.Repeat("a", 2000) + "'"
	var many strings.Builder
	many.WriteString("  validations:\n")
	for range 2000 {
		fmt.Fprintf(&many, "  - {expression: \"!('a' in [%s'b'])\"}\n", strings.Repeat("'c',", 100))
	}
	return map[string]string{
		"sets that are compared":              validation("sets.contains(lists.range(1000000), lists.range(1000000))"),
		"a list made distinct":                validation("lists.range(100000).map(x, [x]).distinct().size() > 0"),
		"a text that multiplies":              validation(long + strings.Repeat(".replace('', "+long+")", 3) + " != ''"),
		"texts joined":                        validation("lists.range(100000).map(x, 'a').join(" + long + ") != ''"),
		"lists that double":                   doubled.String() + validation("variables.v60 == variables.v60"),
		"lists of lists that double":          nested + validation("variables.v60 == variables.v60"),
		"an expression longer than anybody's": validation(strings.Repeat("true && ", 10000) + "false"),
		"more expressions than anybody's":     many.String(),
		"one deeper than the parser goes":     validation(strings.Repeat("(", 5000) + "false" + strings.Repeat(")", 5000)),
		"loops within loops":                  validation(strings.Repeat("lists.range(1000).all(x, ", 6) + "true" + strings.Repeat(")", 6)),
	}
}

// What such a policy refuses is not known, and that is said before long: one of these took hours or all memory.
func TestAPolicyThatCostsTooMuchIsNotKnownToRefuse(t *testing.T) {
	for name, spec := range hostile() {
		t.Run(name, func(t *testing.T) {
			if got := New(facts(t, "", head+spec+bound)).Takeover("shop"); got.Pod != Unknown {
				t.Errorf("it is %v", got.Pod)
			}
		})
	}
}

func TestManyPoliciesShareWhatIsSpentOnAll(t *testing.T) {
	spec := head + "  validations: [{expression: \"lists.range(1000).all(x, lists.range(900).all(y, x + y >= 0))\"}]\n" + bound
	f := facts(t, "", spec)
	policy, binding := f.ValidatingPolicies[collect.Key{Name: "p"}], f.ValidatingPolicyBindings[collect.Key{Name: "b"}]
	for i := range 5000 {
		p, b := policy.DeepCopy(), binding.DeepCopy()
		p.Name, b.Name, b.Spec.PolicyName = fmt.Sprint("p", i), fmt.Sprint("b", i), fmt.Sprint("p", i)
		f.ValidatingPolicies[collect.Key{Name: p.Name}], f.ValidatingPolicyBindings[collect.Key{Name: b.Name}] = p, b
	}
	var left uint64
	for _, p := range policiesOf(f) {
		left += p.budget
	}
	if left > maxCosts {
		t.Errorf("%d is spent on them", left)
	}
}

// FuzzExpression: whatever an expression and the variable that it uses say, they have a value or none, within bounds.
func FuzzExpression(f *testing.F) {
	for _, text := range []string{
		"object.spec.containers.all(c, !c.?securityContext.privileged.orValue(false))", "sets.contains(lists.range(9), [1])",
		"'a'.replace('', 'b').replace('', 'c') == [1, 2].map(x, string(x)).join(', ')", "variables.v.distinct().flatten() == []",
		"request.userInfo.groups.exists(g, g.matches('^system:'))", "url('https://a').getHostname() == ip('::1').family()",
		"quantity('1Mi').isGreaterThan(quantity('1')) || cidr('10.0.0.0/8').containsIP('10.0.0.1') || semver('1.2.3').major() > 1",
		"'%s %d'.format(['a', 1]) == {'a': [b'x', 1.0, 2u, null]}.a", "object.metadata.creationTimestamp > timestamp('2026-01-01T00:00:00Z')",
	} {
		f.Add("[1, 2]", text)
	}
	object := map[string]any{"metadata": map[string]any{"name": "probe", "labels": map[string]any{"a": "b"}},
		"spec": map[string]any{"hostPID": true, "containers": []any{map[string]any{"name": "c", "image": "r.example/a:1"}}}}
	f.Fuzz(func(t *testing.T, variable, text string) {
		budget, variables := uint64(costEach), map[string]any{}
		in := map[string]any{"object": object, "oldObject": nil, "variables": variables, "namespaceObject": object,
			"request": map[string]any{"namespace": "shop", "userInfo": map[string]any{"username": "alice", "groups": []string{"a"}}}}
		for _, of := range []string{variable, text} {
			p := compile(of, costEach)
			if p == nil {
				continue
			}
			before := budget
			value, ok := evaluate(p, in, &budget)
			if ok != (value != nil) || budget > before {
				t.Errorf("%q: %v, %v, and of %d are left %d", of, value, ok, before, budget)
			}
			if ok && weight(value, maxValue) <= maxValue {
				variables["v"] = value
			}
		}
	})
}

// TestAnExpressionCostsNoMoreThanTheShareOfItsPolicy: five thousand policies that each spend what one may would take minutes.
func TestAnExpressionCostsNoMoreThanTheShareOfItsPolicy(t *testing.T) {
	spec := head + "  validations: [{expression: \"lists.range(1000).all(x, lists.range(900).all(y, x + y >= 0))\"}]\n" + bound
	f := facts(t, "", spec)
	policy, binding := f.ValidatingPolicies[collect.Key{Name: "p"}], f.ValidatingPolicyBindings[collect.Key{Name: "b"}]
	for i := range 999 {
		p, b := policy.DeepCopy(), binding.DeepCopy()
		p.Name, b.Name, b.Spec.PolicyName = fmt.Sprint("p", i), fmt.Sprint("b", i), fmt.Sprint("p", i)
		f.ValidatingPolicies[collect.Key{Name: p.Name}], f.ValidatingPolicyBindings[collect.Key{Name: b.Name}] = p, b
	}
	all := policiesOf(f)
	for _, p := range all[:10] {
		left := uint64(1 << 40)
		evaluate(p.validations[0].program, map[string]any{"object": map[string]any{}, "request": map[string]any{}}, &left)
		if spent := 1<<40 - left; spent > 2*maxCosts/uint64(len(all)) {
			t.Fatalf("%s spent %d of %d", p.name, spent, p.budget)
		}
	}
}

func TestWhoWritesLittleHasItCompiledWhateverOthersWrite(t *testing.T) {
	f := facts(t, "", head+"  validations: [{expression: \"object.metadata.name != 'a'\"}]\n"+bound)
	policy, binding := f.ValidatingPolicies[collect.Key{Name: "p"}], f.ValidatingPolicyBindings[collect.Key{Name: "b"}]
	for i := range 60 {
		p, b := policy.DeepCopy(), binding.DeepCopy()
		p.Name, b.Name, b.Spec.PolicyName = fmt.Sprint("long", i), fmt.Sprint("b", i), fmt.Sprint("long", i)
		for range 6 {
			p.Spec.Validations = append(p.Spec.Validations, admissionv1.Validation{
				Expression: "'" + strings.Repeat("a", maxExpression-100) + "' != ''"})
		}
		f.ValidatingPolicies[collect.Key{Name: p.Name}], f.ValidatingPolicyBindings[collect.Key{Name: b.Name}] = p, b
	}
	compiled := 0
	for _, p := range policiesOf(f) {
		for _, e := range p.validations {
			if e.program != nil {
				compiled += len(e.text)
			} else if p.name == "p" {
				t.Error("a short policy beside long ones is not compiled")
			}
		}
	}
	if compiled > maxText || compiled < maxText/2 {
		t.Errorf("%d bytes are compiled", compiled)
	}
}

func TestOfPlacesThatWereAskedAboutNothingIsRemembered(t *testing.T) {
	f := facts(t, "", head+"  validations: [{expression: \"namespaceObject.metadata.name != 'a' && object.spec.hostPID != true\"}]\n"+bound)
	j := New(f)
	for i := range 300 {
		j.best(place{name: fmt.Sprint("n", i)}, probes().pods)
	}
	if n := len(j.policies[0].answered); n == 0 || n > 100 {
		t.Errorf("%d answers are remembered", n)
	}
}
