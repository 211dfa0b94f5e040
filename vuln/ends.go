package vuln

import (
	_ "embed"
	"fmt"
	"sync"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/strictyaml"
)

//go:embed ends.yaml
var endsYAML []byte

// lives is when releases of distributions end, as their distributions announced it until a day.
type lives struct {
	AsOf          string `yaml:"as_of"`
	Distributions []struct {
		Name   string `yaml:"name"`
		Source string `yaml:"source"`
		// Of says what is counted where there are several ends.
		Of   string            `yaml:"of"`
		Ends map[string]string `yaml:"ends"`
	} `yaml:"distributions"`
}

// end is the last day of a release, and who says so.
type end struct {
	day        time.Time
	of, source string
}

// ends are the last days of releases, by ecosystem and release.
var ends = sync.OnceValue(func() map[string]end {
	l, out := announced(), map[string]end{}
	for _, d := range l.Distributions {
		for number, text := range d.Ends {
			day, err := time.Parse(time.DateOnly, text)
			if err != nil {
				panic(fmt.Sprintf("ends.yaml: %s %s: %v", d.Name, number, err)) // our own file
			}
			out[release{Family: d.Name, Number: number}.String()] = end{day, d.Of, d.Source}
		}
	}
	return out
})

var announced = sync.OnceValue(func() (l lives) {
	if _, err := strictyaml.Decode("ends.yaml", endsYAML, &l); err != nil {
		panic(err) // our own file
	}
	return l
})

// EndOfLife is the gap of a package whose release has had its last update: what became known since is not fixed in it, and mostly not
// told of it. A release whose end nobody announced has none: whether it is kept is unknown.
func EndOfLife(p Package, now time.Time) (collect.Gap, bool) {
	where := parseEcosystem(p.Ecosystem).inferred(p.Version)
	e, known := ends()[where.String()]
	if !known || !now.After(e.day.AddDate(0, 0, 1)) {
		return collect.Gap{}, false
	}
	of := e.of
	if of != "" {
		of = " " + of
	}
	return collect.Gap{Source: "advisories", What: "end of life of " + where.String(), Kinds: aboutVulnerabilities(),
		Why: fmt.Sprintf("the release has had no updates for everybody since %s%s (%s, as announced until %s)", e.day.Format(time.DateOnly), of,
			e.source, announced().AsOf),
		Consequence: "Vulnerabilities that became known since are not fixed in it, nor told of it any more: what is not listed is unknown. " +
			"A release that is kept has their fixes."}, true
}
