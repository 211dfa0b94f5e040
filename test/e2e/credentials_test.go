package e2e

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/test/kubetest"
)

// TestCredentialsComeFromAPluginOrFromThePod reads a real API server in the two
// ways that need more than a file: a credential plugin's token, and the service
// account that a pod finds at a fixed place.
func TestCredentialsComeFromAPluginOrFromThePod(t *testing.T) {
	c := kubetest.Start(t, kubetest.Options{NoControllers: true})
	role, err := os.ReadFile("../../deploy/rbac/readonly.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.Apply(t, string(role))
	account, err := c.AccountKubeconfig("breakwater", "breakwater")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := clientcmd.LoadFromFile(account)
	if err != nil {
		t.Fatal(err)
	}
	token, server := cfg.AuthInfos["user"].Token, cfg.Clusters["test"]
	bin := plainBinary(t)
	whole := func(t *testing.T, file string) {
		t.Helper()
		facts, err := kube.Open(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		if len(facts.ClusterRoles) < 20 || len(facts.Gaps) > 0 {
			t.Errorf("%d cluster roles, gaps %v", len(facts.ClusterRoles), facts.Gaps)
		}
	}
	t.Run("a plugin", func(t *testing.T) {
		cfg.AuthInfos["user"] = &clientcmdapi.AuthInfo{
			Exec: &clientcmdapi.ExecConfig{
				APIVersion:      "client.authentication.k8s.io/v1",
				Command:         "sh",
				InteractiveMode: clientcmdapi.NeverExecInteractiveMode,
				Args: []string{
					"-c",
					`echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"` + token + `"}}'`,
				},
			},
		}
		kubeconfig, file := filepath.Join(t.TempDir(), "kubeconfig"), filepath.Join(t.TempDir(), "facts.dump")
		if err := clientcmd.WriteToFile(*cfg, kubeconfig); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(bin, "dump", "context:test", "--to", file)
		cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		whole(t, file)
	})
	t.Run("a pod", func(t *testing.T) {
		if os.Getuid() != 0 {
			t.Skip("a folder of the system is put in place: that needs root and a mount namespace")
		}
		at, err := url.Parse(server.Server)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "facts.dump")
		inside := fmt.Sprintf(`set -e
mount -t tmpfs tmpfs /run
mkdir -p /var/run/secrets/kubernetes.io/serviceaccount
cp %s /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
printf %%s "$TOKEN" > /var/run/secrets/kubernetes.io/serviceaccount/token
exec %s dump in-cluster --to %s`, server.CertificateAuthority, bin, file)
		cmd := exec.Command("unshare", "--mount", "sh", "-c", inside)
		cmd.Env = append(
			os.Environ(),
			"TOKEN="+token,
			"KUBERNETES_SERVICE_HOST="+at.Hostname(),
			"KUBERNETES_SERVICE_PORT="+at.Port(),
			"KUBECONFIG=/nonexistent",
		)
		if said, err := cmd.CombinedOutput(); err != nil {
			if strings.Contains(string(said), "unshare") {
				t.Skipf("no mount namespace here: %s", said)
			}
			t.Fatalf("%v: %s", err, said)
		}
		whole(t, file)
	})
}
