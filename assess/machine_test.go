package assess

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/vuln"
)

func TestWhichPackageTheKernelOfANodeIs(t *testing.T) {
	for _, c := range []struct{ os, kernel, want string }{
		{"Ubuntu 22.04.3 LTS", "5.15.0-91-generic", "Ubuntu:22.04 linux 5.15.0-91.9999"},
		{"Ubuntu 22.04.3 LTS", "6.5.0-14-generic", "Ubuntu:22.04 linux-hwe-6.5 6.5.0-14.9999"},
		{"Ubuntu 22.04.3 LTS", "5.15.0-1051-azure", "Ubuntu:22.04 linux-azure 5.15.0-1051.9999"},
		{"Ubuntu 22.04.3 LTS", "6.2.0-1017-aws", "Ubuntu:22.04 linux-aws-6.2 6.2.0-1017.9999"},
		{"Ubuntu 24.04.1 LTS", "6.8.0-31-lowlatency", "Ubuntu:24.04 linux 6.8.0-31.9999"},
		{"Ubuntu 24.04.1 LTS", "6.8.0-31-generic-64k", "Ubuntu:24.04 linux 6.8.0-31.9999"},
		{"Ubuntu 20.04.6 LTS", "5.15.0-91-virtual", "Ubuntu:20.04 linux-hwe-5.15 5.15.0-91.9999"},
		{"Ubuntu 18.04.6 LTS", "4.15.0-213-server", "Ubuntu:18.04 linux 4.15.0-213.9999"},
		{"Ubuntu 22.04.3 LTS", "6.9.1", "?its version 6.9.1 is none of Ubuntu's"},
		{"Debian GNU/Linux 13 (trixie)", "6.12.43+deb13-amd64", "Debian:13 linux 6.12.43-9999"},
		{"Debian GNU/Linux 12 (bookworm)", "6.1.0-18-amd64",
			"?Debian's name 6.1.0-18-amd64 for it has the same ending in several of its versions"},
		{"Red Hat Enterprise Linux 9.3 (Plow)", "5.14.0-362.8.1.el9_3.x86_64", "Red Hat:9 kernel 5.14.0-362.8.1.el9_3"},
		{"Red Hat Enterprise Linux CoreOS 414.92.202309282257-0 (Plow)", "5.14.0-284.34.1.el9_2.x86_64",
			"Red Hat:9 kernel 5.14.0-284.34.1.el9_2"},
		{"Red Hat Enterprise Linux CoreOS 500", "6.99.0.x86_64", "?the release of its distribution is not known"},
		{"Rocky Linux 9.3 (Blue Onyx)", "5.14.0-362.8.1.el9_3.aarch64", "Rocky Linux:9 kernel 5.14.0-362.8.1.el9_3"},
		{"AlmaLinux 8.9 (Midnight Oncilla)", "4.18.0-513.5.1.el8_9.x86_64", "AlmaLinux:8 kernel 4.18.0-513.5.1.el8_9"},
		{"Oracle Linux Server 8.9", "5.15.0-200.131.27.el8uek.x86_64", "Oracle Linux:8 kernel-uek 5.15.0-200.131.27.el8uek"},
		{"Amazon Linux 2023.3.20240131", "6.1.72-96.166.amzn2023.x86_64", "Amazon Linux:2023 kernel 6.1.72-96.166.amzn2023"},
		{"Amazon Linux 2", "5.10.205-195.807.amzn2.x86_64", "Amazon Linux:2 kernel 5.10.205-195.807.amzn2"},
		{"Microsoft Azure Linux 3.0", "6.6.57.1-7.azl3", "Azure Linux:3 kernel 6.6.57.1-7.azl3"},
		{"Container-Optimized OS from Google", "6.1.58+", "?no advisories are known of for the kernels of Container-Optimized OS from Google"},
		{"Bottlerocket OS 1.19.0 (aws-k8s-1.28)", "6.1.72", "?no advisories are known of for the kernels of Bottlerocket OS 1.19.0 " +
			"(aws-k8s-1.28)"},
		{"", "6.1.72", "?the node reports no version of it"},
		{"Ubuntu 22.04.3 LTS", "", "?the node reports no version of it"},
	} {
		p, why := kernelOf(&collect.Node{OSImage: c.os, KernelVersion: c.kernel})
		if got := packageOrWhy(p, why); got != c.want {
			t.Errorf("%s, %s: got %s, want %s", c.os, c.kernel, got, c.want)
		}
	}
}

