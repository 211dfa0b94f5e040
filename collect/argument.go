package collect

import (
	"slices"
	"strings"
)

// Argument is the value that a container's command line gives to an argument, in
// any case: that of --name=value or "--name value", "true" of --name alone. It is
// empty where the argument is not there.
func (c ContainerShape) Argument(name string) string {
	if all := c.Arguments(name); len(all) > 0 {
		return all[0]
	}
	return ""
}

// Arguments are the values of an argument that may be given more than once.
func (c ContainerShape) Arguments(name string) (out []string) {
	all := slices.Concat(c.Command, c.Args)
	for i, a := range all {
		a, value, given := strings.Cut(strings.TrimLeft(a, "-"), "=")
		switch {
		case !strings.EqualFold(a, name):
		case given:
			out = append(out, value)
		case i+1 < len(all) && !strings.HasPrefix(all[i+1], "-"):
			out = append(out, all[i+1])
		default:
			out = append(out, "true")
		}
	}
	return out
}

// HasArgument says whether a container is given an argument that is not false, or
// one below it: "providers" is any of --providers.docker and its like.
func (c ContainerShape) HasArgument(name string) bool {
	return slices.ContainsFunc(slices.Concat(c.Command, c.Args), func(a string) bool {
		a, value, _ := strings.Cut(strings.ToLower(strings.TrimLeft(a, "-")), "=")
		return a == name && value != "false" || strings.HasPrefix(a, name+".")
	})
}
