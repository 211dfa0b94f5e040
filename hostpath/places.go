package hostpath

import (
	"slices"
	"strings"
)

// place is a folder or file of a node that matters to an attacker.
type place struct {
	// path begins with "~" where each user's home has one.
	path string
	// tree says that anything in the folder counts as the folder does.
	tree bool
	// way is what it opens, to who changes it or, with read, to who reads it or talks
	// to the socket that it is.
	way  string
	read bool
}

// The ways, each one technique of packs/attack.
const (
	Root           = "root"            // the whole file system
	StartUp        = "start-up"        // what the node runs by itself: services, jobs, hooks
	Programs       = "programs"        // what root runs or loads
	Logins         = "logins"          // who may log in, and as whom
	StaticPods     = "static-pods"     // what the kubelet runs without asking the API server
	KubeletConfig  = "kubelet-config"  // the kubelet's own configuration
	RuntimeConfig  = "runtime-config"  // what the container runtime runs and how
	RuntimeState   = "runtime-state"   // other containers' file systems
	CorePattern    = "core-pattern"    // the kernel's settings: the program for core dumps
	KernelObjects  = "kernel-objects"  // the kernel's objects: the program for events of devices
	RuntimeSocket  = "runtime-socket"  // the container runtime's API
	ServiceManager = "service-manager" // systemd's
	ControlPlane   = "control-plane"   // the cluster's keys and administrators' credentials
	Etcd           = "etcd"            // the cluster's data
	PodFiles       = "pod-files"       // volumes of the node's pods: tokens and Secrets
	KubeletKeys    = "kubelet-keys"    // the kubelet's credentials
	LogFiles       = "log-files"       // what the kubelet opens when it is asked for logs
	Keys           = "keys"            // private keys of the node's users
	Disk           = "disk"            // the raw device
)

