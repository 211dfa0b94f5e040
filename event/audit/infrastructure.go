package audit

import (
	"bytes"
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/strictyaml"
)

//go:embed infrastructure.yaml
var infrastructureFile []byte

// infrastructure is a project that needs much of its nodes, and what it needs.
type infrastructure struct {
	Project      string   `yaml:"project"`
	Source       string   `yaml:"source"`
	Images       []string `yaml:"images"`
	Commands     []string `yaml:"commands"`
	Privileged   bool     `yaml:"privileged"`
	Shares       []string `yaml:"shares"`
	Capabilities []string `yaml:"capabilities"`
	Folders      []string `yaml:"folders"`
	Reads        []string `yaml:"reads"`
}

// infrastructures are all that are known, by the repositories of their images.
var infrastructures = func() map[string]*infrastructure {
	var all []infrastructure
	if _, err := strictyaml.ReadFrom("infrastructure.yaml", bytes.NewReader(infrastructureFile), &all); err != nil {
		panic(err) // it is ours, and its test reads it
	}
	out := map[string]*infrastructure{}
	for i := range all {
		for _, image := range all[i].Images {
			out[image] = &all[i]
		}
	}
	return out
}()

// Excused are the fields that the file of known infrastructure speaks of.
var Excused = []string{"container.privileged", "container.reprogrammed", "container.addedCapability", "container.hostPath",
	"container.sensitiveHostPath", "container.writableSensitiveHostPath", "container.privilegedSensitiveHostPath",
	"pod.hostNetwork", "pod.hostPID", "pod.hostIPC"}

// Excuse says why what an event tells is no news, "" if it is: known infrastructure, that asks for no more than its own
// manifest does, of somebody who holds cluster-admin already.
func Excuse(e *event.Event) string {
	project := e.Fields["known.infrastructure"]
	if len(project) == 0 || len(e.Fields["known.beyond"]) > 0 || !slices.Equal(e.Fields["actor.clusterAdmin"], []string{"true"}) {
		return ""
	}
	return fmt.Sprintf("Informational: it is what %s needs by its own manifest (%s), and who asked for it holds cluster-admin already.",
		project[0], known(project[0]).Source)
}

// known is an infrastructure by its name.
func known(project string) *infrastructure {
	for _, k := range infrastructures {
		if k.Project == project {
			return k
		}
	}
	return &infrastructure{}
}

// repository is the whole name of an image's repository, as container runtimes complete it.
func repository(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if at := strings.LastIndexByte(image, ':'); at > strings.LastIndexByte(image, '/') {
		image = image[:at]
	}
	first, _, has := strings.Cut(image, "/")
	switch {
	case !has:
		return "docker.io/library/" + image
	case !strings.ContainsAny(first, ".:") && first != "localhost":
		return "docker.io/" + image
	}
	return strings.Replace(image, "index.docker.io/", "docker.io/", 1)
}

// infrastructure tells of which project a pod is, by all its images, and what it asks for beyond what that one needs.
func (b *builder) infrastructure(p *podSpec) {
	if p == nil {
		return
	}
	all := p.all()
	var of *infrastructure
	for _, c := range all {
		k := infrastructures[repository(c.Image)]
		if k == nil || of != nil && k != of {
			return
		}
		of = k
	}
	if of == nil {
		return
	}
	b.set("known.infrastructure", of.Project)
	b.set("known.beyond", unique(of.beyond(p, all))...)
}

// beyond is what a pod asks for that the project does not need.
func (k *infrastructure) beyond(p *podSpec, all []container) (out []string) {
	for name, b := range p.shares() {
		if is(*b) && !slices.Contains(k.Shares, name) {
			out = append(out, name)
		}
	}
	for _, c := range all {
		if c.privileged() && !k.Privileged {
			out = append(out, "privileged")
		}
		for _, name := range c.SecurityContext.Capabilities.Add {
			if !slices.Contains(k.Capabilities, strings.TrimPrefix(strings.ToUpper(name), "CAP_")) {
				out = append(out, "capability "+name)
			}
		}
		for _, line := range append(c.firstWords(), "") {
			if line != "" && !slices.Contains(k.Commands, line) {
				out = append(out, "command "+line)
			}
		}
	}
	for _, m := range p.mounts() {
		inside := func(f string) bool { return within(m.path, f) }
		if !slices.ContainsFunc(k.Folders, inside) && (m.writable || !slices.ContainsFunc(k.Reads, inside)) {
			out = append(out, "folder "+m.path)
		}
	}
	return out
}

// firstWords are the programs that a container and its hooks are told to run.
func (c *container) firstWords() (out []string) {
	for _, command := range [][]string{c.Command, c.Lifecycle.PostStart.Exec.Command, c.Lifecycle.PreStop.Exec.Command, c.LivenessProbe.Exec.Command,
		c.ReadinessProbe.Exec.Command, c.StartupProbe.Exec.Command} {
		if len(command) > 0 {
			out = append(out, command[0])
		}
	}
	return out
}

// byClusterAdmin is how the API server says that a request was allowed by the role that allows everything, everywhere. Names
// in it are quoted, so that none can say so itself.
var byClusterAdmin = regexp.MustCompile(`^RBAC: allowed by ClusterRoleBinding "(?:[^"\\]|\\.)*" of ClusterRole "cluster-admin" to `)

// holdsClusterAdmin says that who acts holds cluster-admin, as the API server decided. Whom an impersonator acts as says nothing
// of the impersonator.
func (r *record) holdsClusterAdmin() bool {
	if r.as.name != "" || r.decision != "allow" {
		return false
	}
	return slices.Contains(r.user.groups, "system:masters") || byClusterAdmin.MatchString(r.reason)
}
