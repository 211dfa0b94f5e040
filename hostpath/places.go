package hostpath

// place is a folder or file of a node that matters to an attacker.
type place struct {
	// path begins with "~" where each user's home has one.
	path string
	// tree says that anything in the folder counts as the folder does.
	tree bool
	// write is what changing it opens; read what reading it, or talking to the socket
	// that it is, opens.
	write, read string
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
var places = []place{
	{path: "/", write: Root},

	{path: "/etc/systemd", tree: true, write: StartUp},
	{path: "/usr/lib/systemd", tree: true, write: StartUp},
	{path: "/usr/local/lib/systemd", tree: true, write: StartUp},
	{path: "/run/systemd/system", tree: true, write: StartUp},
	{path: "/etc/cron.d", tree: true, write: StartUp},
	{path: "/etc/cron.hourly", tree: true, write: StartUp},
	{path: "/etc/cron.daily", tree: true, write: StartUp},
	{path: "/etc/cron.weekly", tree: true, write: StartUp},
	{path: "/etc/cron.monthly", tree: true, write: StartUp},
	{path: "/etc/crontab", write: StartUp},
	{path: "/etc/anacrontab", write: StartUp},
	{path: "/var/spool/cron", tree: true, write: StartUp},
	{path: "/var/spool/at", tree: true, write: StartUp},
	{path: "/etc/init.d", tree: true, write: StartUp},
	{path: "/etc/rc.d", tree: true, write: StartUp},
	{path: "/etc/rc.local", write: StartUp},
	{path: "/etc/inittab", write: StartUp},
	{path: "/etc/udev", tree: true, write: StartUp},
	{path: "/usr/lib/udev", tree: true, write: StartUp},
	{path: "/run/udev/rules.d", tree: true, write: StartUp},
	{path: "/etc/profile", write: StartUp},
	{path: "/etc/profile.d", tree: true, write: StartUp},
	{path: "/etc/bash.bashrc", write: StartUp},
	{path: "/etc/bashrc", write: StartUp},
	{path: "/etc/environment", write: StartUp},
	{path: "/etc/logrotate.d", tree: true, write: StartUp},
	{path: "/etc/logrotate.conf", write: StartUp},
	{path: "/etc/apt", tree: true, write: StartUp},
	{path: "/etc/yum.repos.d", tree: true, write: StartUp},
	{path: "/etc/update-motd.d", tree: true, write: StartUp},
	{path: "/etc/network", tree: true, write: StartUp},
	{path: "/etc/networkd-dispatcher", tree: true, write: StartUp},
	{path: "/etc/NetworkManager", tree: true, write: StartUp},
	{path: "/etc/dhcp", tree: true, write: StartUp},
	{path: "/etc/modprobe.d", tree: true, write: StartUp},
	{path: "/etc/modules-load.d", tree: true, write: StartUp},
	{path: "/etc/tmpfiles.d", tree: true, write: StartUp},
	{path: "/etc/sysctl.d", tree: true, write: StartUp},
	{path: "/etc/sysctl.conf", write: StartUp},
	{path: "/etc/ld.so.preload", write: StartUp},
	{path: "/etc/ld.so.conf", write: StartUp},
	{path: "/etc/ld.so.conf.d", tree: true, write: StartUp},

	{path: "/etc/passwd", write: Logins},
	{path: "/etc/shadow", write: Logins},
	{path: "/etc/group", write: Logins},
	{path: "/etc/gshadow", write: Logins},
	{path: "/etc/sudoers", write: Logins},
	{path: "/etc/sudoers.d", tree: true, write: Logins},
	{path: "/etc/doas.conf", write: Logins},
	{path: "/etc/pam.d", tree: true, write: Logins},
	{path: "/etc/pam.conf", write: Logins},
	{path: "/etc/security", tree: true, write: Logins},
	{path: "/etc/nsswitch.conf", write: Logins},
	{path: "/etc/polkit-1", tree: true, write: Logins},
	{path: "/etc/ssh", tree: true, write: Logins},
	{path: "~/.ssh", tree: true, write: Logins},
	{path: "~/.profile", write: Logins},
	{path: "~/.bash_profile", write: Logins},
	{path: "~/.bash_login", write: Logins},
	{path: "~/.bash_logout", write: Logins},
	{path: "~/.bashrc", write: Logins},
	{path: "~/.zshenv", write: Logins},
	{path: "~/.zprofile", write: Logins},
	{path: "~/.zshrc", write: Logins},
	{path: "~/.pam_environment", write: Logins},
	{path: "~/.config/environment.d", tree: true, write: Logins},
	{path: "~/.config/systemd", tree: true, write: Logins},
	{path: "~/.config/fish", tree: true, write: Logins},
	{path: "~/.local/bin", tree: true, write: Logins},

	{path: "/var/lib/kubelet/config.yaml", write: KubeletConfig},
	{path: "/var/lib/kubelet/kubeadm-flags.env", write: KubeletConfig},
	{path: "/etc/kubernetes/manifests", tree: true, write: StaticPods},
	{path: "/etc/kubelet.d", tree: true, write: StaticPods},
	{path: "/var/lib/rancher/k3s/agent/pod-manifests", tree: true, write: StaticPods},
	{path: "/var/lib/rancher/rke2/agent/pod-manifests", tree: true, write: StaticPods},
	{path: "/var/lib/rancher/k3s/server/manifests", tree: true, write: StaticPods},
	{path: "/var/lib/rancher/rke2/server/manifests", tree: true, write: StaticPods},

	{path: "/etc/kubernetes/kubelet", tree: true, write: KubeletConfig},
	{path: "/etc/kubernetes/kubelet.conf", write: KubeletConfig},
	{path: "/etc/default", write: KubeletConfig},
	{path: "/etc/default/kubelet", write: KubeletConfig},
	{path: "/etc/sysconfig/kubelet", write: KubeletConfig},
	{path: "/etc/rancher", tree: true, write: KubeletConfig},

	{path: "/etc/containerd", tree: true, write: RuntimeConfig},
	{path: "/etc/docker", tree: true, write: RuntimeConfig},
	{path: "/etc/crio", tree: true, write: RuntimeConfig},
	{path: "/etc/containers", tree: true, write: RuntimeConfig},
	{path: "/etc/cni", tree: true, write: RuntimeConfig},
	{path: "/etc/cdi", tree: true, write: RuntimeConfig},
	{path: "/run/cdi", tree: true, write: RuntimeConfig},
	{path: "/var/lib/rancher/k3s/agent/etc", tree: true, write: RuntimeConfig},

	{path: "/usr/bin", tree: true, write: Programs},
	{path: "/usr/sbin", tree: true, write: Programs},
	{path: "/usr/lib", tree: true, write: Programs},
	{path: "/usr/lib64", tree: true, write: Programs},
	{path: "/usr/libexec", tree: true, write: Programs},
	{path: "/usr/local/bin", tree: true, write: Programs},
	{path: "/usr/local/sbin", tree: true, write: Programs},
	{path: "/usr/local/lib", tree: true, write: Programs},
	{path: "/opt/cni", tree: true, write: Programs},
	{path: "/opt/bin", tree: true, write: Programs},
	{path: "/boot", tree: true, write: Programs},
	{path: "/var/lib/rancher/k3s/data", tree: true, write: Programs},
	{path: "/windows", tree: true, write: Programs},
	{path: "/program files", tree: true, write: Programs},
	{path: "/programdata", write: Programs},

	{path: "/proc/sys/kernel/core_pattern", write: CorePattern},
	{path: "/proc/sys/kernel/modprobe", write: CorePattern},
	{path: "/proc/sys/kernel/hotplug", write: CorePattern},
	{path: "/proc/sys/fs/binfmt_misc", tree: true, write: CorePattern},
	{path: "/sys/kernel/uevent_helper", write: KernelObjects},

	{path: "/var/lib/containerd", tree: true, write: RuntimeState},
	{path: "/var/lib/docker", tree: true, write: RuntimeState},
	{path: "/var/lib/containers", tree: true, write: RuntimeState},
	{path: "/run/containerd/io.containerd.runtime.v2.task", tree: true, write: RuntimeState},
	{path: "/var/lib/rancher/k3s/agent/containerd", tree: true, write: RuntimeState},

	{path: "/run/containerd/containerd.sock", read: RuntimeSocket},
	{path: "/run/docker.sock", read: RuntimeSocket},
	{path: "/run/crio/crio.sock", read: RuntimeSocket},
	{path: "/run/podman/podman.sock", read: RuntimeSocket},
	{path: "/run/cri-dockerd.sock", read: RuntimeSocket},
	{path: "/run/dockershim.sock", read: RuntimeSocket},
	{path: "/run/k3s/containerd/containerd.sock", read: RuntimeSocket},
	{path: "/run/k0s/containerd.sock", read: RuntimeSocket},
	{path: "/run/docker/containerd/containerd.sock", read: RuntimeSocket},
	{path: "/run/frakti.sock", read: RuntimeSocket},
	{path: "/pipe/docker_engine", read: RuntimeSocket},
	{path: "/pipe/containerd-containerd", read: RuntimeSocket},
	{path: "/run/dbus/system_bus_socket", read: ServiceManager},
	{path: "/run/systemd/private", read: ServiceManager},

	{path: "/etc/kubernetes/pki", read: ControlPlane},
	{path: "/etc/kubernetes/pki/ca.key", read: ControlPlane},
	{path: "/etc/kubernetes/pki/sa.key", read: ControlPlane},
	{path: "/etc/kubernetes/pki/apiserver-kubelet-client.key", read: ControlPlane},
	{path: "/etc/kubernetes/pki/apiserver-etcd-client.key", read: ControlPlane},
	{path: "/etc/kubernetes/pki/front-proxy-ca.key", read: ControlPlane},
	{path: "/etc/kubernetes/pki/etcd/ca.key", read: ControlPlane},
	{path: "/etc/kubernetes/ssl", read: ControlPlane},
	{path: "/etc/kubernetes/admin.conf", read: ControlPlane},
	{path: "/etc/kubernetes/super-admin.conf", read: ControlPlane},
	{path: "/etc/kubernetes/controller-manager.conf", read: ControlPlane},
	{path: "/etc/rancher/k3s/k3s.yaml", read: ControlPlane},
	{path: "/etc/rancher/rke2/rke2.yaml", read: ControlPlane},
	{path: "/var/lib/rancher/k3s/server/tls", read: ControlPlane},
	{path: "/var/lib/rancher/k3s/server/cred", read: ControlPlane},
	{path: "/var/lib/rancher/rke2/server/tls", read: ControlPlane},
	{path: "/var/lib/rancher/rke2/server/cred", read: ControlPlane},
	{path: "/root/.kube", tree: true, read: ControlPlane},
	{path: "/var/lib/etcd", tree: true, read: Etcd},
	{path: "/var/lib/rancher/k3s/server/db", tree: true, read: Etcd},
	{path: "/var/lib/rancher/rke2/server/db", tree: true, read: Etcd},

	{path: "/var/lib/kubelet/pods", tree: true, read: PodFiles},
	{path: "/var/lib/kubelet/pki", tree: true, read: KubeletKeys},
	{path: "/var/lib/kubelet/kubeconfig", read: KubeletKeys},
	{path: "/etc/kubernetes/kubelet.conf", read: KubeletKeys},
	{path: "/etc/kubernetes/bootstrap-kubelet.conf", read: KubeletKeys},

	{path: "~/.ssh", tree: true, read: Keys},
	{path: "/etc/ssh", read: Keys},
	{path: "/etc/shadow", read: Keys},

	{path: "/var/log/pods", tree: true, write: LogFiles},
}
