package exposure

import (
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
)

// OpenService is a program that, as it is started here, asks nobody who they are.
type OpenService struct {
	Name string
	// Executes says that who reaches it can run code there, or act with all that it
	// has; others give away their data.
	Executes bool
	// Source is where that is written.
	Source string
	// Ports are those that it is reached on by default.
	Ports []int32

	image string // as ImageIs knows it
	open  func(collect.ContainerShape) bool
}

// openServices is every program that is known to be open, as a default or when started so.
var openServices = []OpenService{
	{"Tiller of Helm 2", true, "Helm 2: securing your Helm installation", []int32{44134}, "tiller", unlessArgument("tls-verify")},
	{"Kubernetes Dashboard without a login", true, "Kubernetes Dashboard: arguments", []int32{9090, 8443}, "kubernetesui/dashboard",
		withArgument("enable-skip-login")},
	{"Kubernetes Dashboard without a login", true, "Kubernetes Dashboard: arguments", []int32{9090, 8443}, "kubernetes-dashboard-amd64",
		withArgument("enable-skip-login")},
	{"Weave Scope", true, "Weave Scope: it controls hosts and containers, without authentication of its own", []int32{4040},
		"weaveworks/scope", always},
	{"Argo Workflows acting as itself for everybody", true, "Argo Workflows: server auth mode", []int32{2746}, "argocli",
		argument("auth-mode", "server")},
	{"Docker without TLS", true, "Docker: protect the daemon socket", []int32{2375}, "docker", command("tcp://0.0.0.0:2375")},
	{"Flink's job manager", true, "Apache Flink: security of its REST interface", []int32{8081}, "flink", command("jobmanager")},
	{"Ray's head", true, "Ray: security", []int32{8265, 10001, 6379}, "rayproject/ray", command("--head")},
	{"Consul with script checks", true, "Consul: protecting against RCE through script checks", []int32{8500}, "consul",
		argument("enable-script-checks", "true")},
	{"Redis without a password", true, "Docker official image redis: protected mode is off", []int32{6379}, "redis", openRedis},
	{"etcd without client certificates", false, "etcd: transport security model", []int32{2379}, "etcd", openEtcd},
	{"Memcached", false, "memcached: securing memcached", []int32{11211}, "memcached", unlessArgument("S")},
}

// OpenTo says as which open service a container runs, nil if it is not known as one.
func OpenTo(k collect.ContainerShape) *OpenService {
	for _, known := range [][]OpenService{openServices, consoles} {
		for i, s := range known {
			if k.ImageIs(s.image) && s.open(k) {
				return &known[i]
			}
		}
	}
	return nil
}

// Among are those of some ports that the service is reached on: its default ones if
// they are among them, else all, for it may be told to use others; its default ones
// where nothing is known to listen.
func (s *OpenService) Among(ports []netpol.Port) (out []netpol.Port) {
	for _, n := range s.Ports {
		p := netpol.Port{Protocol: "TCP", Number: n}
		if len(ports) == 0 || slices.Contains(ports, p) {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return ports
	}
	return out
}

func always(collect.ContainerShape) bool { return true }

func withArgument(name string) func(collect.ContainerShape) bool {
	return func(k collect.ContainerShape) bool { return k.HasArgument(name) }
}

func unlessArgument(name string) func(collect.ContainerShape) bool {
	return func(k collect.ContainerShape) bool { return k.Argument(name) == "" }
}

func argument(name, value string) func(collect.ContainerShape) bool {
	return func(k collect.ContainerShape) bool { return strings.EqualFold(k.Argument(name), value) }
}

// command asks for a word of the command line.
func command(word string) func(collect.ContainerShape) bool {
	return func(k collect.ContainerShape) bool {
		return strings.Contains(" "+strings.Join(k.Command, " ")+" "+strings.Join(k.Args, " ")+" ", word)
	}
}

// openRedis has no password; what a file of settings says is not known, and is not guessed.
func openRedis(k collect.ContainerShape) bool {
	return k.Argument("requirepass") == "" && !command(".conf")(k)
}

// openEtcd listens for others than the machine itself, and asks for no certificate.
func openEtcd(k collect.ContainerShape) bool {
	urls := k.Argument("listen-client-urls")
	local := true
	for url := range strings.SplitSeq(urls, ",") {
		local = local && (url == "" || strings.Contains(url, "127.0.0.1") || strings.Contains(url, "localhost"))
	}
	return !local && !strings.EqualFold(k.Argument("client-cert-auth"), "true")
}
