package analyse

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/severity"
)

func (a *adviser) recommendations() (out []Recommendation) {
	highest := map[string]string{}
	for key, u := range a.updates {
		if have := highest[key.of]; have == "" || newer(u.ecosystem, key.to, have) > 0 {
			highest[key.of] = key.to
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(a.updates), compareKeys) {
		id := string(a.about) + "/" + key.of
		if key.to != highest[key.of] { // of an older line of versions that has fixes of its own
			id += "@" + key.to
		}
		out = append(out, a.recommendation(id, a.updates[key]))
	}
	return out
}

func (a *adviser) recommendation(id string, u *remedy) Recommendation {
	r := Recommendation{ID: id, About: a.about, Package: u.source,
		Packages: slices.Sorted(maps.Keys(u.packages)), Ecosystem: u.ecosystem,
		Installed: slices.SortedFunc(maps.Keys(u.installed), func(x, y string) int { return newer(u.ecosystem, x, y) }), Fixed: u.fixed,
		Title:     fmt.Sprintf("Update %s to %s (%s)", u.source, u.fixed, u.ecosystem),
		Exploited: len(u.exploited), RCE: u.rce, Images: []string{}, Pods: []string{}, Workloads: []string{}, Paths: []Broken{}}
	r.Vulnerabilities = slices.SortedFunc(maps.Keys(u.severity), func(x, y string) int {
		return cmp.Or(compareBools(u.exploited[y], u.exploited[x]), severity.Compare(u.severity[y], u.severity[x]), strings.Compare(x, y))
	})
	r.Severity = slices.MaxFunc(slices.Collect(maps.Values(u.severity)), severity.Compare)
	for id := range u.unfixed {
		if u.severity[id] == "" {
			r.Unfixed++
		}
	}
	a.place(&r, u)
	r.Paths = append(r.Paths, u.paths...)
	slices.SortFunc(r.Paths, func(x, y Broken) int {
		return cmp.Or(strings.Compare(x.Effect, y.Effect), cmp.Compare(y.RiskScore, x.RiskScore), strings.Compare(x.Cluster, y.Cluster),
			strings.Compare(x.ID, y.ID))
	})
	r.Text = r.words()
	return r
}

// place says where the update is needed.
func (a *adviser) place(r *Recommendation, u *remedy) {
	pods := map[graph.Node]bool{}
	for id, image := range u.images {
		r.Images = append(r.Images, id)
		if image.Value("running").Bool() {
			r.RunningImages++
		}
		if image.Value("listed").Bool() {
			r.RegistryImages++
		}
		for _, p := range a.images[image].pods {
			if pods[p] {
				continue
			}
			pods[p] = true
			r.Pods = append(r.Pods, p.ID())
			r.Workloads = append(r.Workloads, workloadOf(p).ID())
			if p.Value("exposed").Bool() {
				r.Exposed++
			}
		}
	}
	slices.Sort(r.Images)
	slices.Sort(r.Pods)
	slices.Sort(r.Workloads)
	r.Workloads = slices.Compact(r.Workloads)
}

func (r *Recommendation) words() string {
	s := fmt.Sprintf("Build %s again with %s %s or newer in place of %s, and push what you built.", plural(len(r.Images), "image"),
		r.Package, r.Fixed, listed(r.Installed, 4))
	if len(r.Workloads) > 0 {
		s += fmt.Sprintf(" Then roll out %s.", plural(len(r.Workloads), "workload"))
	}
	if r.Unfixed > 0 {
		s += fmt.Sprintf(" For %s of the same packages no fix has been published yet.", plural(r.Unfixed, "more vulnerability"))
	}
	return s
}

// listed joins the first of several words, and says how many more there are.
func listed(words []string, most int) string {
	if len(words) <= most {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), len(words)-most)
}
