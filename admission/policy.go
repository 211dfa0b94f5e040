package admission

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/breakwater-sec/breakwater/collect"
)

// policy is a ValidatingAdmissionPolicy with the bindings by which it denies.
type policy struct {
	name     string
	spec     *admissionv1.ValidatingAdmissionPolicySpec
	bindings []binding
	// conditions must hold for the policy to be asked, validations for the request to pass.
	variables, conditions, validations []expression
	local                              bool                 // an expression looks at the namespace, or at
	personal                           bool                 // who makes the request
	marked                             bool                 // an expression looks at labels or annotations
	accounts                           bool                 // one looks at the account of a pod
	answered                           map[question]Verdict // of one place, if an expression looks at it
	at                                 string               // that place
	budget                             uint64
	inputs                             *inputs
}

// side is one of the objects of a request.
type side int

const (
	taking side = iota
	plain
	bare
	plainBare
)

func (r *request) side(s side) runtime.Object {
	return [...]runtime.Object{r.object, r.plain, r.bare, r.plainBare}[s]
}

// question is what an answer depends on.
type question struct {
	request int
	side    side
	place   string // empty where no expression looks at it
	marks   string // likewise
	account string
}

// maxCost bounds the work for one policy, in units of which the API server allows ten
// million for one request: about two seconds. Many policies share maxCosts evenly.
const maxCost, maxCosts = 20_000_000, 100_000_000

// maxText bounds the expressions of all policies, in bytes: a megabyte takes a second to compile.
const maxText = 2 << 20

// asking is what it costs to ask a policy at all.
const asking = 20

func policiesOf(f *collect.Facts) (out []*policy) {
	bindings := map[string][]binding{}
	for of, b := range f.ValidatingPolicyBindings {
		if slices.Contains(b.Spec.ValidationActions, admissionv1.Deny) {
			bindings[b.Spec.PolicyName] = append(bindings[b.Spec.PolicyName], binding{of.Name, b.Spec.MatchResources})
		}
	}
	inputs := &inputs{}
	for k, o := range f.ValidatingPolicies {
		p := &policy{name: k.Name, spec: &o.Spec, bindings: bindings[k.Name], answered: map[question]Verdict{}, inputs: inputs}
		if len(p.bindings) > 0 && o.Spec.MatchConstraints != nil {
			out = append(out, p)
		}
	}
	// Who writes little has all of it compiled, whatever others write.
	slices.SortFunc(out, func(a, b *policy) int {
		return cmp.Or(cmp.Compare(a.length(), b.length()), cmp.Compare(a.name, b.name))
	})
	left := maxText
	for i, p := range out {
		p.budget = maxCosts / uint64(max(len(out), maxCosts/maxCost))
		left -= p.compile(min(maxExpressions, left/(len(out)-i)))
	}
	return out
}

// length is how long the expressions of a policy are.
func (p *policy) length() (n int) {
	for _, v := range p.spec.Variables {
		n += len(v.Expression)
	}
	for _, c := range p.spec.MatchConditions {
		n += len(c.Expression)
	}
	for _, v := range p.spec.Validations {
		n += len(v.Expression)
	}
	return n
}

// expression is one that yields true or false, or a variable for others.
type expression struct {
	name    string
	text    string
	program cel.Program
	// unseen says that it looks at what is not read, or was not understood.
	unseen bool
	// fixed says that it looks at nothing of the object: its makers cannot meet it by making another.
	fixed bool
}

// compile compiles expressions of so many bytes, and says how many those are.
func (p *policy) compile(most int) (compiled int) {
	hidden, left := false, most
	of := func(name, text string) expression {
		e := expression{name: name, text: text, unseen: looksAtUnseen(text) || hidden && strings.Contains(text, "variables")}
		if left -= len(text); !e.unseen && left >= 0 {
			e.program = compile(text, min(costEach, p.budget))
			compiled += len(text)
		}
		e.unseen = e.program == nil
		e.fixed = !ofObject.MatchString(text)
		p.marked = p.marked || ofMarks.MatchString(text)
		p.accounts = p.accounts || strings.Contains(text, "serviceAccount")
		p.personal = p.personal || strings.Contains(text, "userInfo")
		p.local = p.local || p.personal || strings.Contains(text, "namespace")
		return e
	}
	for _, v := range p.spec.Variables {
		e := of(v.Name, v.Expression)
		hidden = hidden || e.unseen
		p.variables = append(p.variables, e)
	}
	for _, c := range p.spec.MatchConditions {
		p.conditions = append(p.conditions, of(c.Name, c.Expression))
	}
	for _, v := range p.spec.Validations {
		p.validations = append(p.validations, of("", v.Expression))
	}
	return compiled
}

// looksAtUnseen says that an expression asks what somebody may do, or for parameters, which
// are objects of any kind and not read.
func looksAtUnseen(text string) bool {
	return strings.Contains(text, "authorizer") || strings.Contains(text, "params")
}

// ofObject finds in an expression what the makers of an object choose: all of it, its name, and how it is sent.
var ofObject = regexp.MustCompile(`\b(object|oldObject|variables|request\.(name|object|oldObject|options|dryRun))\b|request\s*[\[?]`)

