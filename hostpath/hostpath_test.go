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
		{"/home/ops", "logins", "keys"},
		{"/data", "", ""},
		{"/mnt/disks/a", "", ""},
		{"/dev", "", ""},
		{"/tmp", "", ""},
		{`C:\`, "root", "runtime-socket service-manager control-plane etcd pod-files kubelet-keys keys"},
		{`C:\Windows\System32`, "programs", ""},
		{`c:\var\lib\kubelet\pods`, "pod-files", "pod-files"},
		{`\\.\pipe\docker_engine`, "runtime-socket", "runtime-socket"},
		{`D:\data`, "", ""},
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
	} {
		if got := Join(test.folder, test.sub); got != test.want {
			t.Errorf("%q of %q is %q, want %q", test.sub, test.folder, got, test.want)
		}
	}
}
