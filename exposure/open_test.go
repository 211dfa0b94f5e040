package exposure

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
)

func TestWhichProgramsAskNobodyWhoTheyAre(t *testing.T) {
	for _, c := range []struct{ image, command, want string }{
		{"gcr.io/kubernetes-helm/tiller:v2.14", "", "Tiller of Helm 2, executes, 44134"},
		{"gcr.io/kubernetes-helm/tiller:v2.14", "/tiller --tls-verify", ""},
		{"kubernetesui/dashboard:v2.7.0", "--auto-generate-certificates --enable-skip-login",
			"Kubernetes Dashboard without a login, executes, 9090 8443"},
		{"kubernetesui/dashboard:v2.7.0", "--auto-generate-certificates", ""},
		{"k8s.gcr.io/kubernetes-dashboard-amd64:v1.10.1", "--enable-skip-login", "Kubernetes Dashboard without a login, executes, 9090 8443"},
		{"docker.io/weaveworks/scope:1.13", "", "Weave Scope, executes, 4040"},
		{"quay.io/argoproj/argocli:v3", "server --auth-mode=server", "Argo Workflows acting as itself for everybody, executes, 2746"},
		{"quay.io/argoproj/argocli:v3", "server --auth-mode=client", ""},
		{"docker:27-dind", "dockerd --host=tcp://0.0.0.0:2375", "Docker without TLS, executes, 2375"},
		{"docker:27-dind", "dockerd --host=tcp://0.0.0.0:2375 --tlsverify", ""},
		{"docker:27-dind", "dockerd", ""},
		{"flink:1.20", "jobmanager", "Flink's job manager, executes, 8081"},
		{"flink:1.20", "taskmanager", ""},
		{"rayproject/ray:2.9", "ray start --head", "Ray's head, executes, 8265 10001 6379"},
		{"hashicorp/consul:1.19", "agent --enable-script-checks=true", "Consul with script checks, executes, 8500"},
		{"hashicorp/consul:1.19", "agent", ""},
		{"redis:7", "redis-server --save 60 1", "Redis without a password, executes, 6379"},
		{"redis:7", "redis-server --requirepass [redacted]", ""},
		{"redis:7", "redis-server /etc/redis/redis.conf", ""},
		{"example.org/not-redis:7", "", ""},
		{"registry.k8s.io/etcd:3.5", "etcd --listen-client-urls=http://0.0.0.0:2379", "etcd without client certificates, data, 2379"},
		{"registry.k8s.io/etcd:3.5", "etcd --listen-client-urls=https://127.0.0.1:2379,https://10.0.0.1:2379 --client-cert-auth=true", ""},
		{"registry.k8s.io/etcd:3.5", "etcd --listen-client-urls=http://127.0.0.1:2379", ""},
		{"registry.k8s.io/etcd:3.5", "etcd --listen-client-urls=http://localhost:2379,http://127.0.0.1:4001", ""},
		{"registry.k8s.io/etcd:3.5", "etcd --listen-client-urls=http://localhost:2379,http://10.0.0.1:2379",
			"etcd without client certificates, data, 2379"},
		{"registry.k8s.io/etcd:3.5", "etcd --listen-client-urls=http://10.0.0.1:2379,http://localhost:2379",
			"etcd without client certificates, data, 2379"},
		{"registry.k8s.io/etcd:3.5", "etcd --listen-client-urls=http://localhost:2379,http://[::1]:2379", ""},
		{"registry.k8s.io/etcd:3.5", "etcd --listen-client-urls=http://127.0.0.1:2379,http://etcd-0:2379",
			"etcd without client certificates, data, 2379"},
		{"registry.k8s.io/etcd:3.5", "etcd --listen-client-urls=http://0.0.0.0:2379 --client-cert-auth=false",
			"etcd without client certificates, data, 2379"},
		{"registry.k8s.io/etcd:3.5", "etcd", ""},
		{"memcached:1.6", "memcached -m 64", "Memcached, data, 11211"},
		{"memcached:1.6", "memcached -S", ""},
		{"nginx:1.27", "", ""},
	} {
		s := OpenTo(collect.ContainerShape{Image: c.image, Command: strings.Fields(c.command)})
		got := ""
		if s != nil {
			got = s.Name + map[bool]string{true: ", executes, ", false: ", data, "}[s.Executes] + strings.Trim(fmt.Sprint(s.Ports), "[]")
		}
		if got != c.want {
			t.Errorf("%s %s: got %q, want %q", c.image, c.command, got, c.want)
		}
	}
}

func TestAFileOfOpenProgramsIsReadStrictly(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"- {name: a, source: b, images: [c]}", ""},
		{"- {name: a, source: b, images: [c], none: [{argument: d}, {says: e}]}", ""},
		{"- {source: b, images: [c]}", "f.yaml:1: want the name of the program"},
		{"- {name: a, images: [c]}", "f.yaml:1: want the source: where its documents say that it asks nobody"},
		{"- name: a\n  source: b\n", "f.yaml:1: want the images that it runs from"},
		{"- {name: a, source: b, images: [c], image: d}", `f.yaml:1: unknown key "image"`},
		{"- name: a\n  source: b\n  images: [c]\n  all:\n  - {argument: d}\n  - {is: [e]}", "f.yaml:6: " + wantCondition},
		{"- name: a\n  source: b\n  images: [c]\n  any:\n  - {argument: d, says: e}", "f.yaml:5: " + wantCondition},
		{"- name: a\n  source: b\n  images: [c]\n  none:\n  - {argument: d, is: [e], beyond: true}", "f.yaml:5: " + wantCondition},
		{"- name: a\n  source: b\n  images: [c]\n  none:\n  - {says: '('}", "f.yaml:5: error parsing regexp: missing closing ): `(`"},
	} {
		_, err := readOpen("f.yaml", []byte(c.text))
		if err == nil && c.want != "" || err != nil && err.Error() != c.want {
			t.Errorf("%s\ngot  %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestOnWhichPortsAnOpenServiceIsReached(t *testing.T) {
	tcp := func(numbers ...int32) (out []netpol.Port) {
		for _, n := range numbers {
			out = append(out, netpol.Port{Protocol: "TCP", Number: n})
		}
		return out
	}
	for _, c := range []struct {
		name            string
		own, open, want []netpol.Port
	}{
		{"its own, where nothing is known to listen", tcp(8265, 10001), nil, tcp(8265, 10001)},
		{"those of its own that are open", tcp(8265, 10001), tcp(80, 10001), tcp(10001)},
		{"all that are open, where its own are not", tcp(8265, 10001), tcp(80, 8080), tcp(80, 8080)},
		{"all, where it has none of its own", nil, tcp(80), tcp(80)},
		{"not its own number of another protocol", tcp(53),
			[]netpol.Port{{Protocol: "UDP", Number: 53}}, []netpol.Port{{Protocol: "UDP", Number: 53}}},
		{"none", nil, nil, nil},
	} {
		s := OpenService{}
		for _, p := range c.own {
			s.Ports = append(s.Ports, p.Number)
		}
		if got := s.Among(c.open); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
