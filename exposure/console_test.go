package exposure

import (
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
)

func TestWhichConsolesAskNobodyWhoTheyAre(t *testing.T) {
	for _, c := range []struct{ image, command, want string }{
		{"quay.io/argoproj/argocd:v2.9", "argocd-server --disable-auth", "Argo CD without a login"},
		{"quay.io/argoproj/argocd:v2.9", "argocd-server --disable-auth=false", ""},
		{"quay.io/argoproj/argocd:v2.9", "argocd-server --insecure", ""},
		{"registry.k8s.io/kube-apiserver:v1.30.0", "kube-apiserver --authorization-mode=AlwaysAllow", "Kubernetes API server that allows all"},
		{"registry.k8s.io/kube-apiserver:v1.30.0", "kube-apiserver --authorization-mode=Node,RBAC", ""},
		{"k8s.gcr.io/kube-apiserver:v1.18.0", "kube-apiserver --insecure-bind-address=0.0.0.0", "Kubernetes API server on its insecure port"},
		{"k8s.gcr.io/kube-apiserver:v1.18.0", "kube-apiserver --insecure-bind-address=127.0.0.1", ""},
		{"bitnami/kubectl:1.30", "kubectl proxy --address=0.0.0.0 --accept-hosts=.*", "kubectl proxy for everybody"},
		{"bitnami/kubectl:1.30", "kubectl proxy --address=0.0.0.0 --disable-filter=true", "kubectl proxy for everybody"},
		{"bitnami/kubectl:1.30", "kubectl proxy --address=0.0.0.0 --accept-hosts=^.*$", "kubectl proxy for everybody"},
		{"bitnami/kubectl:1.30", "kubectl proxy --address=0.0.0.0 --accept-hosts=^localhost$", ""},
		{"bitnami/kubectl:1.30", "kubectl port-forward --address=0.0.0.0 --disable-filter=true", ""},
		{"bitnami/kubectl:1.30", "kubectl proxy --address=0.0.0.0", ""},
		{"bitnami/kubectl:1.30", "kubectl proxy --accept-hosts=.*", ""},
		{"docker:27-dind", "dockerd -H tcp://0.0.0.0:2376", "Docker without TLS"},
		{"docker:27-dind", "dockerd --tls=false", "Docker without TLS"},
		{"docker:27-dind", "dockerd --tls=false --tlsverify", ""},
		{"docker:27-dind", "dockerd -H tcp://[::]:2376", "Docker without TLS"},
		{"docker:27-dind", "dockerd -H tcp://:2376", "Docker without TLS"},
		{"docker:27-dind", "dockerd -H tcp://0.0.0.0:2376 --tlsverify", ""},
		{"docker:27-dind", "dockerd -H tcp://127.0.0.1:2375", ""},
		{"alpine/socat", "socat TCP-LISTEN:2375,fork UNIX-CONNECT:/var/run/docker.sock", "A container runtime's socket, passed on"},
		{"alpine/socat", "socat TCP-LISTEN:2375,fork UNIX-CONNECT:/run/containerd/containerd.sock", "A container runtime's socket, passed on"},
		{"alpine/socat", "socat TCP6-LISTEN:2375,fork UNIX-CONNECT:/run/crio/crio.sock", "A container runtime's socket, passed on"},
		{"alpine/socat", "socat TCP-LISTEN:80,fork TCP:web:80", ""},
		{"alpine/socat", "socat STDIO UNIX-CONNECT:/var/run/docker.sock", ""},
		{"jupyter/minimal-notebook", "start-notebook.sh --NotebookApp.token=''", ""},
		{"quay.io/jupyter/notebook", "start-notebook.sh --NotebookApp.token=''", "Jupyter without a token"},
		{"quay.io/jupyter/notebook", "start-notebook.sh --ServerApp.token=", "Jupyter without a token"},
		{"quay.io/jupyter/notebook", "start-notebook.sh --ServerApp.token=abc", ""},
		{"quay.io/jupyter/notebook", "start-notebook.sh --NotebookApp.token=\"\"", "Jupyter without a token"},
		{"quay.io/jupyter/notebook", "start-notebook.sh --port=8888", ""},
		{"quay.io/jupyter/notebook", "start-notebook.sh App.token=", ""},
		{"quay.io/jupyter/notebook", "start-notebook.sh", ""},
		{"example.org/jupyter", "jupyter lab --NotebookApp.token=", "Jupyter without a token"},
		{"jenkins/jenkins:lts", "java -Djenkins.install.runSetupWizard=false -jar jenkins.war", "Jenkins without its setup"},
		{"jenkins/jenkins:lts", "java -Djenkins.install.runSetupWizard=false -Dcasc.jenkins.config=/c -jar jenkins.war", ""},
		{"jenkins/jenkins:lts", "java -jar jenkins.war", ""},
		{"codercom/code-server:4", "--auth none", "code-server without a password"},
		{"codercom/code-server:4", "--auth password", ""},
		{"tsl0922/ttyd", "ttyd --writable bash", "ttyd without a password"},
		{"tsl0922/ttyd", "ttyd --writable --credential u:p bash", ""},
		{"tsl0922/ttyd", "ttyd bash", ""},
		{"tsl0922/ttyd", "ttyd --writable -c u:p bash", ""},
		{"tsl0922/ttyd", "ttyd -c u:p bash", ""},
		{"sorenisanerd/gotty", "gotty -w bash", "GoTTY without a password"},
		{"sorenisanerd/gotty", "gotty --permit-write bash", "GoTTY without a password"},
		{"sorenisanerd/gotty", "gotty bash", ""},
		{"apache/spark:3.5", "spark-class org.apache.spark.deploy.master.Master", "Spark's master"},
		{"apache/spark:3.5", "spark-class org.apache.spark.deploy.worker.Worker", ""},
		{"selenium/hub:4", "", "Selenium Grid"},
		{"selenium/standalone-chrome:4", "", "Selenium Grid"},
	} {
		got := ""
		if s := OpenTo(collect.ContainerShape{Image: c.image, Command: strings.Fields(c.command)}); s != nil {
			got = s.Name
			if s.Source == "" || !s.Executes {
				t.Errorf("%s: want its source, and that it runs code", s.Name)
			}
		}
		if got != c.want {
			t.Errorf("%s %s: got %q, want %q", c.image, c.command, got, c.want)
		}
	}
}
