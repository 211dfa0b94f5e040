package exposure

import (
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
)

// consoles are programs by which people run code or act on a cluster, when started so that
// they ask nobody who they are.
var consoles = []OpenService{
	{Name: "Argo CD without a login", Executes: true, Source: "Argo CD: command reference of argocd-server, --disable-auth",
		image: "argocd", open: withArgument("disable-auth")},
	{Name: "Kubernetes API server that allows all", Executes: true, Source: "Kubernetes: kube-apiserver, --authorization-mode",
		image: "kube-apiserver", open: argument("authorization-mode", "AlwaysAllow")},
	{Name: "Kubernetes API server on its insecure port", Executes: true,
		Source: "Kubernetes before 1.20: kube-apiserver, --insecure-bind-address",
		image:  "kube-apiserver", open: argument("insecure-bind-address", "0.0.0.0")},
	{Name: "kubectl proxy for everybody", Executes: true, Source: "Kubernetes: kubectl proxy, --accept-hosts",
		image: "kubectl", open: openProxy},
	{Name: "Docker without TLS", Executes: true, Source: "Docker: protect the daemon socket", image: "docker", open: openDocker},
	{Name: "A container runtime's socket, passed on", Executes: true, Source: "socat: TCP-LISTEN passes on what UNIX-CONNECT is to",
		image: "socat", open: openSocat},
	{Name: "Jupyter without a token", Executes: true, Source: "Jupyter Server: security, an empty token turns authentication off",
		image: "notebook", open: openJupyter},
	{Name: "Jupyter without a token", Executes: true, Source: "Jupyter Server: security, an empty token turns authentication off",
		image: "jupyter", open: openJupyter},
	{Name: "Jenkins without its setup", Executes: true, Source: "Jenkins: without the setup wizard, security is off until it is configured",
		image: "jenkins", open: unless(command("runSetupWizard=false"), "casc")},
	{Name: "code-server without a password", Executes: true, Source: "code-server: --auth none", image: "code-server",
		open: argument("auth", "none")},
	{Name: "ttyd without a password", Executes: true, Source: "ttyd: --writable and --credential", image: "ttyd", open: openTerminal},
	{Name: "GoTTY without a password", Executes: true, Source: "GoTTY: --permit-write and --credential", image: "gotty", open: openTerminal},
	{Name: "Spark's master", Executes: true, Source: "Apache Spark: security, a standalone master has no authentication by default",
		image: "spark", open: command("deploy.master.Master")},
	{Name: "Selenium Grid", Executes: true, Source: "Selenium Grid must be protected from external access",
		image: "selenium/hub", open: always},
	{Name: "Selenium Grid", Executes: true, Source: "Selenium Grid must be protected from external access",
		image: "selenium/standalone-chrome", open: always},
}

// unless is a condition that a word of the command line takes back.
func unless(open func(collect.ContainerShape) bool, word string) func(collect.ContainerShape) bool {
	return func(k collect.ContainerShape) bool { return open(k) && !command(word)(k) }
}

// openProxy listens on all addresses and lets any host ask.
func openProxy(k collect.ContainerShape) bool {
	hosts := k.Argument("accept-hosts")
	everybody := hosts == ".*" || hosts == "^.*$" || k.HasArgument("disable-filter")
	return everybody && command(" proxy ")(k) && k.Argument("address") == "0.0.0.0"
}

// openDocker listens on all addresses and asks for no certificate of clients.
func openDocker(k collect.ContainerShape) bool {
	all := command("tcp://0.0.0.0")(k) || command("tcp://[::]")(k) || command("tcp://:")(k)
	return (all || strings.EqualFold(k.Argument("tls"), "false")) && !k.HasArgument("tlsverify")
}

func openSocat(k collect.ContainerShape) bool {
	socket := command("docker.sock")(k) || command("containerd.sock")(k) || command("crio.sock")(k)
	return socket && command("-LISTEN:")(k)
}

func openJupyter(k collect.ContainerShape) bool {
	for _, a := range append(append([]string(nil), k.Command...), k.Args...) {
		for _, word := range strings.Fields(a) {
			if name, value, given := strings.Cut(word, "App.token="); given && name != "" && strings.Trim(value, `'"`) == "" {
				return true
			}
		}
	}
	return false
}

// openTerminal lets who connects type, and asks for no password.
func openTerminal(k collect.ContainerShape) bool {
	types := k.HasArgument("w") || k.HasArgument("writable") || k.HasArgument("permit-write")
	return types && !k.HasArgument("c") && !k.HasArgument("credential")
}
