package audit

import (
	"slices"
	"strings"
	"unsafe"

	"github.com/breakwater-sec/breakwater/redact"
)

// looked is what is read of objects that are looked into: more than stays of them as evidence.
var looked = func() map[string]bool {
	out := with(shape, `resourceVersion annotations subPathExpr key operator effect`)
	for _, s := range podSteps {
		s.names(out)
	}
	return out
}()

// lookedObjects is what is read of objects that make no pods, by their resource.
var lookedObjects = func() map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for resource, o := range objectSteps {
		out[resource] = with(identity, `resourceVersion annotations labels key operator effect value values matchLabels matchExpressions
			expression from to ports tls rules defaultBackend resources operations`)
		o.root.names(out[resource])
	}
	return out
}()

// options is what is read of those that an exec was asked with.
var options = with(identity, `command`)

func with(keep map[string]bool, words string) map[string]bool {
	out := set(words)
	for w := range keep {
		out[w] = true
	}
	return out
}

// Clean is an event as it may lie on a disk until it is analysed: what rules ask for and evidence is made of, without
// secret values. It decodes to what the whole event does, but that a change of a secret alone in a command is no change.
// What is no event becomes an empty object, which the decoder refuses.
func Clean(event []byte) []byte {
	text := unsafe.String(unsafe.SliceData(event), len(event)) // of which nothing is kept
	r, err := parse(text)
	if err != nil {
		return []byte("{}")
	}
	c := newCursor(text)
	defer c.done()
	p := printer{cursor: c, out: make([]byte, 0, min(len(text), 4<<10)), keep: envelope, clean: aName}
	objects := r.looksAt()
	_ = p.object(func(key string) error {
		switch key {
		case "requestURI":
			return p.member(key, func() error { _, uri := harmlessURI(r.uri); p.text(uri); return p.skip() })
		case "userAgent", "cut":
			return p.member(key, func() error { return p.string(repeated.Text) })
		case "user", "impersonatedUser":
			return p.member(key, p.user)
		case "requestObject":
			return p.inside(key, objects, func() error { return p.asked(r) })
		case "responseObject":
			return p.inside(key, objects, p.copy)
		case "annotations":
			return p.member(key, p.annotations)
		}
		return p.kept(key)
	})
	return p.out
}

// looksAt is what is read of an event's objects.
func (r *record) looksAt() map[string]bool {
	switch {
	case r.judged() || r.detailed() != nil && lookedObjects[r.ref.resource] == nil:
		return looked
	case r.detailed() != nil:
		return lookedObjects[r.ref.resource]
	case r.entry().action != "":
		return options
	}
	return identity
}

// aName takes secrets out of what may be a name. Names as Kubernetes lets them be stay: they are looked up in the graph.
func aName(s string) string {
	for i := range len(s) {
		if c := s[i]; !lower(c) && !digit(c) && c != '-' && c != '.' && c != ':' {
			return redact.Known(s)
		}
	}
	return s
}

func lower(c byte) bool { return 'a' <= c && c <= 'z' }
func digit(c byte) bool { return '0' <= c && c <= '9' }

// user writes who acts, whose name and groups stay: who it was is what an audit log is for.
func (p *printer) user() error {
	if p.next() != '{' {
		return p.string(aName)
	}
	asItIs := func() error { return p.string(func(s string) string { return s }) }
	return p.object(func(key string) error {
		switch {
		case key == "username":
			return p.member(key, asItIs)
		case key == "groups" && p.next() == '[':
			return p.member(key, func() error { return p.list(asItIs) })
		}
		return p.kept(key)
	})
}

// readAnnotations writes the annotations of objects that are read; of those that put lines into a
// proxy's configuration, that they are there.
func (p *printer) readAnnotations() error {
	if p.next() != '{' {
		return p.string(redact.Known)
	}
	return p.object(func(key string) error {
		switch {
		case isSnippet(key):
			return p.member(key, func() error { return p.string(func(string) string { return "" }) })
		case isRead(key):
			return p.member(key, func() error { return p.string(redact.Known) })
		}
		return p.skip()
	})
}

// isRead says that rules are told of an annotation.
func isRead(annotation string) bool {
	return annotation == mirror || slices.Contains(cloudIdentities, annotation)
}

// marked writes the members of a config map: their names, and which of them are secrets.
func (p *printer) marked() error {
	if p.next() != '{' {
		return p.string(func(string) string { return "" })
	}
	return p.object(func(key string) error {
		text, err := p.value()
		if err != nil {
			return err
		}
		value := ""
		if len(credential(key, text)) > 0 {
			value = redact.Mark
		}
		return p.member(redact.Known(key), func() error { p.text(value); return nil })
	})
}

// asked writes the object of a request, or its JSON patch.
func (p *printer) asked(r *record) error {
	if r.verb != "patch" || !r.judged() && r.detailed() == nil || p.next() != '[' {
		return p.copy()
	}
	answered := r.answered() // then nobody asks for a value
	var before word
	return p.list(func() error {
		if p.next() != '{' {
			return p.copy()
		}
		return p.operation(answered, &before)
	})
}

// word is one of a command line that a JSON patch makes word by word.
type word struct{ line, text string }

// operation writes one of a JSON patch.
func (p *printer) operation(answered bool, before *word) error {
	whole, err := p.value()
	if err != nil {
		return err
	}
	op, path := "", ""
	each := func(f func(c *cursor, key string) error) {
		c := newCursor(whole)
		defer c.done()
		_ = c.object(func(key string) error { return f(c, key) })
	}
	each(func(c *cursor, key string) error {
		switch key {
		case "op":
			return c.loose(&op)
		case "path":
			return c.loose(&path)
		}
		return c.skip()
	})
	p.out = append(p.out, '{')
	each(func(c *cursor, key string) error {
		inner := printer{cursor: c, out: p.out, keep: p.keep, clean: p.clean}
		defer func() { p.out = inner.out }()
		switch key {
		case "op", "path", "from":
			return inner.member(key, func() error { return inner.string(redact.Known) })
		case "value":
			if answered || op == "test" {
				return c.skip()
			}
			return inner.member(key, func() error { return inner.put(path, before) })
		}
		return c.skip()
	})
	p.out = append(trimComma(p.out), '}')
	return nil
}

// put writes what a JSON patch puts where a path leads: null where nobody reads.
func (p *printer) put(path string, before *word) error {
	name := ""
	way := pointer(path)[1:]
	for i, part := range way {
		switch {
		case isPlace(part):
			continue
		case !p.keep[part] || part == "annotations" && (i+1 == len(way) || !isRead(way[i+1]) && !isSnippet(way[i+1])):
			p.out = append(p.out, "null"...)
			return p.skip()
		}
		if name = part; maps[part] || part == "annotations" {
			return p.whole(way[len(way)-1])
		}
	}
	switch {
	case name != "command" && name != "args" || p.next() == '{':
		return p.copy()
	case p.next() == '[':
		var words []string
		err := p.texts(&words)
		p.out = append(p.out, '[')
		for _, w := range commandLine(words, nil) {
			p.text(w)
			p.out = append(p.out, ',')
		}
		p.out = append(trimComma(p.out), ']')
		return err
	}
	line := path[:strings.LastIndexByte(path, '/')+1]
	return p.string(func(s string) string {
		last := *before
		*before = word{line, s}
		if last.line != line {
			return commandLine([]string{s}, nil)[0]
		}
		return commandLine([]string{last.text, s}, nil)[1]
	})
}