func packageOrWhy(p vuln.Package, why string) string {
	if why != "" {
		return "?" + why
	}
	return p.Ecosystem + " " + p.Name + " " + p.Version
}

func TestWhichPackagesTheRuntimeAndTheKubeletOfANodeAre(t *testing.T) {
	for _, c := range []struct{ reported, want string }{
		{"containerd://1.6.21", "Go github.com/containerd/containerd 1.6.21"},
		{"containerd://1.7.2-0ubuntu1", "Go github.com/containerd/containerd 1.7.2"},
		{"containerd://2.0.1", "Go github.com/containerd/containerd/v2 2.0.1"},
		{"cri-o://1.28.1", "Go github.com/cri-o/cri-o 1.28.1"},
		{"docker://20.10.21", "Go github.com/docker/docker 20.10.21"},
		{"rkt://1.0.0", `?no advisories are known of for "rkt"`},
		{"containerd://Unknown", `?its version "Unknown" cannot be read`},
		{"", "?the node reports no version of it"},
	} {
		if got := packageOrWhy(runtimeOf(c.reported)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.reported, got, c.want)
		}
	}
	for _, c := range []struct{ reported, want string }{
		{"v1.27.3", "Go k8s.io/kubernetes 1.27.3"},
		{"v1.27.3-gke.100", "Go k8s.io/kubernetes 1.27.3"},
		{"v1.28.5+k3s1", "Go k8s.io/kubernetes 1.28.5"},
		{"", "?the node reports no version of it"},
	} {
		if got := packageOrWhy(kubeletOf(c.reported)); got != c.want {
			t.Errorf("kubelet %s: got %s, want %s", c.reported, got, c.want)
		}
	}
}

// listed are advisories of packages by name; those of other packages were not imported.
type listed map[string][]vuln.Match

func (l listed) Examine(p vuln.Package) ([]vuln.Match, []collect.Gap) {
	found, imported := l[p.Name]
	if !imported {
		return nil, []collect.Gap{{Source: "advisories", What: p.Ecosystem, Why: "none were imported"}}
	}
	return found, nil
}

func (listed) Doubt(vuln.Package) (collect.Gap, bool) { return collect.Gap{}, false }

