package exposure

import (
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/strictyaml"
)

//go:embed open.yaml
var openText []byte

// OpenService is a program that, as it is started here, asks nobody who they are: an
// entry of open.yaml, which says what its keys mean.
type OpenService struct {
	Name     string  `yaml:"name"`
	Executes bool    `yaml:"executes"`
	Source   string  `yaml:"source"`
	Ports    []int32 `yaml:"ports"`

	Images []string    `yaml:"images"`
	All    []condition `yaml:"all"`
	Any    []condition `yaml:"any"`
	None   []condition `yaml:"none"`
}

// condition is one of a container's command line.
type condition struct {
	Argument string   `yaml:"argument"`
	Is       []string `yaml:"is"`
	Beyond   bool     `yaml:"beyond"`
	Says     string   `yaml:"says"`

	expression *regexp.Regexp
}

// openServices is every program that is known to be open.
var openServices = sync.OnceValue(func() []OpenService {
	all, err := readOpen("open.yaml", openText)
	if err != nil {
		panic(err) // it is part of the program
	}
	return all
})

// readOpen reads a file of programs, strictly.
func readOpen(name string, text []byte) (all []OpenService, err error) {
	d, err := strictyaml.Decode(name, text, &all)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if at, err := all[i].check(); err != nil {
			return nil, d.Errorf(err, append([]string{fmt.Sprint(i)}, at...)...)
		}
	}
	return all, nil
}

// check says what is wrong with an entry, and below which keys.
func (s *OpenService) check() (at []string, err error) {
	switch {
	case s.Name == "":
		return nil, errors.New("want the name of the program")
	case s.Source == "":
		return nil, errors.New("want the source: where its documents say that it asks nobody")
	case len(s.Images) == 0:
		return nil, errors.New("want the images that it runs from")
	}
	for _, list := range []struct {
		key   string
		conds []condition
	}{{"all", s.All}, {"any", s.Any}, {"none", s.None}} {
		for i := range list.conds {
			if err := list.conds[i].compile(); err != nil {
				return []string{list.key, fmt.Sprint(i)}, err
			}
		}
	}
	return nil, nil
}

const wantCondition = "want an argument, alone, with is or with beyond; or what the command line says"

func (c *condition) compile() (err error) {
	if (c.Argument == "") == (c.Says == "") || c.Argument == "" && (c.Is != nil || c.Beyond) || c.Is != nil && c.Beyond {
		return errors.New(wantCondition)
	}
	c.expression, err = regexp.Compile(c.Says)
	return err
}

// OpenTo says as which open service a container runs, nil if it is not known as one.
func OpenTo(k collect.ContainerShape) *OpenService {
	for i, s := range openServices() {
		if slices.ContainsFunc(s.Images, k.ImageIs) && s.open(k) {
			return &openServices()[i]
		}
	}
	return nil
}

func (s *OpenService) open(k collect.ContainerShape) bool {
	line := " " + strings.Join(slices.Concat(k.Command, k.Args), " ") + " "
	holds := func(c condition) bool { return c.holds(k, line) }
	return !slices.ContainsFunc(s.All, func(c condition) bool { return !holds(c) }) &&
		(len(s.Any) == 0 || slices.ContainsFunc(s.Any, holds)) && !slices.ContainsFunc(s.None, holds)
}

func (c condition) holds(k collect.ContainerShape, line string) bool {
	switch value := k.Argument(c.Argument); {
	case c.Says != "":
		return c.expression.MatchString(line)
	case c.Beyond:
		return slices.ContainsFunc(strings.Split(value, ","), beyond)
	case c.Is != nil:
		return slices.ContainsFunc(c.Is, func(is string) bool { return strings.EqualFold(is, value) })
	default:
		return value != "" && !strings.EqualFold(value, "false")
	}
}

// beyond says that others than the machine itself can come to an address.
func beyond(address string) bool {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Hostname() == "" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() != "localhost" && (err != nil || !ip.IsLoopback())
}

// Among are those of some ports that the service is reached on: its default ones if
// they are among them, else all, for it may be told to use others; its default ones
// where nothing is known to listen.
func (s *OpenService) Among(ports []netpol.Port) (out []netpol.Port) {
	for _, n := range s.Ports {
		p := netpol.Port{Protocol: "TCP", Number: n}
		if len(ports) == 0 || slices.Contains(ports, p) {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return ports
	}
	return out
}
