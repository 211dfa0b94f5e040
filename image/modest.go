package image

import "fmt"

const (
	// maxValues bounds the values of a manifest or a configuration: a small one of
	// "{},{},{}…" becomes hundreds of times its size in memory. Of honest ones the
	// largest have some thousands.
	maxValues = 100_000
	// maxDepth bounds how deep they lie in each other; honest ones have five levels.
	maxDepth = 32
)

// modest refuses JSON that costs far more to read than it is long. It looks at brackets,
// commas and quotes alone: whether it is JSON is for the parser to say.
func modest(text []byte) error { return bounded(text, maxDepth, maxValues, maxValues) }

func bounded(text []byte, deepest, mostObjects, mostValues int) error {
	depth, objects, values, quoted := 0, 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth, objects, values = depth+1, objects+1, values+1
		case c == '}' || c == ']':
			depth--
		case c == ',':
			values++
		}
		switch {
		case depth > deepest:
			return fmt.Errorf("want JSON at most %d levels deep: %w", deepest, errBound)
		case objects > mostObjects || values > mostValues:
			return fmt.Errorf("want JSON of at most %d lists and objects and %d values: %w", mostObjects, mostValues, errBound)
		}
	}
	return nil
}
