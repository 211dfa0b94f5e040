package redact

import (
	"path"
	"slices"
	"strings"
)

// Command takes secrets out of a command line: the name of the program, and its words with or without it.
func Command(name string, words []string) []string {
	out := make([]string, len(words))
	r := reader{}
	r.starts(name)
	for i, w := range words {
		switch p := r.word(w); {
		case p.whole:
			out[i] = Mark
		case p.to > p.from:
			out[i] = w[:p.from] + Mark
		default:
			out[i] = Text(w)
		}
	}
	return out
}

// reader goes through a command line and knows of each word whether it is a secret.
type reader struct {
	program *program
	login   bool // the word was there
	setting bool // a word that sets something was there
	next    want
}

// want is what the next word is.
type want int

const (
	anything want = iota
	secret        // whatever it is
	value         // a secret unless it is a flag
	pair          // a name and a secret
	literal       // NAME=secret
)

// part is what of a word is a secret.
type part struct {
	span
	whole bool
}

func (r *reader) starts(name string) {
	if p := table.programs[path.Base(name)]; p != nil {
		*r = reader{program: p}
	}
}

// ends says that another command begins.
func (r *reader) ends() { *r = reader{} }

func (r *reader) word(w string) part {
	wanted := r.next
	r.next = anything
	switch {
	case w == Mark:
		return part{}
	case wanted == value && scheme(w+" ") > 0:
		r.next = value
		return part{}
	case wanted == secret || wanted == value && !isFlag(w):
		if harmless(w) {
			return part{}
		}
		return part{whole: true}
	case wanted == pair:
		return behindName(w, 0)
	case wanted == literal:
		return afterSign(w, 0)
	}
	if !strings.HasPrefix(w, "-") {
		r.plainWord(w)
		return part{}
	}
	return r.flag(w)
}

// plainWord takes note of a word that is no flag.
func (r *reader) plainWord(w string) {
	p := r.program
	switch {
	case strings.HasSuffix(w, ":") && secretName(w[:len(w)-1]): // a header, or what looks like one
		r.next = value
	case strings.EqualFold(w, "bearer"):
		r.next = value
	case p == nil || table.programs[path.Base(w)] != nil && !r.login && !r.setting:
		r.starts(w)
	case slices.Contains(p.Takes, w):
		r.next = value
	case slices.Contains(p.Sets, w):
		r.setting = true
	case r.setting && secretName(w[strings.LastIndexAny(w, ":/")+1:]):
		r.next = value
	case w == "login":
		r.login = true
	}
}

// flag judges a word that begins with a dash.
func (r *reader) flag(w string) part {
	name := strings.TrimLeft(w, "-")
	if rest, ok := strings.CutPrefix(w, "--from-literal"); ok {
		if rest == "" {
			r.next = literal
			return part{}
		}
		return afterSign(w, len(w)-len(rest)+1)
	}
	if p := r.program; p != nil && (!p.Login || r.login) {
		switch {
		case slices.Contains(p.Next, w):
			r.next = secret
			return part{}
		case slices.Contains(p.Pairs, w):
			r.next = pair
			return part{}
		}
		if len(w) > 2 && w[1] != '-' {
			if slices.Contains(p.Behind, w[:2]) {
				return part{span: span{2, len(w)}}
			}
			if slices.Contains(p.Pairs, w[:2]) {
				return behindName(w, 2)
			}
		}
	}
	if !strings.ContainsAny(name, "=: ") && secretName(name) {
		r.next = value
	} else if at := strings.IndexByte(w, '='); at > 0 && secretName(strings.TrimLeft(w[:at], "-")) && !harmless(w[at+1:]) {
		return part{span: span{at + 1, len(w)}}
	}
	return part{}
}

// isFlag says whether a word reads like a flag, so that the one before had no value.
func isFlag(w string) bool {
	name := strings.TrimLeft(w, "-")
	if len(name) == len(w) || name == "" || !lower(name[0]) {
		return false
	}
	name, _, _ = strings.Cut(name, "=")
	for i := range len(name) {
		if !lower(name[i]) && name[i] != '-' && name[i] != '_' {
			return false
		}
	}
	return true
}

// behindName is what stands behind the separator of a name and a secret.
func behindName(w string, from int) part {
	if i := strings.IndexAny(w[from:], ":%,"); i >= 0 && !strings.HasPrefix(w[from+i:], "://") {
		return part{span: span{from + i + 1, len(w)}}
	}
	return part{}
}

func afterSign(w string, from int) part {
	if from > len(w) {
		return part{}
	}
	if i := strings.IndexByte(w[from:], '='); i >= 0 {
		return part{span: span{from + i + 1, len(w)}}
	}
	return part{}
}

// orders are the parts one of which is in every script that gives a secret: a flag, or a word of `sets` and `takes`.
var orders = []string{" -", "\t-", "\n-", "login ", "set ", "config ", "password "}

// ordered takes secrets out of the commands of a script: what follows flags.
func ordered(s string) string {
	if !slices.ContainsFunc(orders, func(o string) bool { return strings.Contains(s, o) }) {
		return s
	}
	var spans []span
	r := reader{}
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case strings.IndexByte(";|&()\n`{}", c) >= 0:
			r.ends()
			i++
			continue
		case space(c):
			i++
			continue
		}
		w := wordAt(s, i, r.next != anything)
		switch p := r.word(s[w.from:w.to]); {
		case p.whole:
			spans = append(spans, w)
		case p.to > p.from:
			spans = append(spans, span{w.from + p.from, w.to})
		}
		i = max(w.to, i+1)
	}
	return without(s, spans)
}

// wordAt is the word that begins at i. Quotes hold one together where a value is wanted; else they end it, for what is in
// them may be a script.
func wordAt(s string, i int, whole bool) span {
	if whole && quote(s[i]) {
		return closing(s, i+1, s[i])
	}
	end := i
	for end < len(s) && !space(s[end]) && !quote(s[end]) && (whole || strings.IndexByte(";|&()`", s[end]) < 0) {
		end++
	}
	if whole && s[end-1] == ';' { // the command's end, hardly the secret's
		end--
	}
	return span{i, max(end, i+1)}
}
