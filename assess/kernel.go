package assess

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/vuln"
)

// system is how a family of operating systems names itself and its kernels.
type system struct {
	// image matches what a node reports as its operating system; its group is the release.
	image *regexp.Regexp
	// ecosystem is OSV's name, which the release is put behind.
	ecosystem string
	// kernel makes the package of what uname says, or tells why none can be told.
	kernel func(release, uname string) (vuln.Package, string)
}

// systems are those whose kernels advisories speak of by a version that uname tells.
var systems = []system{
	{regexp.MustCompile(`^Ubuntu (\d\d\.\d\d)`), "Ubuntu", ubuntuKernel},
	{regexp.MustCompile(`^Debian GNU/Linux (\d+)`), "Debian", debianKernel},
	{regexp.MustCompile(`^Red Hat Enterprise Linux(?: Server)? (\d+)\.`), "Red Hat", rpmKernel},
	{regexp.MustCompile(`^Red Hat Enterprise Linux CoreOS `), "Red Hat", rpmKernel},
	{regexp.MustCompile(`^Rocky Linux (\d+)`), "Rocky Linux", rpmKernel},
	{regexp.MustCompile(`^AlmaLinux (\d+)`), "AlmaLinux", rpmKernel},
	{regexp.MustCompile(`^Oracle Linux Server (\d+)`), "Oracle Linux", rpmKernel},
	{regexp.MustCompile(`^Amazon Linux (\d+)`), "Amazon Linux", rpmKernel},
	{regexp.MustCompile(`^Microsoft Azure Linux (\d+)`), "Azure Linux", rpmKernel},
}

// kernelOf is the package that a node's kernel is.
func kernelOf(n *collect.Node) (vuln.Package, string) {
	if n.KernelVersion == "" || n.OSImage == "" {
		return vuln.Package{}, "the node reports no version of it"
	}
	for _, s := range systems {
		m := s.image.FindStringSubmatch(n.OSImage)
		if m == nil {
			continue
		}
		release := ""
		if len(m) > 1 {
			release = m[1]
		} else if el := elRelease.FindStringSubmatch(n.KernelVersion); el != nil {
			release = el[1]
		}
		p, why := s.kernel(release, n.KernelVersion)
		p.Ecosystem = s.ecosystem + ":" + release
		return p, why
	}
	return vuln.Package{}, fmt.Sprintf("no advisories are known of for the kernels of %s", n.OSImage)
}

var (
	elRelease = regexp.MustCompile(`\.el(\d+)`)
	machines  = regexp.MustCompile(`\.(?:x86_64|aarch64|ppc64le|s390x)$`)
	// ubuntuName is 6.5.0-1014-aws: version, the number of its build, flavour.
	ubuntuName = regexp.MustCompile(`^((\d+\.\d+)\.\d+)-(\d+)-([a-z][a-z0-9-]*)$`)
	// debianName is that of Debian 13 and later, which has the version in it.
	debianName = regexp.MustCompile(`^(\d+\.\d+\.\d+)\+deb\d+`)
)

// first is the kernel that a release of Ubuntu began with; later ones have packages of their own.
var first = map[string]string{"18.04": "4.15", "20.04": "5.4", "22.04": "5.15", "24.04": "6.8", "26.04": "7.0"}

// lastBuild is higher than any upload of one build: a kernel of the build that a fix was
// published with has it.
const lastBuild = "9999"

// ubuntuKernel: advisories speak of source packages, one for each flavour that is built on its own.
func ubuntuKernel(release, uname string) (p vuln.Package, why string) {
	m := ubuntuName.FindStringSubmatch(uname)
	if m == nil {
		return p, fmt.Sprintf("its version %s is none of Ubuntu's", uname)
	}
	source, flavour := "linux", strings.TrimSuffix(m[4], "-64k")
	switch flavour {
	case "generic", "lowlatency", "virtual", "server":
		if first[release] != m[2] {
			source = "linux-hwe-" + m[2]
		}
	default:
		source += "-" + flavour
		if first[release] != m[2] {
			source += "-" + m[2]
		}
	}
	return vuln.Package{Name: source, Source: source, Version: m[1] + "-" + m[3] + "." + lastBuild}, ""
}

func debianKernel(_, uname string) (p vuln.Package, why string) {
	m := debianName.FindStringSubmatch(uname)
	if m == nil {
		return p, fmt.Sprintf("Debian's name %s for it has the same ending in several of its versions", uname)
	}
	return vuln.Package{Name: "linux", Source: "linux", Version: m[1] + "-" + lastBuild}, ""
}

func rpmKernel(release, uname string) (p vuln.Package, why string) {
	name := "kernel"
	if strings.Contains(uname, "uek") {
		name = "kernel-uek"
	}
	if release == "" {
		return p, "the release of its distribution is not known"
	}
	return vuln.Package{Name: name, Version: machines.ReplaceAllString(uname, "")}, ""
}
