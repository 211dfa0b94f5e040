package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"
)

// mutant is one small fault: of one place, for all tests of its package.
type mutant struct {
	id       int
	file     string // relative to the repository
	line     int
	text     string // the line as it is in the file, for people and for the list of equivalents
	was, now string
	raw      edit    // the fault alone, for what cannot be switched at run time
	switched []edit  // the fault beside the original, chosen by mutantOn(id)
	with     *mutant // whose edits hold this fault too
}

// switchable: it is in the binary of all; others are built by themselves.
func (m *mutant) switchable() bool {
	return len(m.switched) > 0 || m.with != nil && len(m.with.switched) > 0
}

func (m *mutant) change() string { return m.was + " → " + m.now }

// edit replaces the bytes [from, to) of a file. Edits nest: what is put at one
// offset stands in the order in which it was made.
type edit struct {
	from, to, order int
	text            string
}

// finder walks one file and notes its mutants.
type finder struct {
	fset    *token.FileSet
	file    *ast.File
	name    string
	src     []byte
	info    *types.Info
	pkg     *types.Package
	next    func() int
	edits   int
	mutants []*mutant
	parents []ast.Node
}

func (f *finder) find() []*mutant {
	for _, decl := range f.file.Decls {
		f.walk(decl)
	}
	return f.mutants
}

// walk visits a node before and after what is in it, so that edits nest.
func (f *finder) walk(n ast.Node) {
	if n == nil || f.untold(n) {
		return
	}
	after := f.mutate(n)
	f.parents = append(f.parents, n)
	for child := range children(n) {
		f.walk(child)
	}
	f.parents = f.parents[:len(f.parents)-1]
	for _, end := range after {
		end()
	}
}

func children(n ast.Node) func(func(ast.Node) bool) {
	return func(yield func(ast.Node) bool) {
		ast.Inspect(n, func(c ast.Node) bool {
			if c == n {
				return true
			}
			if c != nil {
				yield(c)
			}
			return false
		})
	}
}

// untold is what no test should have to say: logs, panics, capacities, types.
func (f *finder) untold(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ArrayType, *ast.FuncType, *ast.StructType, *ast.ImportSpec:
		return true
	case *ast.CallExpr:
		switch callee := n.Fun.(type) {
		case *ast.Ident:
			return callee.Name == "make" || callee.Name == "panic"
		case *ast.SelectorExpr:
			t := f.info.TypeOf(callee.X)
			if t != nil && strings.HasSuffix(t.String(), "log/slog.Logger") {
				return true
			}
			pkg, ok := callee.X.(*ast.Ident)
			return ok && pkg.Name == "slog"
		}
	}
	return false
}

func (f *finder) parent() ast.Node {
	for i := len(f.parents) - 1; i >= 0; i-- {
		if _, ok := f.parents[i].(*ast.ParenExpr); !ok {
			return f.parents[i]
		}
	}
	return nil
}

// mutate notes the mutants of one node and returns what is to be put behind it.
func (f *finder) mutate(n ast.Node) (after []func()) {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if f.isCondition(n) {
			return f.condition(n)
		}
		return f.arithmetic(n)
	case *ast.BasicLit:
		return f.number(n)
	case *ast.IncDecStmt:
		f.step(n)
		return nil
	case *ast.Ident:
		if (n.Name == "true" || n.Name == "false") && f.info.Uses[n] == types.Universe.Lookup(n.Name) {
			return f.boolean(n)
		}
	}
	if e, ok := n.(ast.Expr); ok {
		if f.isCase(e) {
			return f.label(e)
		}
		if f.isCondition(e) {
			return f.condition(e)
		}
	}
	return nil
}

// isCondition: a comparison anywhere; any other bool where something is decided.
// What && || ! join are conditions of their own.
func (f *finder) isCondition(e ast.Expr) bool {
	t := f.info.Types[e]
	if t.Type == nil || t.Value != nil || !t.IsValue() || !isBool(t.Type) {
		return false
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return false
	case *ast.UnaryExpr:
		return e.Op != token.NOT
	case *ast.BinaryExpr:
		return e.Op != token.LAND && e.Op != token.LOR
	}
	switch p := f.parent().(type) {
	case *ast.IfStmt, *ast.ForStmt:
		return true
	case *ast.UnaryExpr:
		return p.Op == token.NOT
	case *ast.BinaryExpr:
		return p.Op == token.LAND || p.Op == token.LOR
	case *ast.CaseClause:
		return !f.isCase(e)
	}
	return false
}

func isBool(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsBoolean != 0
}

