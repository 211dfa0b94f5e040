package audit

import (
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/json"
)

// written is what is read of an object that a request wrote: where it stands
// among its owners, the pods it makes, and the rights it gives. What else
// the object holds is not read.
type written struct {
	Kind     string
	Metadata metadata
	Spec     struct {
		podSpec
		Template    *template `json:"template"`
		JobTemplate *struct {
			Spec struct {
				Template *template `json:"template"`
			} `json:"spec"`
		} `json:"jobTemplate"`
		HostPath *folder `json:"hostPath"` // PersistentVolume
		Local    *folder `json:"local"`    // PersistentVolume
	}
	Template *template // PodTemplate
	rights
}

type metadata struct {
	Name, UID, Version string
	mirror             string // the annotation of a pod that only shows what a node started
	Owners             []owner
}

// mirror is the annotation of a pod that only shows what a node started.
const mirror = "kubernetes.io/config.mirror"

type owner struct {
	Version, Kind, UID string
	Controller         bool
}

type template struct {
	Spec podSpec `json:"spec"`
}

type podSpec struct {
	Containers          []container `json:"containers"`
	InitContainers      []container `json:"initContainers"`
	EphemeralContainers []container `json:"ephemeralContainers"`
	Volumes             []volume    `json:"volumes"`
	HostNetwork         *bool       `json:"hostNetwork"`
	HostPID             *bool       `json:"hostPID"`
	HostIPC             *bool       `json:"hostIPC"`
	ServiceAccountName  string      `json:"serviceAccountName"`
	NodeName            string      `json:"nodeName"`
}

type container struct {
	Name    string   `json:"name"`
	Image   string   `json:"image"`
	Command []string `json:"command"`
	Args    []string `json:"args"`
	hooks
	SecurityContext struct {
		Privileged   *bool `json:"privileged"`
		Capabilities struct {
			Add []string `json:"add"`
		} `json:"capabilities"`
	} `json:"securityContext"`
	VolumeMounts []volumeMount `json:"volumeMounts"`
	// reprogrammed says that it was privileged already and is to run something else.
	reprogrammed bool
}

// hooks are the commands that run in a container beside its own program.
type hooks struct {
	Lifecycle struct {
		PostStart handler `json:"postStart"`
		PreStop   handler `json:"preStop"`
	} `json:"lifecycle"`
	LivenessProbe  handler `json:"livenessProbe"`
	ReadinessProbe handler `json:"readinessProbe"`
	StartupProbe   handler `json:"startupProbe"`
}

type handler struct {
	Exec struct {
		Command []string `json:"command"`
	} `json:"exec"`
}

// commands are those of all hooks, in their order.
func (h *hooks) commands() (out []string) {
	for _, one := range []*handler{&h.Lifecycle.PostStart, &h.Lifecycle.PreStop, &h.LivenessProbe, &h.ReadinessProbe, &h.StartupProbe} {
		if len(one.Exec.Command) > 0 {
			out = append(out, strings.Join(one.Exec.Command, " "))
		}
	}
	return out
}

// names says that a change names what runs in a container.
func (c *container) names() bool {
	return c.Image != "" || c.Command != nil || c.Args != nil || len(c.commands()) > 0
}

type volumeMount struct {
	Name        string `json:"name"`
	MountPath   string `json:"mountPath"`
	SubPath     string `json:"subPath"`
	SubPathExpr string `json:"subPathExpr"`
	ReadOnly    bool   `json:"readOnly"`
}

func (c *container) privileged() bool { return is(c.SecurityContext.Privileged) }

// is reads what may be absent, for a change need not name it.
func is(b *bool) bool { return b != nil && *b }

type volume struct {
	Name     string  `json:"name"`
	HostPath *folder `json:"hostPath"`
}

// folder is one of the node.
type folder struct {
	Path string `json:"path"`
}

// folders are those of the node that a PersistentVolume opens to who claims it.
func (w *written) folders() (out []string) {
	for _, f := range []*folder{w.Spec.HostPath, w.Spec.Local} {
		if f != nil {
			out = append(out, path.Clean("/"+f.Path))
		}
	}
	return out
}

// read reads an object as the API server does: names are told apart by case.
// Values of unexpected types are left out, the rest counts: a log may come from a
// version that knows more.
func read(object string) *written {
	w := &written{}
	c := newCursor(object)
	defer c.done()
	_ = c.fields(func(key string) error {
		switch key {
		case "kind":
			return c.loose(&w.Kind)
		case "metadata":
			return w.Metadata.read(c)
		case "spec":
			return c.into(&w.Spec)
		case "template":
			return c.into(&w.Template)
		case "rules":
			return c.into(&w.Rules)
		case "roleRef":
			return c.into(&w.RoleRef)
		case "subjects":
			return c.into(&w.Subjects)
		}
		return c.skip()
	})
	return w
}

// readMetadata reads only where an object stands among its owners.
func readMetadata(object string) *written {
	w := &written{}
	c := newCursor(object)
	defer c.done()
	_ = c.fields(func(key string) error {
		switch key {
		case "kind":
			return c.loose(&w.Kind)
		case "metadata":
			_ = w.Metadata.read(c)
			return errEnough // kind comes before it
		}
		return c.skip()
	})
	return w
}

