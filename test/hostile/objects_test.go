package hostile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
)

// The attacker here may create objects in a watched cluster, or hands over a folder of manifests: the texts of objects,
// their number, and the names of files.

// look runs a command on files, and says how much memory it had at most.
func look(t *testing.T, files map[string]string, args ...string) (out, said string, code int, resident int64) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	var stdout, stderr strings.Builder
	cmd := exec.CommandContext(ctx, program(t), append(args, "--from", dir)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Fatalf("it does not end: %.500s", stderr.String())
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		t.Fatal("nobody knows its memory")
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode(), usage.Maxrss << 10
}

// many is a text n times, with a number in it.
func many(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

const namespaceX = "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n---\n"

// apart are pods that differ, and policy one of many for some of them.
const (
	apart = "apiVersion: v1\nkind: Pod\nmetadata: {name: p%[1]d, namespace: x, labels: {n: l%[1]d}}\n" +
		"spec: {containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}\n" +
		"status: {phase: Running, podIP: 10.0.0.7, podIPs: [{ip: 10.0.0.7}]}\n---\n"
	policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p%[1]d, namespace: x}\n" +
		"spec:\n  podSelector: {matchLabels: {n: l%[1]d}}\n  policyTypes: [Ingress]\n" +
		"  ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [172.16.%[1]d.0/24,ADDRESSES]}}]}]\n---\n"
)

// led are pods that differ, and leading Services that each lead to all of them.
const (
	led = "apiVersion: v1\nkind: Pod\nmetadata: {name: p%[1]d, namespace: x, labels: {app: a, n: l%[1]d}}\n" +
		"spec: {containers: [{name: c, image: i}]}\nstatus: {phase: Running, podIP: 10.0.0.7, podIPs: [{ip: 10.0.0.7}]}\n---\n"
	leading = "apiVersion: v1\nkind: Service\nmetadata: {name: s%[1]d, namespace: x}\nspec: {type: LoadBalancer, selector: {app: a}, " +
		"ports: [{port: 80}]}\nstatus: {loadBalancer: {ingress: [{ip: 8.8.8.8}]}}\n---\n"
)

// mostOfObjects is what the program may have for some megabytes of objects that ask for all.
const mostOfObjects = 1 << 30

func TestObjectsThatAskForMoreThanHonestOnesDoNotTakeTheMemory(t *testing.T) {
	pod := func(spec, containers string) string {
		return namespaceX + "apiVersion: v1\nkind: Pod\nmetadata: {name: big, namespace: x}\nspec:\n  nodeName: node-1\n" + spec +
			"  containers:\n" + containers
	}
	volumes := "  volumes:\n" + many(10, "  - {name: v%d, emptyDir: {}}\n")
	mountsOf := func(n int) string { return many(n, "{name: v%[1]d, mountPath: /m%[1]d},") }
	mounts := "volumeMounts: [" + mountsOf(10) + "]"
	for _, c := range []struct{ name, file, text, says string }{
		{"a pod whose 1500 containers share ten volumes", "pod.yaml",
			pod(volumes, many(1500, "  - {name: c%[1]d, image: i, "+mounts+"}\n")), "pods with more than 64 containers: 1"},
		{"a pod whose 60 containers share 600 volumes", "pod.yaml", pod("  volumes:\n"+many(600, "  - {name: v%d, emptyDir: {}}\n"),
			many(60, "  - {name: c%[1]d, image: i, volumeMounts: ["+mountsOf(600)+"]}\n")), ""},
		{"a pod of 5000 containers that see each other's processes", "pod.yaml",
			pod("  shareProcessNamespace: true\n", many(5000, "  - {name: c%d, image: i}\n")), "pods with more than 64 containers: 1"},
		{"policies with thousands of addresses, for pods that differ", "policies.yaml",
			namespaceX + many(1000, apart) + many(40, strings.ReplaceAll(policy, "ADDRESSES", addresses(2000))), ""},
		{"roles, bindings and users that multiply", "rbac.yaml", namespaceX +
			"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r, uid: u}\nrules:\n" +
			many(500, "- {verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [n%d]}\n") +
			strings.ReplaceAll(many(200, "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: x%[1]d}\n---\n"+
				"apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b, namespace: x%[1]d}\n"+
				"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}\nsubjects: [USERS]\n"), "USERS",
				many(100, "{kind: User, apiGroup: rbac.authorization.k8s.io, name: u%d},")), ""},
		{"Services that each lead to all of many pods", "services.yaml", namespaceX + many(900, led) + many(900, leading),
			"pods have more ways in than are told one by one"},
		{"text that its aliases make large", "aliases.yaml",
			namespaceX + "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\na: &a \"" + strings.Repeat("x", 1<<20) + "\"\nb: [" +
				strings.Repeat("*a,", 100_000) + "]\n", "with its aliases written out"},
		{"aliases of a kustomization", "kustomization.yaml",
			"a: &a \"" + strings.Repeat("x", 1<<19) + "\"\nresources: [" + strings.Repeat("*a,", 100_000) + "]\n",
			"with its aliases written out"},
		{"a kustomization of many megabytes", "kustomization.yaml", "resources:\n" + strings.Repeat("- a\n", 5<<20),
			"want at most 1048576 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, said, code, resident := look(t, map[string]string{c.file: c.text, "ok.yaml": namespaceX}, "paths")
			if code != 0 || !strings.Contains(said, c.says) {
				t.Errorf("%d: %.1000s, want that it says %q", code, said, c.says)
			}
			if resident > mostOfObjects {
				t.Errorf("it had %d MiB", resident>>20)
			}
			t.Logf("%d MiB at most, for %d KiB", resident>>20, len(c.text)>>10)
		})
	}
}

