package strictyaml

import (
	"bytes"
	"fmt"
	"regexp"

	"go.yaml.in/yaml/v3"
)

// Spelled refuses YAML that is larger than a bound once its aliases are written out: in the place of an alias, of two
// letters, stands whatever was written before, and aliases in that. Libraries count what they build and not how large it
// is. What is no YAML is no matter here: who reads it says so.
func Spelled(text []byte, most int64) error {
	if !alias.Match(text) {
		return nil
	}
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var n Node
		if d.Decode(&n) != nil { // the end, mostly
			return nil
		}
		if s := (spelling{most, map[*Node]int64{}}); s.size(&n) > most {
			return fmt.Errorf("want YAML of at most %d MiB with its aliases written out", max(1, most>>20))
		}
	}
}

// alias finds what may be one, mostly in documents that have some.
var alias = regexp.MustCompile(`(^|[\s,:\[{-])\*[^\s*]`)

// spelling is the sizes of what has been looked at.
type spelling struct {
	most int64
	of   map[*Node]int64
}

func (s spelling) size(n *Node) int64 {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if known, there := s.of[n]; there {
		return known
	}
	s.of[n] = s.most // until it is known: what is within itself is larger
	size := int64(len(n.Value)) + 4
	for _, part := range n.Content {
		if size > s.most {
			break
		}
		size += s.size(part)
	}
	s.of[n] = size
	return size
}
