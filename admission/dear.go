package admission

import (
	"errors"
	"fmt"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/functions"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// cel counts what a call cost when it was made. These may take hours, or all memory, in one call: what they compare or
// write grows with the product of what they are given.
var dear = []string{"distinct", "flatten", "join", "replace", "sets.contains", "sets.equivalent", "sets.intersects"}

// maxCall bounds that product, in letters and elements.
const maxCall = 1 << 20

// errDear ends an expression whose answer would cost too much: it is not known.
var errDear = errors.New("it costs more than is spent on one call")

// bounded is an environment in which dear functions look at what they are given before they begin.
func bounded(env *cel.Env) (*cel.Env, error) {
	var options []cel.EnvOption
	for _, name := range dear {
		f := env.Functions()[name]
		if f == nil {
			return nil, fmt.Errorf("%s is no function of the library", name)
		}
		bindings, err := f.Bindings()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, o := range f.OverloadDecls() {
			do, err := boundedCall(bindings, o.ID())
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			add := cel.Overload
			if o.IsMemberFunction() {
				add = cel.MemberOverload
			}
			options = append(options, cel.Function(name, add(o.ID(), o.ArgTypes(), o.ResultType(), cel.FunctionBinding(do))))
		}
	}
	return env.Extend(options...)
}

// boundedCall is what an overload does, if it is given little enough.
func boundedCall(of []*functions.Overload, id string) (functions.FunctionOp, error) {
	for _, b := range of {
		if b.Operator != id {
			continue
		}
		return func(args ...ref.Val) ref.Val {
			cost := weight(args[0], maxCall)
			if len(args) == 1 {
				cost *= cost
			}
			for _, a := range args[1:] {
				cost *= max(1, weight(a, maxCall))
			}
			switch {
			case cost > maxCall:
				return types.WrapErr(errDear)
			case b.Unary != nil && len(args) == 1:
				return b.Unary(args[0])
			case b.Binary != nil && len(args) == 2:
				return b.Binary(args[0], args[1])
			case b.Function != nil:
				return b.Function(args...)
			}
			return types.NoSuchOverloadErr()
		}, nil
	}
	return nil, fmt.Errorf("nothing is bound to %s", id)
}

// weight is how many letters and elements a value has in all, one counted as often as it is met, up to a number
// beyond the bound.
func weight(v ref.Val, most int) int {
	n := 1
	switch v := v.(type) {
	case types.String:
		n += len(v)
	case types.Bytes:
		n += len(v)
	case traits.Mapper:
		for it := v.Iterator(); it.HasNext() == types.True && n <= most; {
			key := it.Next()
			n += weight(key, most-n)
			n += weight(v.Get(key), most-n)
		}
	case traits.Lister:
		for it := v.Iterator(); it.HasNext() == types.True && n <= most; {
			n += weight(it.Next(), most-n)
		}
	}
	return min(n, most+1)
}
