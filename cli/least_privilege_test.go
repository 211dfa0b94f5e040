package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const mayMuch = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: much}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]
`

// request is an event of an audit log.
func request(user, verb, resource, name, code string) string {
	return `{"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": "` + verb + resource + name + `",
"stage": "ResponseComplete", "requestURI": "/api/v1/namespaces/shop/` + resource + `/` + name + `", "verb": "` + verb + `",
"user": {"username": "` + user + `", "groups": ["system:serviceaccounts", "system:authenticated"]}, "sourceIPs": ["10.0.0.7"],
"objectRef": {"resource": "` + resource + `", "namespace": "shop", "name": "` + name + `", "apiVersion": "v1"},
"responseStatus": {"code": ` + code + `}, "requestReceivedTimestamp": "2026-11-20T10:00:35.000000Z",
"stageTimestamp": "2026-11-20T10:00:35.000000Z"}`
}

func TestTheLeastRoleAllowsWhatWasDoneAndNoMore(t *testing.T) {
	dir := t.TempDir()
	manifests, log := filepath.Join(dir, "m.yaml"), filepath.Join(dir, "audit.log")
	const web = "system:serviceaccount:shop:web"
	var lines []string
	for _, e := range []string{request(web, "get", "secrets", "db", "200"), request(web, "get", "secrets", "db", "200"),
		request(web, "list", "pods", "", "200"), request(web, "delete", "pods", "x", "403"),
		request("alice", "delete", "secrets", "db", "200")} {
		lines = append(lines, strings.ReplaceAll(e, "\n", " "))
	}
	for file, text := range map[string]string{manifests: mayMuch, log: strings.Join(lines, "\n") + "\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, errOut, code := command(t, "least-privilege", "sa:shop/web", "--audit", log, "--from", "prod="+manifests)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	for _, want := range []string{"kind: Role\n", "kind: RoleBinding\n", "namespace: shop", "  - db", "- secrets", "- pods", "- list"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	for _, never := range []string{"delete", "ClusterRole", "'*'"} {
		if strings.Contains(out, never) {
			t.Errorf("%q is in\n%s", never, out)
		}
	}
	for _, want := range []string{"no longer: everything in the whole cluster", "no longer: create-pods in the whole cluster"} {
		if !strings.Contains(errOut, want) {
			t.Errorf("%q is missing in\n%s", want, errOut)
		}
	}
}

func TestALogThatShowsNothingOfAnIdentityMakesNoRole(t *testing.T) {
	dir := t.TempDir()
	manifests, log := filepath.Join(dir, "m.yaml"), filepath.Join(dir, "audit.log")
	others := strings.ReplaceAll(request("alice", "get", "pods", "x", "200"), "\n", " ")
	for file, text := range map[string]string{manifests: mayMuch, log: others} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, errOut, code := command(t, "least-privilege", "sa:shop/web", "--audit", log, "--from", "prod="+manifests)
	if code != 2 || out != "" || !strings.Contains(errOut, "no request of ServiceAccount shop/web") {
		t.Errorf("exit code %d: %s%s", code, out, errOut)
	}
}
