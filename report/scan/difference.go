package scan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/severity"
)

// Difference is what is in one image and not in another: of two tags, what the later one brings and what it takes away.
// Packages that are parts of a package of the distribution are not told beside it.
type Difference struct {
	Before Image `json:"before"`
	After  Image `json:"after"`
	// SharedLayers is how many of the lowest layers are the same in both.
	SharedLayers int `json:"sharedLayers"`
	// BaseBefore and BaseAfter are the images that the two are built on, where that is known.
	BaseBefore *Base `json:"baseBefore,omitempty"`
	BaseAfter  *Base `json:"baseAfter,omitempty"`

	Added     []Package       `json:"added"`
	Gone      []Package       `json:"gone"`
	Changed   []PackageChange `json:"changed"`
	Unchanged int             `json:"unchanged"` // packages

	// New are vulnerabilities that only the later one has, Fixed those that only the earlier one has; Kept counts those in both.
	New   []Vulnerability `json:"new"`
	Fixed []Vulnerability `json:"fixed"`
	Kept  int             `json:"kept"`
	// Hidden are not known to be in the later one, and not known to be gone from it.
	Hidden []Hidden `json:"hidden"`
	// NotKnown is what else cannot be told of the two, each in a sentence.
	NotKnown []string `json:"notKnown"`
}

// PackageChange is a package of which the two have other versions.
type PackageChange struct {
	Name      string   `json:"name"`
	Ecosystem string   `json:"ecosystem,omitempty"`
	Before    []string `json:"before"`
	After     []string `json:"after"`
}

// Hidden is a vulnerability that can no longer be judged.
type Hidden struct {
	Vulnerability Vulnerability `json:"vulnerability"`
	Why           string        `json:"why"`
}

// Differ compares two images.
func Differ(before, after Report) Difference {
	d := Difference{Before: before.Image, After: after.Image, SharedLayers: sharedLayers(before.Image, after.Image),
		Added: []Package{}, Gone: []Package{}, Changed: []PackageChange{}, New: []Vulnerability{}, Fixed: []Vulnerability{}, Hidden: []Hidden{},
		NotKnown: []string{}}
	d.packages(before, after)
	d.vulnerabilities(before, after)
	for _, each := range []struct {
		which string
		of    Report
	}{{"before", before}, {"after", after}} {
		for _, text := range each.of.Unseen() {
			d.NotKnown = append(d.NotKnown, "Of the image "+each.which+": "+text)
		}
	}
	return d
}

// sharedLayers counts the lowest layers that make the same files in both.
func sharedLayers(a, b Image) (n int) {
	for n < len(a.Layers) && n < len(b.Layers) && sameLayer(a.Layers[n], b.Layers[n]) {
		n++
	}
	return n
}

func (d *Difference) packages(before, after Report) {
	was, is := versions(before), versions(after)
	for key, p := range was.first {
		switch now := is.of[key]; {
		case now == nil:
			d.Gone = append(d.Gone, was.packages[key]...)
		case slices.Equal(was.of[key], now):
			d.Unchanged++
		default:
			d.Changed = append(d.Changed, PackageChange{Name: p.Name, Ecosystem: p.Ecosystem, Before: was.of[key], After: now})
		}
	}
	for key := range is.first {
		if was.of[key] == nil {
			d.Added = append(d.Added, is.packages[key]...)
		}
	}
	byName := func(a, b Package) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.PURL, b.PURL)) }
	slices.SortFunc(d.Added, byName)
	slices.SortFunc(d.Gone, byName)
	slices.SortFunc(d.Changed, func(a, b PackageChange) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Ecosystem, b.Ecosystem))
	})
}

// versioned is what an image has of each package, whatever its version.
type versioned struct {
	first    map[string]Package
	packages map[string][]Package
	of       map[string][]string // sorted
}

func versions(r Report) versioned {
	out := versioned{map[string]Package{}, map[string][]Package{}, map[string][]string{}}
	for _, p := range r.Packages {
		if p.OwnedBy != "" {
			continue
		}
		key := kindOf(p.PURL) + " " + p.Name
		if slices.Contains(out.of[key], p.Version) {
			continue // of another architecture, or at another place
		}
		if _, there := out.first[key]; !there {
			out.first[key] = p
		}
		out.packages[key] = append(out.packages[key], p)
		out.of[key] = append(out.of[key], p.Version)
		slices.Sort(out.of[key])
	}
	return out
}

// kindOf is which package manager a package is of: one for all distributions, for an image has one of them.
func kindOf(purl string) string {
	kind, _, _ := strings.Cut(strings.TrimPrefix(purl, "pkg:"), "/")
	switch kind {
	case "apk", "deb", "opkg", "rpm":
		return "distribution"
	}
	return kind
}

// flaws are vulnerabilities of packages, whatever their versions, by every name that they have.
type flaws map[string]bool

func flawsOf(r Report) flaws {
	out := flaws{}
	for _, v := range r.Vulnerabilities {
		for _, key := range v.keys() {
			out[key] = true
		}
	}
	return out
}

func (f flaws) has(v Vulnerability) bool {
	return slices.ContainsFunc(v.keys(), func(key string) bool { return f[key] })
}

func (v Vulnerability) keys() (out []string) {
	for _, id := range append([]string{v.ID}, v.Aliases...) {
		out = append(out, kindOf(v.PURL)+" "+v.Package+" "+id)
	}
	return out
}

func (d *Difference) vulnerabilities(before, after Report) {
	was, is := flawsOf(before), flawsOf(after)
	there, looked := map[string]bool{}, map[string]bool{}
	for _, p := range after.Packages {
		there[kindOf(p.PURL)+" "+p.Name], looked[kindOf(p.PURL)] = true, true
	}
	told := map[string]bool{}
	for _, v := range before.Vulnerabilities {
		key := v.keys()[0]
		if told[key] {
			continue
		}
		told[key] = true
		kind := kindOf(v.PURL)
		switch {
		case is.has(v):
			d.Kept++
		case !after.Image.Known:
			d.Hidden = append(d.Hidden, Hidden{v, "the later image is unknown: " + after.Image.Why})
		case after.Image.Partly && !looked[kind]:
			d.Hidden = append(d.Hidden, Hidden{v, fmt.Sprintf("no package of its kind (%s) was found in the later image, which was read in part",
				kind)})
		default:
			d.Fixed = append(d.Fixed, v)
		}
	}
	clear(told)
	for _, v := range after.Vulnerabilities {
		if key := v.keys()[0]; !told[key] && !was.has(v) {
			told[key] = true
			d.New = append(d.New, v)
		}
	}
	worstFirst(d.New)
	worstFirst(d.Fixed)
	slices.SortStableFunc(d.Hidden, func(a, b Hidden) int { return byWorst(a.Vulnerability, b.Vulnerability) })
	if !before.Image.Known && len(d.New) > 0 {
		d.NotKnown = append(d.NotKnown, "Of the image before nothing is known: what counts as new may have been there.")
	}
}

func byWorst(a, b Vulnerability) int {
	return cmp.Or(severity.Compare(b.Severity, a.Severity), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Package, b.Package))
}

func worstFirst(all []Vulnerability) { slices.SortStableFunc(all, byWorst) }