// admits is the policy's answer. One that refuses the plain request as well decides nothing,
// unless it refuses whatever is made, or lets the plain one in where it says nothing of security. With
// marks that are tried only, the plain request needs none.
func (p *policy) admits(ns place, r *request) Verdict {
	if !p.about(ns, r) {
		return Admitted
	}
	v := p.answer(ns, r, taking)
	if v == Refused && ns.marks == nil && p.answer(ns, r, plain) == Refused && !p.closed(ns, r) && !p.particular(ns, r) {
		return Unknown
	}
	return v
}

// particular says that the policy refuses pods that say something of security, and of those that do not the one
// that takes over its node.
func (p *policy) particular(ns place, r *request) bool {
	return r.bare != nil && p.answer(ns, r, plainBare) == Admitted && p.answer(ns, r, bare) == Refused
}

// closed says that the policy lets nothing in, whatever the object: it is asked about each, and one of its
// validations that look at nothing of the object is false.
func (p *policy) closed(ns place, r *request) bool {
	if slices.ContainsFunc(p.conditions, func(e expression) bool { return !e.fixed }) {
		return false
	}
	in := p.inputs.of(ns, r, plain)
	return slices.ContainsFunc(p.validations, func(e expression) bool {
		if !e.fixed || e.unseen {
			return false
		}
		value, ok := evaluate(e.program, in, &p.budget)
		return ok && value == types.False
	})
}

// about says whether the policy is bound for the request: by the policy's constraints and
// those of one of its bindings.
func (p *policy) about(ns place, r *request) bool {
	return covers(p.spec.MatchConstraints, ns, r) && slices.ContainsFunc(p.bindings, func(b binding) bool {
		return b.of == nil || covers(b.of, ns, r)
	})
}

func covers(m *admissionv1.MatchResources, ns place, r *request) bool {
	if !selects(m.NamespaceSelector, ns) || !r.update && chosen(m.ObjectSelector) {
		return false
	}
	named := func(rule admissionv1.NamedRuleWithOperations) bool { // a name is the choice of who makes the object
		return len(rule.ResourceNames) == 0 && matches(rule.Rule, rule.Operations, r)
	}
	return (len(m.ResourceRules) == 0 || slices.ContainsFunc(m.ResourceRules, named)) && !slices.ContainsFunc(m.ExcludeResourceRules, named)
}

// exceptions are labels of a namespace that the policy makes an exception for.
func (p *policy) exceptions() map[string]string {
	out := map[string]string{}
	for _, b := range append([]binding{{of: p.spec.MatchConstraints}}, p.bindings...) {
		m := b.of
		if m == nil || m.NamespaceSelector == nil {
			continue
		}
		for _, e := range m.NamespaceSelector.MatchExpressions {
			switch {
			case e.Key == corev1.LabelMetadataName:
			case e.Operator == metav1.LabelSelectorOpDoesNotExist:
				out[e.Key] = "true"
			case e.Operator == metav1.LabelSelectorOpNotIn && len(e.Values) > 0:
				out[e.Key] = e.Values[0]
			}
		}
	}
	return out
}

func (p *policy) answer(ns place, r *request, s side) Verdict {
	if p.budget == 0 {
		return Unknown // and nothing is remembered of each place
	}
	q := question{request: r.id, side: s, account: ns.account}
	if p.local {
		if q.place = fmt.Sprint(ns.name, ns.labels, ns.user, ns.groups); q.place != p.at {
			p.at = q.place
			clear(p.answered)
		}
	}
	if p.marked {
		q.marks = fmt.Sprint(ns.marks)
	}
	v, known := p.answered[q]
	if !known {
		v = p.evaluate(ns, r, s)
		p.answered[q] = v
	}
	return v
}

// evaluate asks the expressions.
func (p *policy) evaluate(ns place, r *request, s side) Verdict {
	p.budget -= min(asking, p.budget)
	in := p.inputs.of(ns, r, s)
	variables := map[string]any{} // one that fails is missing, which fails where it is used
	in["variables"] = variables
	for _, v := range p.variables {
		if v.unseen {
			continue // who uses it is unseen too
		}
		value, ok := evaluate(v.program, in, &p.budget)
		if p.budget == 0 || ok && weight(value, maxValue) > maxValue {
			p.budget = 0
			return Unknown
		}
		if ok {
			variables[v.name] = value
		}
	}
	applies := p.hold(p.conditions, in)
	if applies == Refused {
		return Admitted // it is not asked
	}
	passes := p.hold(p.validations, in)
	if passes == Refused && applies == Unknown {
		return Unknown
	}
	return passes
}

// hold says whether all expressions are true: Admitted if they are, Refused if one is not.
// One that fails counts as the policy says.
func (p *policy) hold(all []expression, in map[string]any) Verdict {
	verdict := Admitted
	for _, e := range all {
		if e.unseen {
			verdict = min(verdict, Unknown)
			continue
		}
		value, ok := evaluate(e.program, in, &p.budget)
		switch {
		case p.budget == 0:
			return Unknown
		case !ok && (p.spec.FailurePolicy == nil || *p.spec.FailurePolicy == admissionv1.Fail), ok && value != types.True:
			return Refused
		}
	}
	return verdict
}