// condition: always, never, and a comparison's bound by one more or less.
func (f *finder) condition(e ast.Expr) []func() {
	var both []*mutant
	var ids [2]int
	was := f.source(e)
	loop, inLoop := f.parent().(*ast.ForStmt)
	if !inLoop || loop.Cond != e { // a loop without end says nothing
		m := f.note(e, was, "true", "("+was+" || true)")
		both, ids[0] = append(both, m), m.id
	}
	if !f.passesOn(e) {
		m := f.note(e, was, "false", "("+was+" && false)")
		both, ids[1] = append(both, m), m.id
	}
	if len(both) == 0 {
		return f.bound(e)
	}
	if len(both) == 2 {
		both[1].with = both[0]
	}
	f.put(both[0], e.Pos(), e.Pos(), fmt.Sprintf("mutantCondition(%d, %d, ", ids[0], ids[1]))
	return append(f.bound(e), func() { f.put(both[0], e.End(), e.End(), ")") })
}

var bounds = map[token.Token]token.Token{token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR}

func (f *finder) bound(e ast.Expr) []func() {
	b, ok := e.(*ast.BinaryExpr)
	if !ok || bounds[b.Op] == 0 {
		return nil
	}
	m := f.note(
		b,
		f.source(b),
		flat(f.source(b.X)+" "+bounds[b.Op].String()+" "+f.source(b.Y)),
		f.source(b.X)+" "+bounds[b.Op].String()+" "+f.source(b.Y),
	)
	x, y := flat(f.source(b.X)), flat(f.source(b.Y))
	joined := fmt.Sprintf(" || mutantOn(%d) && (%s) == (%s)", m.id, x, y)
	if b.Op == token.LEQ || b.Op == token.GEQ {
		joined = fmt.Sprintf(" && !(mutantOn(%d) && (%s) == (%s))", m.id, x, y)
	}
	return []func(){func() { f.put(m, b.End(), b.End(), joined) }}
}

// passesOn: if err != nil { return …, err }. No small test makes every call fail,
// and nothing is decided there.
func (f *finder) passesOn(e ast.Expr) bool {
	b, ok := e.(*ast.BinaryExpr)
	if !ok || b.Op != token.NEQ || f.source(b.Y) != "nil" {
		return false
	}
	i, ok := f.parent().(*ast.IfStmt)
	if !ok || i.Cond != e || len(i.Body.List) != 1 {
		return false
	}
	ret, ok := i.Body.List[0].(*ast.ReturnStmt)
	if !ok || len(ret.Results) == 0 {
		return false
	}
	return strings.Contains(f.source(ret.Results[len(ret.Results)-1]), f.source(b.X))
}

var others = map[token.Token]token.Token{
	token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL, token.REM: token.MUL,
	token.AND: token.OR, token.OR: token.AND, token.XOR: token.AND, token.SHL: token.SHR, token.SHR: token.SHL, token.AND_NOT: token.AND,
}

func (f *finder) arithmetic(b *ast.BinaryExpr) []func() {
	t := f.info.Types[b]
	op := others[b.Op]
	if op == 0 || t.Type == nil || t.Value != nil || isText(t.Type) {
		return nil
	}
	name, ok := f.typeName(t.Type)
	if !ok {
		return nil
	}
	other := f.source(b.X) + " " + op.String() + " " + f.source(b.Y)
	m := f.note(b, f.source(b), flat(other), other)
	f.put(m, b.Pos(), b.Pos(), fmt.Sprintf("func() %s { if mutantOn(%d) { return %s }; return ", name, m.id, flat(other)))
	return []func(){func() { f.put(m, b.End(), b.End(), " }()") }}
}

func isText(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}

// number: an integer by one more. Permissions and lengths of time are no decisions.
func (f *finder) number(l *ast.BasicLit) []func() {
	t := f.info.Types[l]
	if l.Kind != token.INT || strings.HasPrefix(l.Value, "0o") || t.Type == nil || t.Type.String() == "time.Duration" {
		return nil
	}
	more := constant.BinaryOp(constant.MakeFromLiteral(l.Value, token.INT, 0), token.ADD, constant.MakeInt64(1)).String()
	m := f.note(l, l.Value, more, more)
	name, ok := f.typeName(t.Type)
	if !ok || f.mustBeConstant() {
		return nil
	}
	f.put(m, l.Pos(), l.End(), fmt.Sprintf("mutantPick[%s](%d, %s, %s)", name, m.id, l.Value, more))
	return nil
}

func (f *finder) mustBeConstant() bool {
	for i := len(f.parents) - 1; i >= 0; i-- {
		switch p := f.parents[i].(type) {
		case *ast.GenDecl:
			return p.Tok == token.CONST
		case *ast.KeyValueExpr:
			return f.inArray(i)
		case *ast.FuncDecl:
			return false
		}
	}
	return false
}

