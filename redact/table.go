package redact

import (
	_ "embed"
	"fmt"
	"regexp"

	"github.com/breakwater-sec/breakwater/strictyaml"
)

//go:embed shapes.yaml
var shapesYAML []byte

// example is a text of which one part is a secret.
type example struct {
	Text  string `yaml:"text"`
	Gone  string `yaml:"gone"`
	Stays string `yaml:"stays"`
}

// program is a program that takes secrets by flags which do not say so.
type program struct {
	Names  []string `yaml:"names"`
	Next   []string `yaml:"next"`
	Behind []string `yaml:"behind"`
	Pairs  []string `yaml:"pairs"`
	Login  bool     `yaml:"login"`
	Sets   []string `yaml:"sets"`
	Takes  []string `yaml:"takes"`
}

// shape is a secret that is known by its own look.
type shape struct {
	Name     string    `yaml:"name"`
	Signs    []string  `yaml:"signs"`
	Pattern  string    `yaml:"pattern"`
	Examples []example `yaml:"examples"`
	Misses   []string  `yaml:"misses"`

	expression *regexp.Regexp
	groups     []int // of the secret; the whole match without
}

type file struct {
	Names struct {
		Anywhere []string  `yaml:"anywhere"`
		Last     []string  `yaml:"last"`
		After    []string  `yaml:"after"`
		Pairs    []string  `yaml:"pairs"`
		Endings  []string  `yaml:"endings"`
		Other    []string  `yaml:"other"`
		Switches []string  `yaml:"switches"`
		Misses   []string  `yaml:"misses"`
		Examples []example `yaml:"examples"`
	} `yaml:"names"`
	Programs []program `yaml:"programs"`
	Examples []example `yaml:"examples"`
	Misses   []string  `yaml:"misses"`
	Shapes   []shape   `yaml:"shapes"`
	Runs     struct {
		Examples []example `yaml:"examples"`
		Misses   []string  `yaml:"misses"`
	} `yaml:"runs"`
}

// table is shapes.yaml.
type lists struct {
	file
	last, after, pairs, other, switches map[string]bool
	programs                            map[string]*program
	signs                               [256][]sign // by their rarest character
	rare                                characters
}

var table = readTable()

func readTable() *lists {
	t := &lists{programs: map[string]*program{}}
	if _, err := strictyaml.Decode("shapes.yaml", shapesYAML, &t.file); err != nil {
		panic(err) // our own file
	}
	n := &t.Names
	t.last, t.after, t.pairs, t.other, t.switches = set(n.Last), set(n.After), set(n.Pairs), set(n.Other), set(n.Switches)
	for i := range t.Programs {
		for _, name := range t.Programs[i].Names {
			t.programs[name] = &t.Programs[i]
		}
	}
	if len(t.Shapes) > 64 {
		panic("shapes.yaml: want at most 64 shapes")
	}
	for i := range t.Shapes {
		s := &t.Shapes[i]
		if len(s.Signs) == 0 || len(s.Examples) == 0 {
			panic(fmt.Sprintf("shapes.yaml: %s: want signs and examples", s.Name))
		}
		s.expression = regexp.MustCompile(s.Pattern)
		for _, text := range s.Signs {
			at := rarest(text)
			t.rare[at>>6] |= 1 << (at & 63)
			t.signs[at] = append(t.signs[at], sign{text, charactersOf(text), 1 << i})
		}
		for g, name := range s.expression.SubexpNames() {
			if name != "" {
				s.groups = append(s.groups, g)
			}
		}
		if s.groups == nil {
			s.groups = []int{0}
		}
	}
	return t
}

func set(words []string) map[string]bool {
	out := map[string]bool{}
	for _, w := range words {
		out[w] = true
	}
	return out
}
