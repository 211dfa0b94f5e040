package strictyaml

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	lineOf  = regexp.MustCompile(`line (\d+): (.*)`)
	unknown = regexp.MustCompile(`^field (\S+) not found in type .*`)
	unfit   = regexp.MustCompile("^cannot unmarshal !!(\\w+)(?: `(.*)`)? into (\\S+)")
)

// located puts the decoder's "line 4: field x not found in type y" as
// file:4: unknown key "x".
func located(name string, err error) error {
	m := lineOf.FindStringSubmatch(err.Error())
	if m == nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return fmt.Errorf("%s:%s: %s", name, m[1], plain(m[2]))
}

// plain says what was wanted, without the names of our types.
func plain(message string) string {
	if m := unknown.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("unknown key %q", m[1])
	}
	if m := unfit.FindStringSubmatch(message); m != nil {
		found := map[string]string{"seq": "a list", "map": "keys and their values", "null": "nothing"}[m[1]]
		if m[2] != "" || found == "" {
			found = fmt.Sprintf("%q", m[2])
		}
		return "want " + kindOf(m[3]) + ", found " + found
	}
	return message
}

// kindOf is what a writer of YAML calls a Go type.
func kindOf(goType string) string {
	goType = strings.TrimLeft(goType, "*")
	switch {
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	case goType == "string":
		return "a text"
	case goType == "bool":
		return "true or false"
	case strings.HasPrefix(goType, "int"), strings.HasPrefix(goType, "uint"):
		return "a whole number"
	case strings.HasPrefix(goType, "float"):
		return "a number"
	default:
		return "keys and their values"
	}
}
