package runtime

import (
	"path"
	"slices"
	"strings"
	"time"
)

// The kernel keeps 15 bytes of a program's name, so names here are no longer.

// shells take commands from the process that starts them.
var shells = strings.Fields(`sh ash bash dash zsh ksh ksh93 mksh yash csh tcsh fish rbash hush pwsh`)

// boxes hold many programs in one file and go by the name they are called by.
var boxes = []string{"busybox", "toybox"}

// wrappers start another program in their place or below them, and say nothing
// of who wanted it.
var wrappers = strings.Fields(`env timeout nohup setsid nice ionice stdbuf xargs script
	su sudo doas gosu su-exec runuser chroot unshare setpriv tini dumb-init`)

// servers answer everyone who reaches them, so a shell below one may be a stranger's.
// Programs whose work is to give a shell (sshd), to build or to schedule (cron)
// are left out: below those it says nothing.
var servers = strings.Fields(`nginx httpd apache2 lighttpd caddy traefik haproxy envoy openresty
	angie h2o thttpd mini_httpd uhttpd boa squid varnishd
	php-fpm php-cgi fcgiwrap spawn-fcgi uwsgi gunicorn uvicorn hypercorn daphne waitress-serve
	puma unicorn passenger catalina tomcat jetty
	postgres mysqld mariadbd mongod redis-server valkey-server memcached influxd clickhouse-serv
	cassandra couchdb beam.smp etcd grafana grafana-server prometheus kibana elasticsearch
	named dnsmasq coredns vsftpd proftpd exim4 exim master smbd nats-server mosquitto slapd`)

// runtimes run programs of any kind. They count as servers once they have run for
// a while: while they start they ask shells about their surroundings (limits,
// libraries), and short ones are scripts. node calls its first thread MainThread.
var runtimes = strings.Fields(`python perl ruby node MainThread java dotnet php bun deno`)

// serving is how long a runtime must have run to count as a server.
const serving = 10 * time.Second

// tools start containers. The kernel's name of a shim is cut.
var tools = strings.Fields(`containerd-shim conmon conmonrs runc crun youki runsc dockerd containerd
	docker nerdctl ctr podman crio crictl cri-dockerd kubelet`)

// base is the name of a program by its path: without versions, so that
// python3.12 and php-fpm8.2 go by one name, and without what programs write
// behind their name ("gunicorn: master").
func base(name string) string {
	name = path.Base(name)
	if at := strings.IndexAny(name, ": "); at > 0 {
		name = name[:at]
	}
	return strings.TrimPrefix(name, "-") // a login shell
}

func versionless(name string) string { return strings.TrimRight(name, "0123456789.-") }

func is(list []string, name string) bool {
	name = base(name)
	return slices.Contains(list, name) || slices.Contains(list, versionless(name))
}

// isTool tells what stands between a container and its node.
func isTool(name string) bool {
	return is(tools, name) || strings.HasPrefix(name, "containerd-shim") || strings.HasPrefix(name, "runc:[")
}

// program is what a process runs, by the names it goes by.
type program struct {
	name        string // of the file or, of a box, of the program in it
	interpreter string // of a script: what reads it
}

func programOf(p *Process) program {
	name, called := base(p.Path), ""
	if len(p.Arguments) > 0 {
		called = base(p.Arguments[0])
	}
	if p.Path == "" || strings.HasPrefix(p.Path, "/dev/fd/") {
		name = base(p.Name) // a file that was opened before has no path
	}
	switch {
	case p.Path == "/proc/self/exe" && called != "": // busybox's shell starts its programs so
		name = called
	case slices.Contains(boxes, name) && slices.Contains(boxes, called) && len(p.Arguments) > 1:
		name = base(p.Arguments[1])
	case slices.Contains(boxes, name) && called != "":
		name = called
	case len(p.Arguments) > 1 && called != name && path.Base(p.Arguments[1]) == path.Base(p.Path):
		return program{name, called} // the kernel puts the reader of a script before its path
	}
	return program{name: name}
}

// shell is the shell that a program is, or that reads it, or "".
func (p program) shell() string {
	for _, name := range []string{p.name, p.interpreter} {
		if slices.Contains(shells, name) {
			return name
		}
	}
	return ""
}