func TestWhatANodeReportsIsHeldAgainstAdvisories(t *testing.T) {
	const kernel, runtime, kubernetes = "linux", "github.com/containerd/containerd", "k8s.io/kubernetes"
	node := collect.Node{Name: "n", OSImage: "Ubuntu 22.04.3 LTS", KernelVersion: "5.15.0-91-generic", ContainerRuntime: "containerd://1.6.21",
		KubeletVersion: "v1.27.3"}
	is := func(id string, impact vuln.Impact, s vuln.Severity, text string) vuln.Match {
		return vuln.Match{ID: id, Impact: impact, Severity: s, Summary: text}
	}
	with := func(name string, m ...vuln.Match) listed {
		l := listed{kernel: nil, runtime: nil, kubernetes: nil}
		l[name] = m
		return l
	}
	exploited := is("A", vuln.PrivilegeEscalation, vuln.Medium, "")
	exploited.KEV = &vuln.KEV{Listed: true}
	scoring := func(score float64) vuln.Match {
		m := is("A", vuln.PrivilegeEscalation, vuln.Medium, "")
		m.CVSS = &vuln.CVSS{Score: score}
		return m
	}
	bare := node
	bare.OSImage, bare.ContainerRuntime, bare.KubeletVersion = "Flatcar", "", ""
	windows := node
	windows.OSImage = "Windows Server 2022 Datacenter"
	for _, c := range []struct {
		name string
		node collect.Node
		db   listed
		want string // found; kernel, runtime, kubelet
	}{
		{"nothing is known against it", node, with(kernel), "; false false false"},
		{"a local user gains the kernel", node, with(kernel, is("A", vuln.PrivilegeEscalation, vuln.High, "")), "A; true false false"},
		{"of medium severity only", node, with(kernel, is("A", vuln.PrivilegeEscalation, vuln.Medium, "")), "A; false false false"},
		{"of medium severity, and exploited", node, with(kernel, exploited), "A; true false false"},
		{"of medium severity, and of a high score", node, with(kernel, scoring(7.8)), "A; true false false"},
		{"nobody rated it", node, with(kernel, is("A", vuln.PrivilegeEscalation, vuln.Unknown, "")), "A; true false false"},
		{"the kernel can be stopped", node, with(kernel, is("A", vuln.DenialOfService, vuln.High, "")), "A; false false false"},
		{"a container gains the runtime's node", node, with(runtime, is("A", vuln.PrivilegeEscalation, vuln.Medium, "")),
			"A; false true false"},
		{"the kubelet runs a pod's code", node, with(kubernetes, is("A", vuln.CodeExecution, vuln.High, "The kubelet runs …")),
			"A; false false true"},
		{"another program of Kubernetes", node, with(kubernetes, is("A", vuln.CodeExecution, vuln.High, "In kube-apiserver …")),
			"; false false false"},
		{"programs beside the kubelet", node, with(kubernetes, is("A", vuln.CodeExecution, vuln.High, "In kubectl, and in the kubelet …")),
			"A; false false true"},
		{"nobody says of which program", node, with(kubernetes, is("A", vuln.CodeExecution, vuln.High, "Code is run …")), "A; false false true"},
		{"what the runtime says of another program", node, with(runtime, is("A", vuln.CodeExecution, vuln.High, "As kubectl does …")),
			"A; false true false"},
		{"Windows and Linux", node, with(runtime, is("A", vuln.CodeExecution, vuln.High, "On Windows and Linux …")), "A; false true false"},
		{"a score just high enough", node, with(kernel, scoring(7)), "A; true false false"},
		{"a score that is not", node, with(kernel, scoring(6.9)), "A; false false false"},
		{"kubelets of Windows", node, with(kubernetes, is("A", vuln.CodeExecution, vuln.High, "The kubelet on Windows nodes …")),
			"; false false false"},
		{"kubelets of Windows, on Windows", windows, with(kubernetes, is("A", vuln.CodeExecution, vuln.High, "The kubelet on Windows nodes …")),
			"A; ? false true"},
		{"its kernel's advisories were not imported", node, listed{runtime: nil, kubernetes: nil}, "; ? false false"},
		{"nothing was imported", node, listed{}, "never assessed"},
		{"it reports nothing that is known", bare, with(kernel), "never assessed"},
	} {
		a := machine(&c.node, c.db)
		if got := toldOf(a); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		if !slices.ContainsFunc(a.Gaps, func(g collect.Gap) bool { return g.What == "runc or crun" }) {
			t.Errorf("%s: that the version of runc is not known is not said: %v", c.name, a.Gaps)
		}
	}
}

func toldOf(a *Assessment) string {
	if !a.Scanned {
		return "never assessed"
	}
	var ids []string
	for _, f := range a.Findings {
		ids = append(ids, f.ID)
	}
	out := strings.Join(ids, " ") + ";"
	for _, part := range []string{Kernel, Runtime, Kubelet} {
		if yes := a.Escapes(part); yes == nil {
			out += " ?"
		} else {
			out += fmt.Sprint(" ", *yes)
		}
	}
	return out
}

func TestWhichFindingsInKubernetesAreOfOtherPrograms(t *testing.T) {
	for _, program := range otherPrograms {
		f := Finding{Match: vuln.Match{Details: "a flaw of the " + strings.ToUpper(program) + " …"}, PURL: Kubelet}
		if !elsewhere(f, &collect.Node{}) {
			t.Errorf("%s is taken for a part of the node", program)
		}
	}
}

func TestWithoutAdvisoriesANodeIsUnknown(t *testing.T) {
	a := New(Config{Advisories: func() *vuln.DB { return nil }}).Machine(&collect.Node{Name: "n", KubeletVersion: "v1.27.3"})
	if a.Scanned || a.Why == "" {
		t.Errorf("got %+v", a)
	}
}
