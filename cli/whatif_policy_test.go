package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAPolicyThatPerhapsNobodyEnforces: what it closes between pods is told as lost, and of
// the way from the internet that it is not known any more.
func TestAPolicyThatPerhapsNobodyEnforces(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"shop.yaml": `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
status: {loadBalancer: {ingress: [{ip: 203.0.113.7}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: web, image: web, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: cart, namespace: shop}
spec: {containers: [{name: cart, image: cart}]}
`, "policy.yaml": `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, errOut, code := command(t, "what-if", "--from", "c="+filepath.Join(dir, "shop.yaml"), "--apply", filepath.Join(dir, "policy.yaml"),
		"--data", t.TempDir())
	for _, want := range []string{"loses 1 route of traffic", "lost: c/shop/Pod/cart → c/shop/Pod/web",
		"not known: whether the internet still reaches c/shop/Pod/web: ", "whether anything enforces that is not known"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("%d: it does not tell %q:\n%s%s", code, want, out, errOut)
		}
	}
}