// addresses are n of them.
func addresses(n int) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("172.17.%d.%d/32", i/256, i%256))
	}
	return strings.Join(out, ",")
}

// TestABindingToWhomNobodyCanNameHidesNothing: API servers take users of any name.
func TestABindingToWhomNobodyCanNameHidesNothing(t *testing.T) {
	binding := namespaceX + "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\n" +
		"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\nsubjects:\n"
	for _, name := range []string{`""`, `" "`, `"/"`, `"system:serviceaccount:x:"`, `"system:serviceaccount:::"`, `"system:node:"`,
		`"a/ServiceAccount/b"`, `"\n"`} {
		out, said, code, _ := look(t, map[string]string{"b.yaml": binding +
			"- {kind: User, apiGroup: rbac.authorization.k8s.io, name: " + name + "}\n" +
			"- {kind: User, apiGroup: rbac.authorization.k8s.io, name: alice}\n"}, "paths")
		if code != 0 || !strings.Contains(out, "User alice") {
			t.Errorf("beside a user %s: %d: %s%s", name, code, out, said)
		}
	}
}

// TestWhatStrangersWriteMovesNoCursorAndTurnsNoTextAround looks at what commands print of texts with letters that do.
func TestWhatStrangersWriteMovesNoCursorAndTurnsNoTextAround(t *testing.T) {
	const evil = "\x1b]0;own\x07\x1b[2J\u202egnp.exe\u2066\u200b"
	quoted := `"` + strings.NewReplacer("\x1b", `\e`, "\x07", `\a`).Replace(evil) + `"`
	objects := namespaceX + "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\n" +
		"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n" +
		"subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: " + quoted + "}]\n---\n" +
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: x}\n" +
		"spec: {nodeName: node-1, hostPID: true, containers: [{name: c, image: " + quoted + ", command: [" + quoted +
		"], securityContext: {privileged: true}}], volumes: [{name: v, hostPath: {path: " + quoted + "}}]}\n"
	broken := map[string]string{evil + ".yaml": "a: [b"}
	whole := map[string]string{evil + ".yaml": "a: [b", "a.yaml": objects}
	for _, c := range []struct {
		files map[string]string
		args  []string
	}{
		{broken, []string{"paths"}}, {whole, []string{"paths"}}, {whole, []string{"exposure"}}, {whole, []string{"graph"}},
		{whole, []string{"recommendations"}}, {whole, []string{"cut", "--assume", "any"}},
		{whole, []string{"paths", "--assume", "user:" + evil}},
		{whole, []string{"paths", "--why-not", "user:" + evil, "cluster"}}, {whole, []string{"query", "MATCH (u:User) RETURN u.name"}},
		{whole, []string{"query", "-o", "csv", "MATCH (u:User) RETURN u.name"}},
		{whole, []string{"query", "MATCH (u:" + evil}}, {whole, []string{"paths", "-o", "json"}},
		{whole, []string{"query", "-o", "json", "MATCH (u:User) RETURN u.name"}},
	} {
		out, said, _, _ := look(t, c.files, c.args...)
		for _, text := range []string{out, said} {
			if at := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }); at >= 0 {
				t.Errorf("%q prints %q", c.args, text[max(0, at-60):min(len(text), at+60)])
			}
		}
	}
}
