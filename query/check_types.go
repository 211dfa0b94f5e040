package query

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/graph"
)

// typed holds the operator and value against the column's type.
func (p *planner) typed(e *Expr, t *test, c graph.Column, path string) bool {
	allowed, ok := opsOf[c.Type]
	switch {
	case !slices.Contains(allOps, e.Op):
		p.problem(e.pos, path+".op", nearest(strings.ToUpper(e.Op), allOps), "there is no operator %s", e.Op)
		return false
	case !ok || !slices.Contains(allowed, e.Op):
		p.problem(e.propPos, path+".op", hint(c.Type, e.Op), "%s is %s, so %s does not fit", e.Prop, typeName(c.Type), opName(e.Op))
		return false
	case e.Fold && c.Type != graph.Text && c.Type != graph.Enum:
		p.problem(e.propPos, path+".fold", "", "toLower takes a text, and %s is %s", e.Prop, typeName(c.Type))
		return false
	}
	if e.Op == OpTrue || e.Op == OpNull || e.Op == OpNotNull {
		return true
	}
	if e.Value == nil {
		p.problem(e.pos, path+".value", "", "%s wants a value", e.Op)
		return false
	}
	v, ok := p.parameter(*e.Value, e, path)
	if !ok {
		return false
	}
	t.value = v
	if _, unknown := v.V.(Param); unknown {
		return true
	}
	return p.fits(v, e, c, path)
}

// parameter fills a parameter in; while only checking it stays open.
func (p *planner) parameter(v Value, e *Expr, path string) (Value, bool) {
	name, is := v.V.(Param)
	if list, isList := v.V.([]Value); isList {
		return p.parameters(list, e, path)
	}
	if !is || p.checking {
		return v, true
	}
	raw, given := p.params[string(name)]
	if !given {
		p.problem(e.valuePos, path+".value", "", "parameter $%s is not given", string(name))
		return v, false
	}
	lit, err := literal(raw)
	if err != nil {
		p.problem(e.valuePos, path+".value", "", "parameter $%s: %v", string(name), err)
		return v, false
	}
	return lit, true
}

func (p *planner) parameters(list []Value, e *Expr, path string) (Value, bool) {
	if p.terms += len(list); p.terms > MaxTerms {
		p.problem(e.valuePos, path+".value", "", "a query may have at most %d conditions and values", MaxTerms)
		return Value{}, false
	}
	out := make([]Value, len(list))
	for i, v := range list {
		lit, ok := p.parameter(v, e, path)
		if !ok {
			return Value{}, false
		}
		out[i] = lit
	}
	return Value{out}, true
}

// fits holds a literal against a column. A list is for IN only.
func (p *planner) fits(v Value, e *Expr, c graph.Column, path string) bool {
	list, isList := v.V.([]Value)
	if isList != (e.Op == OpIn) {
		p.problem(e.valuePos, path+".value", "", "IN and only IN takes a list of values")
		return false
	}
	if !isList {
		list = []Value{v}
	}
	for _, x := range list {
		if _, open := x.V.(Param); open {
			continue
		}
		if want := misfit(x, c.Type); want != "" {
			p.problem(e.valuePos, path+".value", "", "%s is %s and is compared with %s, not with %s", e.Prop, typeName(c.Type), want, x)
			return false
		}
		if c.Type == graph.Enum && slices.Contains(comparisons[2:], e.Op) && !slices.Contains(c.Enum, x.V.(string)) {
			p.problem(e.valuePos, path+".value", enumHint(x, c), "%s is never %s", e.Prop, x)
			return false
		}
	}
	return true
}

// enumKnows finds values that an enum can never have in any of the columns.
func (p *planner) enumKnows(e *Expr, t *test, columns []graph.Column, path string) {
	values := []Value{t.value}
	if list, ok := t.value.V.([]Value); ok {
		values = list
	}
	for _, v := range values {
		s, ok := v.V.(string)
		if ok && !e.Fold && !slices.ContainsFunc(columns, func(c graph.Column) bool {
			return c.Type != graph.Enum ||
				slices.Contains(c.Enum, s)
		}) {
			p.problem(e.valuePos, path+".value", enumHint(v, columns[0]), "%s is never %s", e.Prop, v)
		}
	}
}

func enumHint(v Value, c graph.Column) string {
	s, _ := v.V.(string)
	if h := nearest(s, c.Enum); h != "" {
		return h
	}
	return "it is one of " + strings.Join(c.Enum, ", ")
}

// moment reads a time as a text writes it.
func moment(s string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, nil
	}
	return time.Parse(time.RFC3339, s)
}

func misfit(v Value, t graph.Type) (want string) {
	ok := false
	switch t {
	case graph.Text, graph.Enum, graph.List:
		want = "a text"
		_, ok = v.V.(string)
	case graph.Bool:
		want = "true or false"
		_, ok = v.V.(bool)
	case graph.Time:
		want = "a time such as '2026-01-31' or '2026-01-31T12:00:00Z'"
		s, text := v.V.(string)
		_, err := moment(s)
		ok = text && err == nil
	default:
		want = "a number"
		switch v.V.(type) {
		case int64, float64:
			ok = true
		}
	}
	if ok {
		return ""
	}
	return want
}

var (
	textOps   = []string{OpEq, OpNe, OpLt, OpLe, OpGt, OpGe, OpContains, OpStarts, OpEnds, OpIn, OpNull, OpNotNull}
	numberOps = []string{OpEq, OpNe, OpLt, OpLe, OpGt, OpGe, OpIn, OpNull, OpNotNull}
	allOps    = append(slices.Clone(textOps), OpHas, OpTrue)
	opsOf     = map[graph.Type][]string{
		graph.Text: textOps, graph.Enum: textOps,
		graph.Int: numberOps, graph.Float: numberOps, graph.Time: numberOps,
		graph.Bool: {OpTrue, OpEq, OpNe, OpNull, OpNotNull},
		graph.List: {OpHas, OpNull, OpNotNull},
	}
)

func opName(op string) string {
	switch op {
	case OpTrue:
		return "standing alone as a condition"
	case OpHas:
		return "value IN"
	}
	return op
}

func hint(t graph.Type, op string) string {
	switch {
	case t == graph.List:
		return "write 'value' IN it"
	case t == graph.Bool:
		return "write it alone, or = true, = false, IS NULL"
	case op == OpTrue:
		return "compare it with a value"
	case op == OpHas:
		return "put the property on the left"
	}
	return ""
}

func typeName(t graph.Type) string {
	return map[graph.Type]string{graph.Text: "a text", graph.Enum: "one of an ordered list", graph.Int: "a number",
		graph.Float: "a number", graph.Bool: "true or false", graph.Time: "a time", graph.List: "a list"}[t]
}

// literal makes a value of what a caller handed in as a parameter.
func literal(raw any) (Value, error) {
	switch x := raw.(type) {
	case Value:
		return x, nil
	case []string:
		return *Lit(x), nil
	case string, bool, int64, float64, int:
		return *Lit(x), nil
	case []any:
		list := make([]Value, len(x))
		for i := range x {
			v, err := literal(x[i])
			if err != nil {
				return Value{}, err
			}
			list[i] = v
		}
		return Value{list}, nil
	}
	return Value{}, fmt.Errorf("a %T is no value", raw)
}
