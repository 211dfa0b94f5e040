package assess

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/severity"
	"github.com/breakwater-sec/breakwater/vuln"
)

// The parts of a machine whose versions a node reports; each is the PURL of its component.
const (
	Kernel  = "kernel"
	Runtime = "container runtime"
	Kubelet = "kubelet"
)

// Machine holds what a node reports of itself against the advisories of now. What it does
// not report, and what no advisory could speak of, is a gap: never clean.
func (a *Assessor) Machine(n *collect.Node) *Assessment {
	db := a.config.Advisories()
	if db == nil {
		return NotScanned(n.Name, Unsupported, "no advisories were imported: breakwater db update, or db import")
	}
	return machine(n, db)
}

func machine(n *collect.Node, db advisories) *Assessment {
	parts := parts(n)
	parts.Components = slices.DeleteFunc(parts.Components, func(c Component) bool {
		_, gaps := db.Examine(c.Package)
		if len(gaps) > 0 {
			parts.Gaps = append(parts.Gaps, unmatched(c.PURL+" "+c.Version, gaps[0].Why))
		}
		return len(gaps) > 0
	})
	if len(parts.Components) == 0 {
		out := NotScanned(n.Name, Unsupported, "it reports no version that advisories speak of")
		out.Gaps = parts.Gaps
		return out
	}
	out := parts.Assess(db)
	out.Findings = slices.DeleteFunc(out.Findings, func(f Finding) bool { return elsewhere(f, n) })
	out.recount()
	return out
}

// parts are the packages that the versions of a node stand for.
func parts(n *collect.Node) Contents {
	c := Contents{ID: n.Name, Distribution: n.OSImage}
	add := func(part string, p vuln.Package, why string) {
		if why != "" {
			c.Gaps = append(c.Gaps, unmatched(part, why))
			return
		}
		c.Components = append(c.Components, Component{Package: p, PURL: part})
	}
	p, why := kernelOf(n)
	add(Kernel, p, why)
	p, why = runtimeOf(n.ContainerRuntime)
	add(Runtime, p, why)
	p, why = kubeletOf(n.KubeletVersion)
	add(Kubelet, p, why)
	c.Gaps = append(c.Gaps, unmatched("runc or crun", "no node reports the version of the program that starts its containers"))
	return c
}

func unmatched(what, why string) collect.Gap {
	return collect.Gap{Source: "node", What: what, Why: why, Kinds: []string{"NODE_HAS_VULNERABILITY"},
		Consequence: "Its vulnerabilities are not known: containers may get out to their node in ways that are not shown."}
}

var number = regexp.MustCompile(`^\d+\.\d+\.\d+`)

// kubeletOf drops what a vendor puts behind the version of Kubernetes.
func kubeletOf(version string) (vuln.Package, string) {
	v := number.FindString(strings.TrimPrefix(version, "v"))
	if v == "" {
		return vuln.Package{}, "the node reports no version of it"
	}
	return vuln.Package{Ecosystem: "Go", Name: "k8s.io/kubernetes", Version: v}, ""
}

// runtimes are the modules of container runtimes, by the scheme under which nodes report them.
var runtimes = map[string]string{
	"containerd": "github.com/containerd/containerd", "cri-o": "github.com/cri-o/cri-o", "docker": "github.com/docker/docker",
}

func runtimeOf(reported string) (vuln.Package, string) {
	name, version, _ := strings.Cut(reported, "://")
	module, v := runtimes[name], number.FindString(strings.TrimPrefix(version, "v"))
	switch {
	case reported == "":
		return vuln.Package{}, "the node reports no version of it"
	case module == "":
		return vuln.Package{}, fmt.Sprintf("no advisories are known of for %q", name)
	case v == "":
		return vuln.Package{}, fmt.Sprintf("its version %q cannot be read", version)
	case name == "containerd" && strings.HasPrefix(v, "2."):
		module += "/v2"
	}
	return vuln.Package{Ecosystem: "Go", Name: module, Version: v}, ""
}

// elsewhere says of a finding in Kubernetes that it is of a program that is no part of this
// node: of another of its programs, or of the kubelet of another operating system.
func elsewhere(f Finding, n *collect.Node) bool {
	text := strings.ToLower(f.Summary + " " + f.Details)
	windows := strings.Contains(strings.ToLower(n.OSImage), "windows")
	if strings.Contains(text, "windows") && !strings.Contains(text, "linux") && !windows {
		return true
	}
	return f.PURL == Kubelet && !strings.Contains(text, "kubelet") && slices.ContainsFunc(otherPrograms, func(p string) bool {
		return strings.Contains(text, p)
	})
}

var otherPrograms = []string{"apiserver", "api server", "api-server", "controller-manager", "controller manager", "kubectl",
	"kube-scheduler", "kubeadm", "cloud provider", "aggregated"}

// Escapes says whether a part of a machine has a vulnerability by which what runs in a
// container gains the machine: an insider's gain of rights, or code of one's own. It is nil
// where advisories could not speak of the part.
func (a *Assessment) Escapes(part string) *bool {
	if !slices.ContainsFunc(a.Components, func(c Component) bool { return c.PURL == part }) {
		return nil
	}
	yes := slices.ContainsFunc(a.Findings, func(f Finding) bool { return f.PURL == part && escapes(f) })
	return &yes
}

// escapes: of a kernel, whose advisories are many, only what is grave counts.
func escapes(f Finding) bool {
	if f.Impact != vuln.PrivilegeEscalation && f.Impact != vuln.CodeExecution {
		return false
	}
	return f.PURL != Kernel || f.Exploited() || f.Severity == vuln.Unknown || f.CVSS != nil && f.CVSS.Score >= 7 ||
		severity.Compare(string(f.Severity), string(vuln.High)) >= 0
}