// inArray: keys of an array's or slice's literal are constants.
func (f *finder) inArray(i int) bool {
	if i == 0 {
		return false
	}
	t := f.info.TypeOf(f.parents[i-1].(ast.Expr))
	switch t.Underlying().(type) {
	case *types.Array, *types.Slice:
		return true
	}
	return false
}

func (f *finder) boolean(n *ast.Ident) []func() {
	now := map[string]string{"true": "false", "false": "true"}[n.Name]
	m := f.note(n, n.Name, now, now)
	if !f.mustBeConstant() {
		f.put(m, n.Pos(), n.End(), fmt.Sprintf("(%s != mutantOn(%d))", n.Name, m.id))
	}
	return nil
}

// step: x++ counts down, x-- up.
func (f *finder) step(s *ast.IncDecStmt) {
	x := f.source(s.X)
	if s.Tok == token.INC {
		if loop, ok := f.parent().(*ast.ForStmt); ok && loop.Post == s {
			return // a loop without end says nothing
		}
		m := f.note(s, "++", "--", x+"--")
		f.put(m, s.TokPos, s.End(), fmt.Sprintf(" += mutantStep(%d, %s)", m.id, x))
		return
	}
	m := f.note(s, "--", "++", x+"++")
	f.put(m, s.TokPos, s.End(), fmt.Sprintf(" -= mutantStep(%d, %s)", m.id, x))
}

// isCase: a value that a switch compares with.
func (f *finder) isCase(e ast.Expr) bool {
	clause, ok := f.parent().(*ast.CaseClause)
	if !ok || len(f.parents) < 3 {
		return false
	}
	s, ok := f.parents[len(f.parents)-3].(*ast.SwitchStmt)
	if !ok || s.Tag == nil {
		return false
	}
	for _, listed := range clause.List {
		if listed == e {
			return true
		}
	}
	return false
}

// label: a case of a switch that never comes.
func (f *finder) label(e ast.Expr) []func() {
	t := f.info.Types[e]
	if t.Type == nil || !isText(t.Type) {
		return nil
	}
	name, ok := f.typeName(t.Type)
	if !ok {
		return nil
	}
	was := f.source(e)
	m := f.note(e, "case "+was, "no case", was+` + "\x00"`)
	f.put(m, e.Pos(), e.Pos(), fmt.Sprintf("mutantPick[%s](%d, ", name, m.id))
	return []func(){func() { f.put(m, e.End(), e.End(), fmt.Sprintf(", %s+\"\\x00\")", flat(was))) }}
}

// note adds a mutant that puts now where the node is.
func (f *finder) note(n ast.Node, was, now, text string) *mutant {
	at := f.fset.Position(n.Pos())
	if b, ok := n.(*ast.BinaryExpr); ok {
		at.Line = f.fset.Position(b.OpPos).Line
	}
	m := &mutant{
		id: f.next(), file: f.name, line: at.Line, text: f.lineOf(at.Line), was: flat(was), now: now,
		raw: edit{f.offset(n.Pos()), f.offset(n.End()), 0, text},
	}
	f.mutants = append(f.mutants, m)
	return m
}

// put adds an edit that holds the fault beside the original.
func (f *finder) put(m *mutant, from, to token.Pos, text string) {
	f.edits++
	m.switched = append(m.switched, edit{f.offset(from), f.offset(to), f.edits, text})
}

func (f *finder) offset(p token.Pos) int { return f.fset.Position(p).Offset }

func (f *finder) source(n ast.Node) string { return string(f.src[f.offset(n.Pos()):f.offset(n.End())]) }

func (f *finder) lineOf(line int) string {
	start := f.offset(f.fset.File(f.file.Pos()).LineStart(line))
	text, _, _ := strings.Cut(string(f.src[start:]), "\n")
	return strings.TrimSpace(text)
}

// flat keeps every line's number: what is copied is put on one line if it can be.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// typeName writes a type as this file may write it.
func (f *finder) typeName(t types.Type) (string, bool) {
	known := true
	name := types.TypeString(types.Default(t), func(p *types.Package) string {
		if p == f.pkg {
			return ""
		}
		for _, spec := range f.file.Imports {
			if strings.Trim(spec.Path.Value, `"`) == p.Path() {
				if spec.Name != nil {
					return spec.Name.Name
				}
				return p.Name()
			}
		}
		known = false
		return p.Name()
	})
	return name, known && !strings.Contains(name, "invalid")
}
