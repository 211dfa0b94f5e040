package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const mayRead = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: shop}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get]},
  {apiGroups: [apps], resources: [deployments], resourceNames: [cart], verbs: [patch]},
  {apiGroups: [""], resources: [namespaces], verbs: [patch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reads, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: web}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: lost, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: nowhere}
subjects: [{kind: User, name: bob, apiGroup: rbac.authorization.k8s.io}]
`

func TestCanAnswersWithItsProofAndTheExitCode(t *testing.T) {
	file := filepath.Join(t.TempDir(), "m.yaml")
	if err := os.WriteFile(file, []byte(mayRead), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		code int
		says string
	}{
		{"yes", []string{"serviceaccount:shop/web", "get", "secrets", "-n", "shop"}, 0, "RoleBinding shop/reads"},
		{"in another namespace", []string{"serviceaccount:shop/web", "get", "secrets", "-n", "bank"}, 1, "no "},
		{"in the whole cluster", []string{"serviceaccount:shop/web", "get", "secrets"}, 1, "no "},
		{"one object", []string{"serviceaccount:shop/web", "patch", "deployments", "-n", "shop", "--name", "cart"}, 0, "yes"},
		{"another object", []string{"serviceaccount:shop/web", "patch", "deployments", "-n", "shop", "--name", "db"}, 1, "no "},
		{"a role that was not seen", []string{"bob", "get", "pods", "-n", "shop"}, 1, "unknown"},
		{"everybody", []string{"*", "get", "secrets", "-n", "shop"}, 0, "ServiceAccount shop/web"},
		{"a subject that is none", []string{"serviceaccount:web", "get", "secrets"}, 2, "want the account with its namespace"},
		{"an account written as a user", []string{"shop/web", "get", "secrets"}, 2, "did you mean serviceaccount:shop/web?"},
		{"an account that is not there", []string{"serviceaccount:shop/gone", "get", "secrets"}, 1, "There is no such account"},
		{"an account that is there", []string{"serviceaccount:shop/web", "get", "pods"}, 1, "lets it get pods in the whole cluster."},
		{"a namespace is in itself", []string{"serviceaccount:shop/web", "patch", "namespaces", "--name", "shop"}, 0, "yes"},
		{"another namespace is not", []string{"serviceaccount:shop/web", "patch", "namespaces", "--name", "bank"}, 1, "no "},
		{"a node", []string{"system:node:n1", "get", "secrets", "-n", "shop"}, 1, "what the node authorizer lets them do is not judged"},
		{"every node", []string{"group:system:nodes", "get", "secrets", "-n", "shop"}, 1, "unknown"},
		{"a path in a namespace", []string{"bob", "get", "/metrics", "-n", "shop"}, 2, "a path lies in no namespace"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, errOut, code := command(t, append(append([]string{"can"}, tt.args...), "--from", "prod="+file)...)
			if code != tt.code || !strings.Contains(out+errOut, tt.says) {
				t.Errorf("exit code %d, want %d and %q in\n%s%s", code, tt.code, tt.says, out, errOut)
			}
		})
	}
}

func TestCanSaysNoOnlyWhereEverythingWasRead(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"m.yaml": mayRead, "bad.yaml": "a: ["} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(verb, form string) string {
		out, errOut, _ := command(t, "can", "serviceaccount:shop/web", verb, "secrets", "-n", "shop", "--from", "prod="+dir, "-o", form)
		return out + errOut
	}
	for _, form := range []string{"table", "json", "jsonl"} {
		if got := ask("delete", form); !strings.Contains(got, "unknown") || !strings.Contains(got, "bad.yaml:1") {
			t.Errorf("%s: a file that could not be read may hold a binding:\n%s", form, got)
		}
		if got := ask("get", form); strings.Contains(got, "unknown") || !strings.Contains(got, "bad.yaml:1") {
			t.Errorf("%s: what is allowed is allowed, and the file is told:\n%s", form, got)
		}
	}
}

func TestCanDoesNotKnowWhoIsInAGroupOfOpenShift(t *testing.T) {
	file := filepath.Join(t.TempDir(), "m.yaml")
	group := "---\n{apiVersion: user.openshift.io/v1, kind: Group, metadata: {name: admins}, users: [ana]}\n"
	if err := os.WriteFile(file, []byte(mayRead+group), 0o600); err != nil {
		t.Fatal(err)
	}
	for subject, want := range map[string]string{"ana": "unknown", "serviceaccount:shop/other": "no "} {
		if out, _, _ := command(t, "can", subject, "delete", "secrets", "-n", "shop", "--from", "prod="+file); !strings.Contains(out, "  "+want) {
			t.Errorf("%s: want %s:\n%s", subject, want, out)
		}
	}
}

func TestCanAnswersInJSON(t *testing.T) {
	file := filepath.Join(t.TempDir(), "m.yaml")
	if err := os.WriteFile(file, []byte(mayRead), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _, _ := command(t, "can", "sa:shop/web", "get", "secrets", "-n", "shop", "--from", "prod="+file, "-o", "json")
	var got permits
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Answers) != 1 || got.Answers[0].Binding != "RoleBinding shop/reads" || got.Answers[0].Role != "Role shop/reader" ||
		got.Answers[0].Answer != "yes" || got.Answers[0].Cluster != "prod" {
		t.Errorf("%+v", got)
	}
}
