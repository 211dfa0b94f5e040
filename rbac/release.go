package rbac

import (
	"fmt"

	"github.com/breakwater-sec/breakwater/collect"
)

// release is a version of Kubernetes, as far as what a request needs depends on it.
type release struct{ major, minor int }

// releaseOf reads "v1.37.2" and "1.35"; what is no version is the zero release.
func releaseOf(version string) (r release) {
	var sane release
	if len(version) > 0 && version[0] == 'v' {
		version = version[1:]
	}
	if n, _ := fmt.Sscanf(version, "%d.%d", &sane.major, &sane.minor); n == 2 && sane.major > 0 {
		r = sane
	}
	return r
}

func (r release) before(o release) bool {
	return r.major < o.major || r.major == o.major && r.minor < o.minor
}

// Before says whether a cluster is older than a version of Kubernetes such as "1.33".
func Before(f *collect.Facts, version string) bool { return releaseIn(f).before(releaseOf(version)) }

// releaseIn is the API server's version. Manifests do not tell it: no node is
// newer than its API server, so the newest node stands for it; without nodes, it is a
// version that is still supported.
func releaseIn(f *collect.Facts) release {
	if r := releaseOf(f.Cluster.Version); r != (release{}) {
		return r
	}
	newest := release{}
	for _, n := range f.Nodes {
		if r := releaseOf(n.KubeletVersion); newest.before(r) {
			newest = r
		}
	}
	if newest == (release{}) {
		return release{major: 1, minor: 99}
	}
	return newest
}