// into reads a value into what it is to be, as far as its types are those.
func (c *cursor) into(to any) error {
	text, err := c.value()
	if err == nil {
		_ = json.UnmarshalCaseSensitivePreserveInts(bytesOf(text), to)
	}
	return err
}

func (m *metadata) read(c *cursor) error {
	return c.fields(func(key string) error {
		switch key {
		case "name":
			return c.loose(&m.Name)
		case "uid":
			return c.loose(&m.UID)
		case "resourceVersion":
			return c.loose(&m.Version)
		case "annotations":
			return c.fields(func(key string) error {
				if key == mirror {
					return c.loose(&m.mirror)
				}
				return c.skip()
			})
		case "ownerReferences":
			m.Owners = nil
			return c.list(func() error {
				var o owner
				err := o.read(c)
				m.Owners = append(m.Owners, o)
				return err
			})
		}
		return c.skip()
	})
}

func (o *owner) read(c *cursor) error {
	return c.fields(func(key string) error {
		switch key {
		case "apiVersion":
			return c.loose(&o.Version)
		case "kind":
			return c.loose(&o.Kind)
		case "uid":
			return c.loose(&o.UID)
		case "controller":
			text, err := c.value()
			o.Controller = text == "true"
			return err
		}
		return c.skip()
	})
}

// pod is the pod, or the template of the pods to come.
func (w *written) pod(resource string) *podSpec {
	switch resource {
	case "pods":
		return &w.Spec.podSpec
	case "cronjobs":
		if w.Spec.JobTemplate != nil && w.Spec.JobTemplate.Spec.Template != nil {
			return &w.Spec.JobTemplate.Spec.Template.Spec
		}
	case "podtemplates":
		if w.Template != nil {
			return &w.Template.Spec
		}
	default:
		if w.Spec.Template != nil {
			return &w.Spec.Template.Spec
		}
	}
	return nil
}

func (p *podSpec) all() []container {
	return slices.Concat(p.Containers, p.InitContainers, p.EphemeralContainers)
}

// programs is what a request can change of a pod that runs: which images its containers run. All else stays as it was
// made; unknown is what they ran before, and nothing is told.
func (p *podSpec) programs(known bool) *podSpec {
	out := &podSpec{}
	if !known {
		return out
	}
	for _, list := range [][]container{p.Containers, p.InitContainers} {
		for _, c := range list {
			if c.Image != "" {
				out.Containers = append(out.Containers, container{Name: c.Name, Image: c.Image, reprogrammed: c.reprogrammed})
			}
		}
	}
	return out
}

// mount is a folder of the node inside a container.
type mount struct {
	volume, container, path      string
	writable, sensitive, powered bool
}

// mounts lists the folders of the node that containers mount, with the part of
// the volume that each sees.
func (p *podSpec) mounts() (out []mount) {
	paths := map[string]string{}
	for _, v := range p.Volumes {
		if v.HostPath != nil {
			paths[v.Name] = v.HostPath.Path
		}
	}
	if len(paths) == 0 {
		return nil
	}
	for _, c := range p.all() {
		for _, m := range c.VolumeMounts {
			host, ok := paths[m.Name]
			if !ok {
				continue
			}
			if m.SubPathExpr == "" { // an expression's value is not known here: the whole volume counts
				host = path.Join(host, m.SubPath)
			}
			host = path.Clean("/" + host)
			out = append(out, mount{m.Name, c.Name, host, !m.ReadOnly, sensitive(host), c.privileged()})
		}
	}
	return out
}

// Folders of a node that give more than their files: a way to run code on the
// node, to read other pods' secrets or to read the machine's own credentials.
// Of trees every folder below counts too; of places only the folder itself,
// for what lies below belongs to single programs.
var (
	trees = strings.Fields(`/bin /boot /dev /etc /home /lib /lib64 /proc /root /sbin /sys
		/usr/bin /usr/lib /usr/sbin /usr/local/bin /usr/local/sbin /opt/cni /var/lib/cni
		/var/lib/etcd /var/lib/kubelet /var/lib/docker /var/lib/containerd /var/lib/containers
		/var/lib/rancher /var/spool/cron /run/docker.sock /var/run/docker.sock /run/containerd
		/var/run/containerd /run/crio /var/run/crio /run/k3s /run/podman /var/run/podman
		/run/cri-dockerd.sock /var/run/cri-dockerd.sock`)
	places = strings.Fields(`/var/log /var/log/pods /var/log/containers /mnt /media /srv`)
)

// harmless parts of sensitive trees: what half of all agents mount, and where k3s puts
// the volumes that are claimed, each in a folder of its own.
var harmless = strings.Fields(`/etc/localtime /etc/timezone /etc/os-release /etc/machine-id
	/usr/lib/os-release /etc/ssl/certs /etc/pki/ca-trust /dev/null /dev/shm
	/sys/kernel/debug/tracing /lib/modules /usr/lib/modules /var/lib/rancher/k3s/storage`)

func sensitive(p string) bool {
	if slices.ContainsFunc(harmless, func(h string) bool { return within(p, h) }) {
		return false
	}
	return slices.Contains(places, p) ||
		slices.ContainsFunc(trees, func(t string) bool { return within(p, t) || within(t, p) })
}

// within says that a path is a folder or lies below it.
func within(p, folder string) bool {
	rest, ok := strings.CutPrefix(p, strings.TrimSuffix(folder, "/"))
	return ok && (rest == "" || rest[0] == '/')
}
