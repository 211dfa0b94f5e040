package strictyaml

import "go.yaml.in/yaml/v3"

// Texts is a text, or a list of them.
type Texts []string

// UnmarshalYAML takes a text as a list of one.
func (t *Texts) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode {
		return n.Decode((*[]string)(t))
	}
	var one string
	err := n.Decode(&one)
	*t = Texts{one}
	return err
}
