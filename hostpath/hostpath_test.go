package hostpath

import (
	"strings"
	"testing"
)

func TestAFolderOpensWhatLiesUnderIt(t *testing.T) {
	for _, test := range []struct{ folder, write, read string }{
		{"/", "root", "runtime-socket service-manager control-plane etcd pod-files kubelet-keys keys"},
		{"/etc", "start-up", "control-plane kubelet-keys keys"},
		{"/etc/", "start-up", "control-plane kubelet-keys keys"},
		{"/var/../etc", "start-up", "control-plane kubelet-keys keys"},
		{"/etcd-backup", "", ""},
		{"/etc/localtime", "", ""},
		{"/etc/ssl/certs", "", ""},
		{"/etc/cron.d", "start-up", ""},
		{"/etc/cron.d/backup", "start-up", ""},
		{"/etc/crontab.bak", "", ""},
		{"/etc/kubernetes", "static-pods", "control-plane kubelet-keys"},
		{"/etc/kubernetes/manifests", "static-pods", ""},
		{"/etc/kubernetes/pki", "control-plane", "control-plane"}, // writing reads
		{"/etc/kubernetes/pki/ca.crt", "", ""},
		{"/etc/kubernetes/admin.conf", "control-plane", "control-plane"},
		{"/etc/cni/net.d", "runtime-config", ""},
		{"/opt/cni/bin", "programs", ""},
		{"/opt/app", "", ""},
		{"/usr", "start-up", ""},
		{"/usr/bin/kubectl", "programs", ""},
		{"/bin", "programs", ""},
		{"/lib/modules", "programs", ""},
		{"/usr/src", "", ""},
		{"/usr/share/zoneinfo", "", ""},
		{"/proc", "core-pattern", ""},
		{"/proc/sys", "core-pattern", ""},
		{"/proc/sys/kernel", "core-pattern", ""},
		{"/proc/sys/net", "", ""},
		{"/proc/1/root", "root", "runtime-socket service-manager control-plane etcd pod-files kubelet-keys keys"},
		{"/proc/1/root/etc/cron.d", "start-up", ""},
		{"/processed", "", ""},
		{"/sys", "kernel-objects", ""},
		{"/sys/kernel", "kernel-objects", ""},
		{"/sys/kernel/debug", "", ""},
		{"/sys/fs/cgroup", "", ""},
		{"/var/run/docker.sock", "runtime-socket", "runtime-socket"},
		{"/run/docker.sock.d", "", ""},
		{"/var/run", "start-up", "runtime-socket service-manager"},
		{"/run/containerd", "runtime-state", "runtime-socket"},
		{"/run/dbus", "service-manager", "service-manager"},
		{"/var", "start-up", "control-plane etcd pod-files kubelet-keys"},
		{"/var/lib", "kubelet-config", "control-plane etcd pod-files kubelet-keys"},
		{"/var/lib/kubelet", "kubelet-config", "pod-files kubelet-keys"},
		{"/var/lib/kubelet/pods", "pod-files", "pod-files"},
		{"/var/lib/kubelet/pods/0d6d2b2e", "pod-files", "pod-files"},
		{"/var/lib/kubelet/pki", "kubelet-keys", "kubelet-keys"},
		{"/var/lib/kubelet/device-plugins", "", ""},
		{"/var/lib/kubelet/plugins_registry", "", ""},
		{"/var/lib/docker/containers", "runtime-state", ""},
		{"/var/lib/etcd", "etcd", "etcd"},
		{"/var/lib/etcd-backup", "", ""},
		{"/var/log", "log-files", ""},
		{"/var/log/pods", "log-files", ""},
		{"/var/log/nginx", "", ""},
		{"/root", "logins", "control-plane keys"},
		{"/root/.ssh/authorized_keys", "logins", "keys"},
		{"/root-ca-bundles", "", ""},
		{"/root/backup", "", ""},
		{"/home", "logins", "keys"},
		{"/home/ops", "logins", "keys"},
		{"/home/ops/.ssh", "logins", "keys"},
		{"/home/ops/.config", "logins", ""},
		{"/home/ops/data", "", ""},
		{"/home/ops/data/.ssh", "", ""},
		{"/home/ops/.cache/app", "", ""},
		{"/home/.ssh", "logins", "keys"}, // a user of that name
		{"/data", "", ""},
		{"/mnt/disks/a", "", ""},
		{"/dev", "", ""},
		{"/tmp", "", ""},
		{`C:\`, "root", "runtime-socket service-manager control-plane etcd pod-files kubelet-keys keys"},
		{`C:\Windows\System32`, "programs", ""},
		{`c:\var\lib\kubelet\pods`, "pod-files", "pod-files"},
		{`\\.\pipe\docker_engine`, "runtime-socket", "runtime-socket"},
		{`D:\data`, "", ""},
		{`C:\Program Files\x`, "programs", ""},
		{`/Program Files\x`, "programs", ""},
		{`/etc/systemd/a\..\..\x`, "start-up", ""}, // letters of a name of Linux
		{"/ProgramData/x", "", ""},
		{"/run/docker:sock", "", ""},
	} {
		if got := strings.Join(Ways(test.folder, false), " "); got != test.write {
			t.Errorf("%s to write: %q, want %q", test.folder, got, test.write)
		}
		if got := strings.Join(Ways(test.folder, true), " "); got != test.read {
			t.Errorf("%s to read: %q, want %q", test.folder, got, test.read)
		}
	}
}

func TestAMountShowsThePartOfTheVolumeThatItNames(t *testing.T) {
	for _, test := range []struct{ folder, sub, want string }{
		{"/", "", "/"}, {"/", "etc/cron.d", "/etc/cron.d"}, {"/var/", "log/", "/var/log"}, {"/etc/kubernetes", ".", "/etc/kubernetes"},
		{"/var/run", "docker.sock", "/run/docker.sock"}, {"", "", "/"},
		{`C:\var`, `Log\X`, "/var/log/x"}, {"/var", `Log\X`, `/var/Log\X`},
	} {
		if got := Join(test.folder, test.sub); got != test.want {
			t.Errorf("%q of %q is %q, want %q", test.sub, test.folder, got, test.want)
		}
	}
}

func TestANameIsReadAsTheSystemDoesThatWouldBearIt(t *testing.T) {
	for folder, want := range map[string]string{
		`C:\Windows\X`: "/windows/x", "C:": "/", "C:Windows": "/windows", `\`: "/", `\Data`: "/data", `Data\X`: "/data/x",
		"Data/X": "/Data/X", `/a\B`: `/a\B`, "D": "/D", "/C:/X": "/C:/X",
		"/proc/1/task/1/fd/0/etc": "/etc", "/proc/self/task/7/root": "/",
	} {
		if got := Clean(folder); got != want {
			t.Errorf("%s is %s, want %s", folder, got, want)
		}
	}
}

// One file for each place that counts with all that lies in it, as somebody would mount it.
func TestAFileInAFolderThatCountsOpensWhatTheFolderOpens(t *testing.T) {
	for way, files := range map[string]string{
		StartUp: `/etc/systemd/system/x.service /usr/lib/systemd/system/x.service /usr/local/lib/systemd/system/x.service
			/run/systemd/system/x.service /etc/cron.d/x /etc/cron.hourly/x /etc/cron.daily/x /etc/cron.weekly/x /etc/cron.monthly/x
			/etc/crontab /etc/anacrontab /var/spool/cron/root /var/spool/at/x /etc/init.d/x /etc/rc.d/x /etc/rc.local /etc/inittab
			/etc/udev/rules.d/x.rules /usr/lib/udev/rules.d/x.rules /run/udev/rules.d/x.rules /etc/profile /etc/profile.d/x.sh
			/etc/bash.bashrc /etc/bashrc /etc/environment /etc/logrotate.d/x /etc/logrotate.conf /etc/apt/apt.conf.d/x
			/etc/yum.repos.d/x.repo /etc/update-motd.d/x /etc/network/if-up.d/x /etc/networkd-dispatcher/x
			/etc/NetworkManager/dispatcher.d/x /etc/dhcp/x /etc/modprobe.d/x.conf /etc/modules-load.d/x.conf /etc/tmpfiles.d/x.conf
			/etc/sysctl.d/x.conf /etc/sysctl.conf /etc/ld.so.preload /etc/ld.so.conf /etc/ld.so.conf.d/x.conf`,
		Logins: `/etc/passwd /etc/shadow /etc/group /etc/gshadow /etc/sudoers /etc/sudoers.d/x /etc/doas.conf /etc/pam.d/sshd /etc/pam.conf
			/etc/security/limits.conf /etc/nsswitch.conf /etc/polkit-1/rules.d/x /etc/ssh/sshd_config /root/.bashrc /home/ops/.profile
			/home/ops/.ssh/authorized_keys /home/ops/.bash_profile /home/ops/.bash_login /home/ops/.bash_logout /home/ops/.zshenv
			/home/ops/.zprofile /home/ops/.zshrc /home/ops/.pam_environment /home/ops/.config/environment.d/x.conf
			/home/ops/.config/systemd/user/x.service /home/ops/.config/fish/config.fish /home/ops/.local/bin/x`,
		StaticPods: `/etc/kubernetes/manifests/x.yaml /etc/kubelet.d/x.yaml /var/lib/rancher/k3s/agent/pod-manifests/x.yaml
			/var/lib/rancher/rke2/agent/pod-manifests/x.yaml /var/lib/rancher/k3s/server/manifests/x.yaml
			/var/lib/rancher/rke2/server/manifests/x.yaml`,
		KubeletConfig: `/var/lib/kubelet/config.yaml /var/lib/kubelet/kubeadm-flags.env /etc/kubernetes/kubelet/config.json
			/etc/kubernetes/kubelet.conf /etc/default /etc/default/kubelet /etc/sysconfig/kubelet /etc/rancher/k3s/config.yaml`,
		RuntimeConfig: `/etc/containerd/config.toml /etc/docker/daemon.json /etc/crio/crio.conf /etc/containers/x.conf /etc/cni/net.d/x.conf
			/etc/cdi/x.json /run/cdi/x.json /var/lib/rancher/k3s/agent/etc/x`,
		Programs: `/usr/bin/x /usr/sbin/x /usr/lib/x.so /usr/lib64/x.so /lib64/x.so /usr/libexec/x /usr/local/bin/x /usr/local/sbin/x
			/usr/local/lib/x.so /opt/cni/bin/x /opt/bin/x /boot/vmlinuz /var/lib/rancher/k3s/data/x
			/windows/x /programdata C:\Windows\x C:/Windows/x`,
		CorePattern: `/proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/kernel/hotplug /proc/sys/fs/binfmt_misc/register`,
		RuntimeState: `/var/lib/containerd/x /var/lib/docker/x /var/lib/containers/x /run/containerd/io.containerd.runtime.v2.task/k8s.io/x
			/var/lib/rancher/k3s/agent/containerd/x`,
		RuntimeSocket: `/run/containerd/containerd.sock /run/docker.sock /run/crio/crio.sock /run/podman/podman.sock /run/cri-dockerd.sock
			/run/dockershim.sock /run/k3s/containerd/containerd.sock /run/k0s/containerd.sock /run/docker/containerd/containerd.sock
			/run/frakti.sock`,
		ControlPlane: `/etc/kubernetes/pki/sa.key /etc/kubernetes/ssl /etc/kubernetes/super-admin.conf /etc/kubernetes/controller-manager.conf
			/var/lib/rancher/k3s/server/tls /var/lib/rancher/rke2/server/tls /var/lib/rancher/k3s/server/cred /var/lib/rancher/rke2/server/cred`,
		Etcd:        `/var/lib/etcd/member/snap/db /var/lib/rancher/k3s/server/db/state.db /var/lib/rancher/rke2/server/db/etcd`,
		PodFiles:    `/var/lib/kubelet/pods/0d6d/volumes`,
		KubeletKeys: `/var/lib/kubelet/pki/kubelet-client-current.pem /var/lib/kubelet/kubeconfig /etc/kubernetes/bootstrap-kubelet.conf`,
		LogFiles:    `/var/log/pods/n_p_u/c/0.log`,
	} {
		for _, file := range strings.Fields(files) {
			if got := Ways(file, false); len(got) != 1 || got[0] != way {
				t.Errorf("%s to write: %v, want %s", file, got, way)
			}
		}
	}
	for _, file := range []string{"/root/.kube/config", "/root/.ssh/id_ed25519", "/home/ops/.ssh/id_rsa"} {
		if len(Ways(file, true)) != 1 {
			t.Errorf("%s to read: %v, want one way", file, Ways(file, true))
		}
	}
}

func TestAFileBesideOneThatCountsOpensNothing(t *testing.T) {
	for _, file := range strings.Fields(`/etc/crontab/x /etc/rc.local/x /etc/profile/x /etc/default/app /etc/sysconfig/network
		/etc/kubernetes/admin.conf.bak /etc/kubernetes/pki/apiserver.crt /etc/ssl/certs/ca.crt /etc/hosts /etc/resolv.conf /etc/machine-id
		/var/lib/kubelet/plugins /run/app.sock /run/containerd/x /usr/share /usr/local/share /opt/app /programdata/app /proc/sys/vm
		/proc/cpuinfo /sys/class/net /var/lib/app /var/log/app /rooted /homes /boots
		/home/ops/shop /home/ops/.profile.d /root/data`) {
		if got := Ways(file, false); got != nil {
			t.Errorf("%s opens %v", file, got)
		}
	}
}

// The names of a folder as long as an object may be are walked once.
func TestAVeryLongNameIsReadInStride(t *testing.T) {
	deep := strings.Repeat("a/", 1<<20)
	if got := Clean(deep + strings.Repeat("../", 1<<20) + "proc/1/root/etc"); got != "/etc" {
		t.Errorf("it is %.40s", got)
	}
	if got := Join("/proc/1/root/var", deep+"x"); got != "/var/"+deep+"x" {
		t.Errorf("it is %.40s", got)
	}
}
