package image

import (
	"fmt"
	"iter"
	"strings"
)

// paragraph is one of a file in the form of Debian's control files (deb822): fields
// by their names in lower case. Faults says what in it could not be read.
type paragraph struct {
	fields map[string]string
	faults []string
}

// longestValue is more than any name, version or status is long; what is longer is none.
const longestValue = 1024

// keptFields are those that say which package it is and whether it is there.
var keptFields = map[string]bool{"package": true, "version": true, "architecture": true, "source": true, "status": true}

// paragraphs reads one paragraph after the other. A line that cannot be read is a
// fault of its own paragraph: those behind it are read as if it were not there.
func paragraphs(text string) iter.Seq[paragraph] {
	return func(yield func(paragraph) bool) {
		now := paragraph{fields: map[string]string{}}
		seen := false
		for line := range strings.Lines(text) {
			line = strings.TrimRight(line, "\r\n")
			name, value, isField := strings.Cut(line, ":")
			name = strings.ToLower(name)
			_, twice := now.fields[name]
			blank := strings.TrimSpace(line) == ""
			if seen && (blank || isField && twice && name == "package") {
				if !yield(now) {
					return
				}
				now, seen, twice = paragraph{fields: map[string]string{}}, false, false
			}
			if blank {
				continue
			}
			seen = true
			switch value = strings.TrimSpace(value); {
			case line[0] == ' ' || line[0] == '\t': // goes on with a field that nobody asks for
			case !isField || name == "" || strings.ContainsAny(name, " \t"):
				now.fault("a line that is no field: %s", line)
			case !keptFields[name]:
			case twice:
				now.fault("%s stands there twice", name)
			case len(value) > longestValue:
				now.fault("%s is %d bytes long", name, len(value))
			default:
				now.fields[name] = value
			}
		}
		if seen {
			yield(now)
		}
	}
}

func (p *paragraph) fault(format string, args ...any) {
	if len(p.faults) < 3 {
		p.faults = append(p.faults, oneLine(fmt.Sprintf(format, args...), 120))
	}
}
