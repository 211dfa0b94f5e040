package redact

import (
	"slices"
	"strings"
)

// maxName bounds a name; longer ones are none.
const maxName = 80

// secretName says whether a name is that of a secret.
func secretName(name string) bool {
	if len(name) < 2 || len(name) > maxName {
		return false
	}
	var space [12]string
	words := split(space[:0], name)
	if len(words) == 0 || table.switches[words[0]] {
		return false
	}
	last := words[len(words)-1]
	if table.other[last] {
		return false
	}
	if table.last[last] || slices.ContainsFunc(words, isAnywhere) || hasEnding(last, table.Names.Endings) {
		return true
	}
	if len(words) == 1 {
		return false
	}
	before := words[len(words)-2]
	return table.after[last] && (table.last[before] || hasEnding(before, table.Names.Endings)) || table.pairs[before+" "+last]
}

func isAnywhere(w string) bool { return hasEnding(w, table.Names.Anywhere) }

func hasEnding(w string, endings []string) bool {
	return slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(w, e) })
}

// split is a name's words in small letters: fooBar, foo-bar, FOO_BAR and foo.bar are two. A number at the end of a word
// is not of it.
func split(out []string, name string) []string {
	from := 0
	take := func(to int) {
		if w := strings.TrimRight(name[from:to], "0123456789"); w != "" && len(out) < cap(out) {
			out = append(out, strings.ToLower(w))
		}
	}
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case !letter(c) && !digit(c):
			take(i)
			from = i + 1
		case upper(c) && i > from && (lower(name[i-1]) || upper(name[i-1]) && i+1 < len(name) && lower(name[i+1]) && i-from > 1):
			take(i)
			from = i
		}
	}
	take(len(name))
	return out
}

func upper(c byte) bool  { return c >= 'A' && c <= 'Z' }
func lower(c byte) bool  { return c >= 'a' && c <= 'z' }
func letter(c byte) bool { return upper(c) || lower(c) }
func digit(c byte) bool  { return c >= '0' && c <= '9' }
func space(c byte) bool  { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
func quote(c byte) bool  { return c == '"' || c == '\'' || c == '`' }
func named(c byte) bool  { return letter(c) || digit(c) || c == '_' || c == '-' || c == '.' }

// harmless says of a value that stands where secrets do that it is none: a yes or no, nothing in quotes, where else it is
// taken from. Whether a program asks who calls is told by these.
func harmless(value string) bool {
	v := strings.Trim(value, `"'\`)
	switch strings.ToLower(v) {
	case "", "true", "false", "none", "null", "nil", "yes", "no", "on", "off", "required", "optional":
		return true
	}
	for _, place := range []string{"/var/", "/etc/", "/run/", "/opt/", "/tmp/", "/secrets/", "/mnt/", "/home/", "/root", "/usr/", "/srv/"} {
		if strings.HasPrefix(v, place) {
			return true
		}
	}
	return strings.HasPrefix(v, Mark) || strings.HasPrefix(v, "$(") || strings.HasPrefix(v, "${") || strings.HasPrefix(v,
		"{{") || isVariable(v)
}

// isVariable says whether a value is $NAME.
func isVariable(v string) bool {
	if len(v) < 2 || v[0] != '$' {
		return false
	}
	for i := 1; i < len(v); i++ {
		if !upper(v[i]) && v[i] != '_' && (i == 1 || !digit(v[i])) {
			return false
		}
	}
	return true
}