// places is every one we know, from what gives most and surest to what gives least.
// Sources: systemd.unit(5), crontab(5), udev(7), ld.so(8), sshd_config(5), pam.d(5),
// core(5), bash(1), zsh(1), proc(5), the kernel's documentation of /sys/kernel/uevent_helper, the
// kubelet's reference and "Static Pods", kubeadm's "Implementation details",
// containerd's, CRI-O's, Docker's, Podman's and k3s' documentation of their files and
// sockets, the CNI's of its folders, and the file hierarchy standard.
var places = slices.Concat(
	[]place{{path: "/", way: Root}},
	writing(StartUp, "/etc/systemd/", "/usr/lib/systemd/", "/usr/local/lib/systemd/", "/run/systemd/system/",
		"/etc/cron.d/", "/etc/cron.hourly/", "/etc/cron.daily/", "/etc/cron.weekly/", "/etc/cron.monthly/",
		"/etc/crontab", "/etc/anacrontab", "/var/spool/cron/", "/var/spool/at/", "/etc/init.d/", "/etc/rc.d/",
		"/etc/rc.local", "/etc/inittab", "/etc/udev/", "/usr/lib/udev/", "/run/udev/rules.d/", "/etc/profile",
		"/etc/profile.d/", "/etc/bash.bashrc", "/etc/bashrc", "/etc/environment", "/etc/logrotate.d/",
		"/etc/logrotate.conf", "/etc/apt/", "/etc/yum.repos.d/", "/etc/update-motd.d/", "/etc/network/",
		"/etc/networkd-dispatcher/", "/etc/NetworkManager/", "/etc/dhcp/", "/etc/modprobe.d/", "/etc/modules-load.d/",
		"/etc/tmpfiles.d/", "/etc/sysctl.d/", "/etc/sysctl.conf", "/etc/ld.so.preload", "/etc/ld.so.conf",
		"/etc/ld.so.conf.d/"),
	writing(Logins, "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/sudoers", "/etc/sudoers.d/",
		"/etc/doas.conf", "/etc/pam.d/", "/etc/pam.conf", "/etc/security/", "/etc/nsswitch.conf", "/etc/polkit-1/",
		"/etc/ssh/", "~/.ssh/", "~/.profile", "~/.bash_profile", "~/.bash_login", "~/.bash_logout", "~/.bashrc",
		"~/.zshenv", "~/.zprofile", "~/.zshrc", "~/.pam_environment", "~/.config/environment.d/", "~/.config/systemd/",
		"~/.config/fish/", "~/.local/bin/"),
	writing(KubeletConfig, "/var/lib/kubelet/config.yaml", "/var/lib/kubelet/kubeadm-flags.env"),
	writing(StaticPods, "/etc/kubernetes/manifests/", "/etc/kubelet.d/", "/var/lib/rancher/k3s/agent/pod-manifests/",
		"/var/lib/rancher/rke2/agent/pod-manifests/", "/var/lib/rancher/k3s/server/manifests/",
		"/var/lib/rancher/rke2/server/manifests/"),
	writing(KubeletConfig, "/etc/kubernetes/kubelet/", "/etc/kubernetes/kubelet.conf", "/etc/default",
		"/etc/default/kubelet", "/etc/sysconfig/kubelet", "/etc/rancher/"),
	writing(RuntimeConfig, "/etc/containerd/", "/etc/docker/", "/etc/crio/", "/etc/containers/", "/etc/cni/",
		"/etc/cdi/", "/run/cdi/", "/var/lib/rancher/k3s/agent/etc/"),
	writing(Programs, "/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/lib64/", "/usr/libexec/", "/usr/local/bin/",
		"/usr/local/sbin/", "/usr/local/lib/", "/opt/cni/", "/opt/bin/", "/boot/", "/var/lib/rancher/k3s/data/",
		"/windows/", "/program files/", "/programdata"),
	writing(CorePattern, "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hotplug",
		"/proc/sys/fs/binfmt_misc/"),
	writing(KernelObjects, "/sys/kernel/uevent_helper"),
	writing(RuntimeState, "/var/lib/containerd/", "/var/lib/docker/", "/var/lib/containers/",
		"/run/containerd/io.containerd.runtime.v2.task/", "/var/lib/rancher/k3s/agent/containerd/"),
	reading(RuntimeSocket, "/run/containerd/containerd.sock", "/run/docker.sock", "/run/crio/crio.sock",
		"/run/podman/podman.sock", "/run/cri-dockerd.sock", "/run/dockershim.sock",
		"/run/k3s/containerd/containerd.sock", "/run/k0s/containerd.sock", "/run/docker/containerd/containerd.sock",
		"/run/frakti.sock", "/pipe/docker_engine", "/pipe/containerd-containerd"),
	reading(ServiceManager, "/run/dbus/system_bus_socket", "/run/systemd/private"),
	reading(ControlPlane, "/etc/kubernetes/pki", "/etc/kubernetes/pki/ca.key", "/etc/kubernetes/pki/sa.key",
		"/etc/kubernetes/pki/apiserver-kubelet-client.key", "/etc/kubernetes/pki/apiserver-etcd-client.key",
		"/etc/kubernetes/pki/front-proxy-ca.key", "/etc/kubernetes/pki/etcd/ca.key", "/etc/kubernetes/ssl",
		"/etc/kubernetes/admin.conf", "/etc/kubernetes/super-admin.conf", "/etc/kubernetes/controller-manager.conf",
		"/etc/rancher/k3s/k3s.yaml", "/etc/rancher/rke2/rke2.yaml", "/var/lib/rancher/k3s/server/tls",
		"/var/lib/rancher/k3s/server/cred", "/var/lib/rancher/rke2/server/tls", "/var/lib/rancher/rke2/server/cred",
		"/root/.kube/"),
	reading(Etcd, "/var/lib/etcd/", "/var/lib/rancher/k3s/server/db/", "/var/lib/rancher/rke2/server/db/"),
	reading(PodFiles, "/var/lib/kubelet/pods/"),
	reading(KubeletKeys, "/var/lib/kubelet/pki/", "/var/lib/kubelet/kubeconfig", "/etc/kubernetes/kubelet.conf",
		"/etc/kubernetes/bootstrap-kubelet.conf"),
	reading(Keys, "~/.ssh/", "/etc/ssh", "/etc/shadow"),
	writing(LogFiles, "/var/log/pods/"),
)

// writing are the places that open a way to who changes them, reading to who reads them
// or talks to the socket that they are. What ends in a slash is a tree.
func writing(way string, paths ...string) []place { return opening(place{way: way}, paths) }
func reading(way string, paths ...string) []place { return opening(place{way: way, read: true}, paths) }

func opening(p place, paths []string) (out []place) {
	for _, at := range paths {
		p.path, p.tree = strings.CutSuffix(at, "/")
		out = append(out, p)
	}
	return out
}
