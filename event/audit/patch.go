package audit

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// elements are those of a list that a JSON patch names, by their numbers.
type elements map[string]any

// stated is what a JSON patch puts into an object, as far as the patch alone tells: an
// object that holds nothing else. What lay in a list before has no place there.
func stated(patch string) string {
	all, ok := operations(patch)
	if !ok {
		return ""
	}
	var root any = map[string]any{}
	for i, o := range all {
		var value any
		if (o.Op != "add" && o.Op != "replace") || json.Unmarshal(o.Value, &value) != nil {
			continue
		}
		root = put(root, pointer(o.Path)[1:], value, i)
	}
	out, err := json.Marshal(plain(root))
	if err != nil {
		return ""
	}
	return string(out)
}

// put lays a value where a way into an object leads. Elements that are added at the end
// of a list are told apart by the operation.
func put(into any, way []string, value any, operation int) any {
	if len(way) == 0 {
		return value
	}
	key, next := way[0], way[1:]
	switch into := into.(type) {
	case map[string]any:
		into[key] = put(room(into[key], next), next, value, operation)
		return into
	case elements:
		if key == "-" {
			key = fmt.Sprintf("-%d", operation)
		}
		into[key] = put(room(into[key], next), next, value, operation)
		return into
	case []any: // that another operation put there
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(into) && len(next) > 0 {
			into[i] = put(into[i], next, value, operation)
			return into
		}
		return append(into, put(room(nil, next), next, value, operation))
	}
	return into
}

// room is what stands where a way goes on: what is there, or else a list or an object as
// the way's next word says.
func room(there any, way []string) any {
	switch {
	case there != nil || len(way) == 0:
		return there
	case isPlace(way[0]):
		return elements{}
	}
	return map[string]any{}
}

// plain makes lists of elements.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	case elements:
		var numbers []string
		for k := range v {
			numbers = append(numbers, k)
		}
		slices.Sort(numbers)
		list := make([]any, len(numbers))
		for i, k := range numbers {
			list[i] = plain(v[k])
		}
		return list
	}
	return v
}

// tells says that an operation alone shows what it does to pods and rights: nothing of what
// it changes depends on what was there before.
func (o *operation) tells() bool {
	switch {
	case o.Op == "test" || strings.HasPrefix(o.Path, "/metadata/") || o.Path == "/spec/replicas":
		return true
	case o.Op != "add" && o.Op != "replace" && o.Op != "remove":
		return false
	}
	way := pointer(o.Path)
	for i, word := range way {
		last := i >= len(way)-2 // the whole, or an element of it
		switch word {
		case "volumes", "volumeMounts", "rules":
			return last
		case "subjects", "roleRef":
			return false
		}
	}
	return true
}
