package store

import "strings"

// Tenancy is a cluster, or namespaces of it, that may be seen.
type Tenancy struct {
	Cluster string
	// Namespaces restricts to them; empty: the whole cluster.
	Namespaces []string
}

// condition is a growing WHERE.
type condition struct {
	and  []string
	args []any
}

func (c *condition) add(text string, args ...any) {
	c.and, c.args = append(c.and, text), append(c.args, args...)
}

func (c *condition) equal(column, want string) {
	if want != "" {
		c.add(column+` = ?`, want)
	}
}

// oneOf asks for one of the wanted, if any is.
func oneOf[T ~string](c *condition, column string, wanted []T) {
	switch len(wanted) {
	case 0:
		return
	case 1:
		c.add(column+` = ?`, string(wanted[0]))
		return
	}
	var args []any
	for _, w := range wanted {
		args = append(args, string(w))
	}
	c.add(column+` IN (`+strings.TrimPrefix(strings.Repeat(", ?", len(args)), ", ")+`)`, args...)
}

// all is the text of the condition.
func (c *condition) all() string { return strings.Join(c.and, " AND ") }

// like asks for a part of a text.
func (c *condition) like(column, part string) {
	c.add(column+` LIKE ? ESCAPE '\'`, "%"+escapeLike(part)+"%")
}

func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// within asks for rows of the places. A row's namespaces are a list as lines makes
// it; inside says which rows of a cluster lie in the namespaces of a place.
func (c *condition) within(places []Tenancy, cluster string, inside func(namespaces []string) condition) {
	if len(places) == 0 {
		c.add("1 = 0")
		return
	}
	var or condition
	for _, p := range places {
		if len(p.Namespaces) == 0 {
			or.add(cluster+` = ?`, p.Cluster)
			continue
		}
		part := inside(p.Namespaces)
		or.add(cluster+` = ? AND (`+strings.Join(part.and, " OR ")+`)`, append([]any{p.Cluster}, part.args...)...)
	}
	c.add("("+strings.Join(or.and, " OR ")+")", or.args...)
}

// touching is of rows that concern at least one of the namespaces.
func touching(column string) func([]string) condition {
	return func(namespaces []string) (c condition) {
		for _, n := range namespaces {
			c.like(column, "\n"+n+"\n")
		}
		return c
	}
}

// only is of rows that concern some of the namespaces and no other: what is left
// of the list without them is an end of line.
func only(column string) func([]string) condition {
	return func(namespaces []string) (c condition) {
		left, args := column, []any{}
		for _, n := range namespaces {
			left, args = `replace(`+left+`, ?, ?)`, append(args, "\n"+n+"\n", "\n")
		}
		c.add(left+` = ?`, append(args, "\n")...)
		return c
	}
}
