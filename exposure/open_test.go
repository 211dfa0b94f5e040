package exposure

import (
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
)

func TestWhichProgramsAskNobodyWhoTheyAre(t *testing.T) {
	for _, c := range []struct{ image, command, want string }{
		{"gcr.io/kubernetes-helm/tiller:v2.14", "", "Tiller of Helm 2, executes"},
		{"gcr.io/kubernetes-helm/tiller:v2.14", "/tiller --tls-verify", ""},
		{"kubernetesui/dashboard:v2.7.0", "--auto-generate-certificates --enable-skip-login", "Kubernetes Dashboard without a login, executes"},
		{"kubernetesui/dashboard:v2.7.0", "--auto-generate-certificates", ""},
		{"docker.io/weaveworks/scope:1.13", "", "Weave Scope, executes"},
		{"quay.io/argoproj/argocli:v3", "server --auth-mode=server", "Argo Workflows acting as itself for everybody, executes"},
		{"quay.io/argoproj/argocli:v3", "server --auth-mode=client", ""},
		{"docker:27-dind", "dockerd --host=tcp://0.0.0.0:2375", "Docker without TLS, executes"},
		{"docker:27-dind", "dockerd", ""},
		{"flink:1.20", "jobmanager", "Flink's job manager, executes"},
		{"flink:1.20", "taskmanager", ""},
		{"rayproject/ray:2.9", "ray start --head", "Ray's head, executes"},
		{"hashicorp/consul:1.19", "agent --enable-script-checks=true", "Consul with script checks, executes"},
		{"hashicorp/consul:1.19", "agent", ""},
		{"redis:7", "redis-server --save 60 1", "Redis without a password, executes"},
		{"redis:7", "redis-server --requirepass [redacted]", ""},
		{"redis:7", "redis-server /etc/redis/redis.conf", ""},
		{"example.org/not-redis:7", "", ""},
		{"registry.k8s.io/etcd:3.5", "etcd --listen-client-urls=http://0.0.0.0:2379", "etcd without client certificates, data"},
		{"registry.k8s.io/etcd:3.5", "etcd --listen-client-urls=https://127.0.0.1:2379,https://10.0.0.1:2379 --client-cert-auth=true", ""},
		{"registry.k8s.io/etcd:3.5", "etcd --listen-client-urls=http://127.0.0.1:2379", ""},
		{"registry.k8s.io/etcd:3.5", "etcd", ""},
		{"memcached:1.6", "memcached -m 64", "Memcached, data"},
		{"memcached:1.6", "memcached -S", ""},
		{"nginx:1.27", "", ""},
	} {
		s := OpenTo(collect.ContainerShape{Image: c.image, Command: strings.Fields(c.command)})
		got := ""
		if s != nil && s.Executes {
			got = s.Name + ", executes"
		} else if s != nil {
			got = s.Name + ", data"
		}
		if got != c.want {
			t.Errorf("%s %s: got %q, want %q", c.image, c.command, got, c.want)
		}
	}
	for _, s := range openServices {
		if s.Source == "" {
			t.Errorf("%s: want its source", s.Name)
		}
	}
}
