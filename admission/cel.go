package admission

import (
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/ext"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/cel/library"
)

// environment is that in which the API server compiles the expressions of policies, as
// k8s.io/apiserver/pkg/cel/environment has it, without types: an object is what its JSON says.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	options := []cel.EnvOption{cel.HomogeneousAggregateLiterals(), cel.EagerlyValidateDeclarations(true), cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true), cel.OptionalTypes(),
		ext.Strings(ext.StringsVersion(2)), ext.Sets(), ext.TwoVarComprehensions(), ext.Lists(ext.ListsVersion(3)),
		library.URLs(), library.Regex(), library.Quantity(), library.IP(), library.CIDR(), library.Format(),
		library.SemverLib(library.SemverVersion(1)), library.Lists(library.ListsVersion(1))}
	for _, name := range []string{"object", "oldObject", "request", "namespaceObject", "variables"} {
		options = append(options, cel.Variable(name, cel.DynType))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, err
	}
	return bounded(env)
})

const (
	// costEach bounds one expression, in cel's own units: some tenths of a second.
	costEach = 1_000_000
	// maxExpression bounds the text of one, and maxExpressions all of one policy: what is longer is not compiled.
	maxExpression, maxExpressions = 16 << 10, 128 << 10
	// maxValue bounds a variable of a policy, in letters and elements: others are made of it.
	maxValue = 100_000
)

// compile makes a program that may cost so much at a time; nil is none, for an API server would not have taken a policy with such
// an expression, or we know less than it does.
func compile(expression string, most uint64) cel.Program {
	if len(expression) > maxExpression {
		return nil
	}
	env, err := environment()
	if err != nil {
		panic(err) // it is part of the program
	}
	tree, issues := env.Compile(expression)
	if issues.Err() != nil {
		return nil
	}
	p, err := env.Program(tree, cel.EvalOptions(cel.OptOptimize, cel.OptTrackCost), cel.CostLimit(most),
		cel.CostTracking(&library.CostEstimator{}))
	if err != nil {
		return nil
	}
	return p
}

// evaluate runs a program within a budget, from which its cost is taken. Nothing of the budget is left after one whose
// answer would cost too much.
func evaluate(p cel.Program, in map[string]any, budget *uint64) (value ref.Val, ok bool) {
	out, details, err := p.Eval(in)
	cost := uint64(1)
	if details != nil && details.ActualCost() != nil {
		cost += *details.ActualCost()
	}
	*budget -= min(cost, *budget)
	if errors.Is(err, errDear) {
		*budget = 0
	}
	if err != nil || types.IsUnknownOrError(out) {
		return nil, false
	}
	return out, true
}

// inputs are what expressions see of the requests of the place that is looked at: it is the same for all policies.
type inputs struct {
	place string
	by    map[question]map[string]any
}

func (i *inputs) of(ns place, r *request, s side) map[string]any {
	place := fmt.Sprint(ns.name, ns.labels, ns.user, ns.groups, ns.account, ns.marks)
	if i.by == nil || i.place != place {
		i.place, i.by = place, map[question]map[string]any{}
	}
	q := question{request: r.id, side: s}
	if i.by[q] == nil {
		i.by[q] = input(ns, r, s)
	}
	return maps.Clone(i.by[q]) // a policy adds its variables
}

// input is what expressions see of a request.
func input(ns place, r *request, s side) map[string]any {
	operation := "CREATE"
	if r.update {
		operation = "UPDATE"
	}
	made := r.marked(placed(r.side(s), ns.name), ns.marks)
	if pod, ok := made.(map[string]any); ok && ns.account != "" && (s == taking || s == bare) {
		spec := pod["spec"].(map[string]any)
		spec["serviceAccountName"], spec["serviceAccount"] = ns.account, ns.account
	}
	name, groups := r.user(ns)
	kind := map[string]any{"group": r.kind.Group, "version": r.kind.Version, "kind": r.kind.Kind}
	resource := map[string]any{"group": r.resource.Group, "version": r.resource.Version, "resource": r.resource.Resource}
	return map[string]any{
		"object": made, "oldObject": placed(r.old, ns.name),
		"request": map[string]any{"kind": kind, "requestKind": kind, "resource": resource, "requestResource": resource,
			"subResource": r.subresource, "requestSubResource": r.subresource, "name": "probe", "namespace": ns.name, "operation": operation,
			"userInfo": map[string]any{"username": name, "groups": groups, "uid": "", "extra": map[string]any{}}, "dryRun": false},
		"namespaceObject": map[string]any{"apiVersion": "v1", "kind": "Namespace",
			"metadata": map[string]any{"name": ns.name, "labels": ns.labels, "annotations": map[string]string{}}},
	}
}

// placed is an object of the namespace as its JSON says it.
func placed(o runtime.Object, namespace string) any {
	if o == nil {
		return nil
	}
	o = o.DeepCopyObject()
	o.(metav1.Object).SetNamespace(namespace)
	out, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		panic(err) // it is one of our own
	}
	return out
}

// user is who makes the request: a service account of the namespace, or the controller
// that makes the pods of workloads.
func (r *request) user(ns place) (name string, groups []string) {
	of, account := ns.name, "default"
	switch {
	case r.controller != "":
		of, account = "kube-system", r.controller
	case ns.user != "":
		return ns.user, ns.groups
	}
	return "system:serviceaccount:" + of + ":" + account,
		[]string{"system:serviceaccounts", "system:serviceaccounts:" + of, "system:authenticated"}
}
