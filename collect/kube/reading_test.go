package kube

import (
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"unicode/utf16"

	corev1 "k8s.io/api/core/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

// account is what a source held and what became of it, for a test to compare.
func account(f *collect.Facts) string {
	var out []string
	for _, why := range slices.Sorted(maps.Keys(f.Tally.Left)) {
		out = append(out, fmt.Sprintf("left %d: %s", f.Tally.Left[why], why))
	}
	for _, kind := range slices.Sorted(maps.Keys(f.Unread)) {
		out = append(out, fmt.Sprintf("unread %d %s", f.Unread[kind], kind))
	}
	return strings.Join(out, "\n")
}

// balanced fails a test where something read was not counted out again.
func balanced(t *testing.T, f *collect.Facts) {
	t.Helper()
	if !f.Tally.Balanced() {
		t.Errorf("the tally does not balance: %+v", f.Tally)
	}
	facts := 0
	for _, kind := range collect.Kinds {
		for _, o := range f.Each(kind) {
			switch o := o.(type) {
			case *collect.Pod:
				if o.Made && o.Owner.Kind != "" && o.Phase == "Pending" && o.UID == "" {
					continue // of a template
				}
			case *collect.Node:
				if strings.HasPrefix(o.Name, anyNode) {
					continue
				}
			case *collect.EndpointSlice:
				if f.Tally.Left["Endpoints, which count as EndpointSlices"] > 0 {
					continue
				}
			}
			facts++
		}
	}
	if facts > f.Tally.Kept {
		t.Errorf("%d facts of %d that were kept", facts, f.Tally.Kept)
	}
}

func read(t *testing.T, files fstest.MapFS) *collect.Facts {
	t.Helper()
	f, err := ReadFS(files)
	if err != nil {
		t.Fatal(err)
	}
	balanced(t, f)
	return f
}

func namespace(name string) string {
	return "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + name + "}\n"
}

func TestEveryDocumentOfAFileIsReadOrTold(t *testing.T) {
	const a, b, c = "Namespace a", "Namespace b", "Namespace c"
	three := namespace("a") + "---\n" + namespace("b") + "---\n" + namespace("c")
	utf16le := func(s string) string {
		var out []byte
		for _, u := range utf16.Encode([]rune(s)) {
			out = binary.LittleEndian.AppendUint16(out, u)
		}
		return string(out)
	}
	utf16be := func(s string) string {
		var out []byte
		for _, u := range utf16.Encode([]rune(s)) {
			out = binary.BigEndian.AppendUint16(out, u)
		}
		return string(out)
	}
	utf32 := func(s string, order binary.AppendByteOrder) string {
		var out []byte
		for _, r := range s {
			out = order.AppendUint32(out, uint32(r))
		}
		return string(out)
	}
	inJSON := func(name string) string {
		return `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"` + name + `"}}`
	}
	all := strings.Join([]string{a, b, c}, "\n")
	tests := []struct{ name, content, want string }{
		{"UTF-8 with a byte order mark", "\uFEFF" + three, all},
		{"a byte order mark before each document, as files put together have", "\uFEFF" + namespace("a") + "\uFEFF---\n\uFEFF" + namespace("b"),
			a + "\n" + b},
		{"UTF-16LE with its mark, as PowerShell writes", utf16le("\uFEFF" + strings.ReplaceAll(three, "\n", "\r\n")), all},
		{"UTF-16BE with its mark", utf16be("\uFEFF" + three), all},
		{"UTF-16LE without", utf16le(three), all},
		{"UTF-16BE without", utf16be(three), all},
		{"UTF-16LE JSON", utf16le("\uFEFF" + inJSON("a")), a},
		{"UTF-32LE", utf32("\uFEFF"+three, binary.LittleEndian), all},
		{"UTF-32BE", utf32(three, binary.BigEndian), all},
		{"half a character is told", utf16le("\uFEFF" + three)[:101], "gap a.yaml:1: want UTF-16LE, as it begins: some of it is no character"},
		{"lines that end in carriage returns", strings.ReplaceAll(three, "\n", "\r"), all},
		{"a document ends at ...", namespace("a") + "...\n" + namespace("b") + "...\n---\n" + namespace("c") + "...\n", all},
		{"directives", "%YAML 1.2\n---\n" + namespace("a"), a},
		{"a comment behind the separator", "--- # first\n" + namespace("a") + "---\t# second\n" + namespace("b"), a + "\n" + b},
		{"an object behind the separator", "--- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n---\n" + namespace("b"), a + "\n" + b},
		{"YAML in braces", "{apiVersion: v1, kind: Namespace, metadata: {name: a}}\n---\n" + namespace("b"), a + "\n" + b},
		{"a JSON document between YAML ones", namespace("a") + "---\n" + inJSON("b") + "\n---\n" + namespace("c"), all},
		{"JSON documents on one line", inJSON("a") + inJSON("b") + " " + inJSON("c"), all},
		{"a stray brace in a JSON stream", inJSON("a") + "\n}\n" + inJSON("b"),
			a + "\ngap a.yaml:2: want JSON, and what follows was not read: invalid character '}' looking for beginning of value"},
		{"an array", "[" + inJSON("a") + "," + inJSON("b") + "]", a + "\n" + b},
		{"a sequence", "- " + inJSON("a") + "\n- " + inJSON("b") + "\n", a + "\n" + b},
		{"an anchor, merged and overridden", "apiVersion: v1\nkind: Namespace\nmetadata:\n" +
			"  labels: &l {x: '1'}\n  annotations:\n    <<: *l\n    x: '2'\n  name: a\n", a},
		{"a key twice is refused", namespace("a") + "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: b}\nmetadata: {name: c}\n",
			a + "\n" + `gap a.yaml:5: want YAML: yaml: unmarshal errors: line 8: key "metadata" already set in map`},
		{"a key twice in JSON", inJSON("a") + `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"b","name":"c"}}`,
			a + "\n" + `gap a.yaml:1: want a Namespace of v1: duplicate field "metadata.name"` + "\ngap namespaces: 1 could not be read"},
		{"a kind twice", inJSON("a") + `{"apiVersion":"v1","kind":"Secret","kind":"Namespace","metadata":{"name":"b"}}`,
			a + "\n" + `gap a.yaml:1: want a Kubernetes object: duplicate field "kind"`},
		{"null documents, which kubectl passes over too", namespace("a") + "---\nnull\n", a},
		{"a kind that Kubernetes does not have", namespace("a") + "---\napiVersion: apps/v1\nkind: Deploymnt\nmetadata: {name: b}\n",
			a + "\n" + `gap a.yaml:5: want a kind that API servers have: apps/v1 of today has no "Deploymnt"`},
		{"a kind in another group", namespace("a") + "---\napiVersion: v1\nkind: Deployment\nmetadata: {name: b}\n",
			a + "\n" + `gap a.yaml:5: want a kind that API servers have: v1 of today has no "Deployment"`},
		{"a kind that is gone", namespace("a") + "---\napiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: b}\n",
			a + "\n" + `gap a.yaml:5: want a kind that API servers have: policy/v1beta1 of today has no "PodSecurityPolicy"`},
		{"a kind of Kubernetes that is not read", namespace("a") + "---\napiVersion: v1\nkind: LimitRange\nmetadata: {name: b}\n", a},
		{"a refusal that was saved", namespace("a") + "---\n" + `{"kind":"Status","apiVersion":"v1","message":"pods is forbidden"}`,
			a + "\ngap a.yaml:5: want objects: it is an API server's answer that there are none to read: pods is forbidden"},
		{"a table", namespace("a") + "---\n" + `{"kind":"Table","apiVersion":"meta.k8s.io/v1","rows":[]}`,
			a + "\ngap a.yaml:5: want objects: it is a table of some of their columns, without what they say"},
		{"a List with nothing in it", namespace("a") + "---\napiVersion: v1\nkind: List\nitems:\n", a},
		{"a List without items", namespace("a") + "---\napiVersion: v1\nkind: PodList\n", a},
		{"a List whose item is null", namespace("a") + "---\napiVersion: v1\nkind: List\nitems: [null]\n",
			a + "\ngap a.yaml:5: items[0]: want a Kubernetes object, not \"null\""},
		{"Lists in Lists", strings.Repeat(`{"apiVersion":"v1","kind":"List","items":[`, 6) + inJSON("a") + strings.Repeat("]}", 6), a},
		{"a typed list whose items name half of what they are", `{"apiVersion":"v1","kind":"NamespaceList","items":[{"kind":"Namespace",` +
			`"metadata":{"name":"a"}}]}`, a},
		{"the kind in another case is no kind", namespace("a") + "---\napiVersion: v1\nKind: Namespace\nmetadata: {name: b}\n",
			a + "\ngap a.yaml:5: want the kind of the object of v1: it is missing"},
		{"no version", namespace("a") + "---\nkind: Namespace\nmetadata: {name: b}\n",
			a + "\ngap a.yaml:5: want the apiVersion of the Namespace: it is missing"},
		{"a version nobody knows", namespace("a") + "---\napiVersion: apps/v7\nkind: Deployment\nmetadata: {name: b}\n",
			a + "\ngap a.yaml:5: Deployment apps/v7: want version apps/v1"},
		{"a key twice beside a shell's <<", namespace("a") + "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: b, annotations: " +
			"{x: 'cat << E'}}\nmetadata: {name: c}\n", a + "\ngap a.yaml:5: want YAML: yaml: unmarshal errors: line 8: key \"metadata\" already " +
			"set in map"},
		{"no name", namespace("a") + "---\napiVersion: v1\nkind: Secret\nmetadata: {}\n",
			a + "\ngap a.yaml:5: want a Secret of v1: metadata.name is missing\ngap secrets: 1 could not be read"},
		{"a Secret is read for its name alone", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: not base64}\n", "Secret default/s"},
		{"an OpenShift Template", "apiVersion: template.openshift.io/v1\nkind: Template\nmetadata: {name: t}\nobjects:\n- " + inJSON("a") + "\n",
			a + "\ngap a.yaml:1: a Template's parameters are not filled in: `oc process -f FILE | breakwater … --from -` reads the result"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, err := ReadFS(fstest.MapFS{"a.yaml": {Data: []byte(test.content)}})
			if err != nil {
				if want := strings.TrimPrefix(test.want, "gap "); err.Error() != "read manifests: "+want {
					t.Errorf("error %v, want %s", err, want)
				}
				return
			}
			balanced(t, f)
			if got := summary(f); got != test.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, test.want)
			}
		})
	}
}

func TestAKeyInAnotherCaseIsAnotherKey(t *testing.T) {
	const pod = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s"},"spec":{"HostPID":true,"containers":[{"name":"c","image":"i",` +
		`"securityContext":%s}]}}`
	f := read(t, fstest.MapFS{"a.json": {Data: fmt.Appendf(nil, pod+pod, "yes", `{"privileged":true,"Privileged":false}`,
		"no", `{"Privileged":true}`)}})
	for name, want := range map[string]bool{"yes": true, "no": false} {
		p := f.Pods[collect.Key{Namespace: "default", Name: name}]
		if p.Shape.Containers[0].Privileged != want || p.Shape.HostPID {
			t.Errorf("%s: privileged %v, want %v; host PID %v", name, p.Shape.Containers[0].Privileged, want, p.Shape.HostPID)
		}
	}
	want := "gap Pod spec.HostPID: unknown field, in a.json:1 and 1 more\n" +
		"gap Pod spec.containers[].securityContext.Privileged: unknown field, in a.json:1 and 1 more"
	if got := summary(f); !strings.HasSuffix(got, want) {
		t.Errorf("got:\n%s\nwant at the end:\n%s", got, want)
	}
}

func TestTheSameIdentityTwiceIsToldAndNeitherIsLost(t *testing.T) {
	safe := strings.Replace(deployment, "privileged: true", "privileged: false", 1)
	role := "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r, namespace: a, resourceVersion: '%d'}\n" +
		"rules: [{apiGroups: [''], resources: [%s], verbs: [get]}]\n"
	f := read(t, fstest.MapFS{
		"base/d.yaml": {Data: []byte(deployment)}, "overlays/prod/d.yaml": {Data: []byte(safe)},
		"r1.yaml": {Data: fmt.Appendf(nil, role, 12, "pods")}, "r2.yaml": {Data: fmt.Appendf(nil, role, 9, "secrets")},
		"s.yaml": {Data: []byte(namespace("a"))}, "t.yaml": {Data: []byte(namespace("a"))},
	})
	want := `Namespace a
Node any-node
Pod shop/web made by Deployment on any-node
Pod shop/web-2 made by Deployment on any-node
Deployment shop/web
Role a/r
gap Deployment shop/web: overlays/prod/d.yaml:1 and base/d.yaml:1 hold it, and differ
gap Role a/r: r1.yaml:1 and r2.yaml:1 hold it, and differ`
	if got := summary(f); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	privileged := 0
	for _, p := range f.Pods {
		if p.Shape.Containers[0].Privileged {
			privileged++
		}
	}
	if privileged != 1 {
		t.Errorf("%d of the two pods are privileged, want 1", privileged)
	}
	if r := f.Roles[collect.Key{Namespace: "a", Name: "r"}]; r.Rules[0].Resources[0] != "pods" {
		t.Errorf("the older role counts: %+v", r.Rules)
	}
	if got, want := account(f), "left 1: the same object once more"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestObjectsWithAGeneratedNameAreAllKept(t *testing.T) {
	job := "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: migrate-}\n" +
		"spec: {template: {spec: {containers: [{name: c, image: %s}]}}}\n"
	taken := "apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate-1}\nspec: {template: {spec: {containers: [{name: c, image: x}]}}}\n"
	f := read(t, fstest.MapFS{"a.yaml": {Data: []byte(fmt.Sprintf(job, "a") + "---\n" + fmt.Sprintf(job, "b") + "---\n" + taken)}})
	if got, want := slices.Sorted(func(yield func(string) bool) {
		for k := range f.Workloads {
			if !yield(k.Name) {
				return
			}
		}
	}), []string{"migrate-0", "migrate-1", "migrate-2"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(f.Pods) != 3 || f.Tally.Left[generated] != 0 {
		t.Errorf("%d pods, tally %+v", len(f.Pods), f.Tally)
	}
}

// TestWhatIsSaidAroundStepsHoldsForTheirPods: whose account a Workflow's pods have stands once
// for all of its templates.
func TestWhatIsSaidAroundStepsHoldsForTheirPods(t *testing.T) {
	const settings = "serviceAccountName: deployer, hostNetwork: true, volumes: [{name: h, hostPath: {path: /}}]"
	for _, test := range []struct{ name, kind, spec string }{
		{"a Workflow", "argoproj.io/v1alpha1, kind: Workflow", "{" + settings + ", templates: [{name: t, container: {image: i}}]}"},
		{"a CronWorkflow", "argoproj.io/v1alpha1, kind: CronWorkflow", "{workflowSpec: {" + settings + ", templates: [{script: {image: i}}]}}"},
		{"a template of its own", "argoproj.io/v1alpha1, kind: Workflow",
			"{serviceAccountName: other, templates: [{" + settings + ", container: {image: i}}]}"},
		{"a TaskRun's podTemplate", "tekton.dev/v1, kind: TaskRun", "{serviceAccountName: deployer, podTemplate: {hostNetwork: true, volumes: " +
			"[{name: h, hostPath: {path: /}}]}, taskSpec: {steps: [{image: i}]}}"},
		{"a PipelineRun's taskRunTemplate", "tekton.dev/v1, kind: PipelineRun", "{taskRunTemplate: {serviceAccountName: deployer, podTemplate: " +
			"{hostNetwork: true}}, pipelineSpec: {tasks: [{taskSpec: {volumes: [{name: h, hostPath: {path: /}}], steps: [{image: i}]}}]}}"},
	} {
		text := "{apiVersion: " + test.kind + ", metadata: {name: web, namespace: shop}, spec: " + test.spec + "}\n"
		p := read(t, fstest.MapFS{"a.yaml": {Data: []byte(text)}}).Pods[collect.Key{Namespace: "shop", Name: "web"}]
		if p == nil || p.Shape.ServiceAccount != "deployer" || !p.Shape.HostNetwork || len(p.Shape.Volumes) != 1 {
			t.Errorf("%s: %+v", test.name, p)
		}
	}
	of := "{apiVersion: example.org/v1, kind: Fleet, metadata: {name: web, namespace: shop}, spec: {serviceAccountName: operator, " +
		"pods: {containers: [{image: i}]}}}\n"
	p := read(t, fstest.MapFS{"a.yaml": {Data: []byte(of)}}).Pods[collect.Key{Namespace: "shop", Name: "web"}]
	if p.Shape.ServiceAccount == "operator" {
		t.Error("a whole pod takes what is said around it")
	}
}

// TestWordsThatNoAPIServerTakesAreRefused: what they would say is not known.
func TestWordsThatNoAPIServerTakesAreRefused(t *testing.T) {
	of := func(version, kind, rest string) string {
		return "{apiVersion: " + version + ", kind: " + kind + ", metadata: {name: web, namespace: shop}, " + rest + "}\n"
	}
	const role = "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: "
	for _, test := range []struct{ content, want string }{
		{of("v1", "Service", "spec: {type: loadbalancer}"), `spec.type: "loadbalancer": want ClusterIP, NodePort, LoadBalancer, ExternalName`},
		{of("v1", "Service", "spec: {ports: [{port: 80, protocol: tcp}]}"), `spec.ports[0].protocol: "tcp": want TCP, UDP, SCTP`},
		{of("v1", "Service", "spec: {externalTrafficPolicy: local}"), `spec.externalTrafficPolicy: "local": want Cluster, Local`},
		{of("networking.k8s.io/v1", "NetworkPolicy", "spec: {policyTypes: [ingress]}"), `spec.policyTypes[0]: "ingress": want Ingress, Egress`},
		{of("networking.k8s.io/v1", "NetworkPolicy", "spec: {ingress: [{ports: [{protocol: Tcp}]}]}"),
			`spec.ingress.protocol: "Tcp": want TCP, UDP, SCTP`},
		{of("networking.k8s.io/v1", "NetworkPolicy", "spec: {egress: [{ports: [{protocol: Tcp}]}]}"),
			`spec.egress.protocol: "Tcp": want TCP, UDP, SCTP`},
		{of("rbac.authorization.k8s.io/v1", "RoleBinding", role+"role, name: r}"), `roleRef.kind: "role": want Role, ClusterRole`},
		{of("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", role+"Role, name: r}"), `roleRef.kind: "Role": want ClusterRole`},
		{of("rbac.authorization.k8s.io/v1", "RoleBinding", role+"Role, name: r}, subjects: [{kind: user, name: u}]"),
			`subjects[0].kind: "user": want User, Group, ServiceAccount`},
		{strings.Replace(of("v1", "Service", "spec: {}"), "name: web", "name: a/b", 1), `metadata.name: "a/b": want a name without / and %`},
		{strings.Replace(of("v1", "Service", "spec: {}"), "namespace: shop", "namespace: a/b", 1),
			`metadata.namespace: "a/b": want a name without / and %`},
	} {
		f := read(t, fstest.MapFS{"a.yaml": {Data: []byte(namespace("a") + "---\n" + test.content)}})
		if got := summary(f); !strings.Contains(got, ": "+test.want+"\n") {
			t.Errorf("got:\n%s\nwant %s", got, test.want)
		}
	}
	templates := of("v1", "Service", "spec: {type: LoadBalancer}")
	if f := read(t, fstest.MapFS{"a.yaml": {Data: []byte(strings.Replace(templates, "web", "'${NAME}'", 1))}}); len(f.Services) != 1 {
		t.Error("a name with a parameter in it is refused")
	}
}

func TestBindingsOfOpenShiftsOwnGroup(t *testing.T) {
	of := func(kind, rest string) string {
		return "{apiVersion: authorization.openshift.io/v1, kind: " + kind + ", metadata: {name: b, namespace: shop}, " + rest + "}\n"
	}
	for _, test := range []struct{ content, want string }{
		{of("ClusterRoleBinding", "roleRef: {name: cluster-admin}, subjects: [{kind: User, name: u}], userNames: [u]"), "ClusterRole User u"},
		{of("RoleBinding", "roleRef: {name: admin}, subjects: [{kind: SystemGroup, name: system:authenticated}]"),
			"ClusterRole Group system:authenticated"},
		{of("RoleBinding", "roleRef: {name: own, namespace: shop}, subjects: [{kind: ServiceAccount, name: s, namespace: shop}]"),
			"Role ServiceAccount s"},
		{of("RoleBinding", "roleRef: {name: view}, groupNames: [g]"), "ClusterRole Group g"},
	} {
		f := read(t, fstest.MapFS{"a.yaml": {Data: []byte(test.content)}})
		got := ""
		for _, b := range f.RoleBindings {
			got = b.RoleRef.Kind + " " + b.Subjects[0].Kind + " " + b.Subjects[0].Name
		}
		for _, b := range f.ClusterRoleBindings {
			got = b.RoleRef.Kind + " " + b.Subjects[0].Kind + " " + b.Subjects[0].Name
		}
		if got != test.want {
			t.Errorf("%s: got %s", test.content, got)
		}
	}
}

func TestAPodTemplateIsKnownByItsShapeWhateverItsKind(t *testing.T) {
	const spec = "{metadata: {labels: {app: web}}, spec: {serviceAccountName: sa, " +
		"containers: [{name: c, image: i, securityContext: {privileged: true}}]}}"
	of := func(apiVersion, kind, spec string) string {
		return "apiVersion: " + apiVersion + "\nkind: " + kind + "\nmetadata: {name: web, namespace: shop, labels: {team: a}}\n" +
			"spec: " + spec + "\n"
	}
	made := func(kind string) string { return "Node any-node\nPod shop/web made by " + kind + " on any-node" }
	tests := []struct{ name, content, want string }{
		{"an Argo Rollout", of("argoproj.io/v1alpha1", "Rollout", "{template: "+spec+"}"), made("Rollout")},
		{"a Rollout scaled to zero", of("argoproj.io/v1alpha1", "Rollout", "{replicas: 0, template: "+spec+"}"), ""},
		{"an OpenShift DeploymentConfig", of("apps.openshift.io/v1", "DeploymentConfig", "{template: "+spec+"}"), made("DeploymentConfig")},
		{"a DeploymentConfig of old", of("v1", "DeploymentConfig", "{template: "+spec+"}"), made("DeploymentConfig")},
		{"an OpenKruise CloneSet", of("apps.kruise.io/v1alpha1", "CloneSet", "{template: "+spec+"}"), made("CloneSet")},
		{"a Knative Service, whose container has no name", of("serving.knative.dev/v1", "Service",
			"{template: {spec: {containers: [{image: i, securityContext: {privileged: true}}]}}}"), made("Service.serving.knative.dev")},
		{"a SparkApplication in words of its own", of("sparkoperator.k8s.io/v1beta2", "SparkApplication",
			"{image: spark, driver: {serviceAccount: sa, securityContext: {privileged: true}}, executor: {instances: 2}}"),
			made("SparkApplication") + "\nPod shop/web-2 made by SparkApplication on any-node"},
		{"a SparkApplication with a template", of("sparkoperator.k8s.io/v1beta2", "SparkApplication",
			"{image: spark, driver: {template: "+spec+"}}"),
			made("SparkApplication")},
		{"an Argo Workflow's container", of("argoproj.io/v1alpha1", "Workflow",
			"{templates: [{name: t, container: {image: i, securityContext: {privileged: true}}}]}"), made("Workflow")},
		{"a Tekton Task's steps", of("tekton.dev/v1", "Task", "{steps: [{image: i, securityContext: {privileged: true}}]}"), made("Task")},
		{"a kind nobody knows, deep in its spec", of("example.org/v1", "Fleet", "{groups: [{members: {podTemplate: "+spec+"}}]}"), made("Fleet")},
		{"a policy's pattern makes none", of("kyverno.io/v1", "ClusterPolicy",
			"{rules: [{validate: {pattern: {spec: {containers: [{image: i}]}}}}]}"), ""},
		{"past revisions make none",
			"apiVersion: apps/v1\nkind: ControllerRevision\nmetadata: {name: web}\ndata: {spec: {template: " + spec + "}}\n", ""},
		{"a chart that something else renders is told", of("helm.toolkit.fluxcd.io/v2", "HelmRelease", "{chart: {spec: {chart: redis}}}"),
			"gap HelmRelease.helm.toolkit.fluxcd.io shop/web: it brings objects from elsewhere, which are not read here"},
		{"so is what another cluster's registry of charts does", of("helm.crossplane.io/v1beta1", "Release", "{forProvider: {chart: {name: x}}}"),
			"gap Release.helm.crossplane.io shop/web: it brings objects from elsewhere, which are not read here"},
		{"whole objects within one are told", of("kubernetes.crossplane.io/v1alpha2", "Object", "{forProvider: {manifest: {apiVersion: "+
			"rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: all}}}}"), "gap Object.kubernetes.crossplane.io " +
			"shop/web: it holds ClusterRoleBinding all: of what it brings only pod templates are read"},
		{"and their pods are judged", of("hive.openshift.io/v1", "SyncSet", "{resources: [{apiVersion: v1, kind: Secret, metadata: {name: s}}, "+
			"{apiVersion: apps/v1, kind: Deployment, spec: {template: "+spec+"}}]}"), made("SyncSet") + "\ngap SyncSet.hive.openshift.io " +
			"shop/web: it holds Secret s and 1 more: of what it brings only pod templates are read"},
		{"a reference is no object", of("keda.sh/v1alpha1", "ScaledObject", "{scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, "+
			"name: web}}"), ""},
		{"a claim is none", of("apps.kruise.io/v1beta1", "StatefulSet", "{template: "+spec+", volumeClaimTemplates: [{apiVersion: v1, "+
			"kind: PersistentVolumeClaim, metadata: {name: data}, spec: {}}]}"), made("StatefulSet.apps.kruise.io")},
		{"a Workflow's manifest in text", of("argoproj.io/v1alpha1", "Workflow", "{templates: [{name: t, resource: {action: create, "+
			"manifest: 'kind: Pod'}}]}"), "gap Workflow.argoproj.io shop/web: it holds a manifest: of what it brings only pod templates are read"},
		{"replicas of a kind whose images its operator knows", of("kafka.strimzi.io/v1beta2", "Kafka", "{kafka: {replicas: 3}}"),
			"gap Kafka.kafka.strimzi.io shop/web: it asks for pods, and its kind is not interpreted"},
		{"instances of an image by another name", of("postgresql.cnpg.io/v1", "Cluster", "{instances: 1, imageName: postgres}"),
			"gap Cluster.postgresql.cnpg.io shop/web: it names images, and its kind is not interpreted"},
		{"an image in parts", of("operator.victoriametrics.com/v1beta1", "VMAgent", "{image: {repository: vmagent, tag: v1}}"),
			"gap VMAgent.operator.victoriametrics.com shop/web: it names images, and its kind is not interpreted"},
		{"a template whose containers get their image from an operator", of("elasticsearch.k8s.elastic.co/v1", "Elasticsearch",
			"{nodeSets: [{podTemplate: {spec: {initContainers: [{name: sysctl}]}}}]}"), "gap Elasticsearch.elasticsearch.k8s.elastic.co " +
			"shop/web: it asks for pods, and its kind is not interpreted"},
		{"replicas that are nodes", of("cluster.x-k8s.io/v1beta1", "MachineDeployment", "{replicas: 3}"), ""},
		{"a Rollout of a Deployment that is there for itself", of("argoproj.io/v1alpha1", "Rollout", "{replicas: 2, workloadRef: {kind: "+
			"Deployment, name: web}}"), ""},
		{"a stepTemplate counts for each step", of("tekton.dev/v1", "Task", "{stepTemplate: {securityContext: {privileged: true}}, steps: "+
			"[{image: i}]}"), made("Task")},
		{"an image without a template is told", of("example.org/v1", "Database", "{image: postgres}"),
			"gap Database.example.org shop/web: it names images, and its kind is not interpreted"},
		{"a template that is none is told", of("example.org/v1", "Fleet", "{containers: [{image: i, ports: many}]}"),
			"gap a.yaml:1: want a pod template in the Fleet: json: cannot unmarshal string into Go struct field " +
				"Container.spec.containers.ports of type []v1.ContainerPort"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := read(t, fstest.MapFS{"a.yaml": {Data: []byte(test.content)}})
			if got := summary(f); got != test.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, test.want)
			}
			if p := f.Pods[collect.Key{Namespace: "shop", Name: "web"}]; p != nil && !p.Shape.Containers[0].Privileged {
				t.Errorf("%+v", p.Shape)
			}
			if len(f.Unread) != 1 {
				t.Errorf("unread %v, want the one kind", f.Unread)
			}
		})
	}
}

func TestAMadePodIsTheTopmostOwnersAndNobodyHasItsPods(t *testing.T) {
	template := "{template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}}"
	object := func(apiVersion, kind, name, owner string) string {
		refs := ""
		if kind, name, owned := strings.Cut(owner, "/"); owned {
			refs = fmt.Sprintf(", ownerReferences: [{apiVersion: v1, kind: %s, name: %s, uid: u, controller: true}]", kind, name)
		}
		return fmt.Sprintf("---\napiVersion: %s\nkind: %s\nmetadata: {name: %s%s}\nspec: %s\n", apiVersion, kind, name, refs, template)
	}
	rollout := object("argoproj.io/v1alpha1", "Rollout", "web", "")
	set := object("apps/v1", "ReplicaSet", "web-5d9", "Rollout/web")
	pod := "---\napiVersion: v1\nkind: Pod\nmetadata: {name: web-5d9-x, ownerReferences: [{apiVersion: v1, kind: ReplicaSet, " +
		"name: web-5d9, uid: u, controller: true}]}\nspec: {nodeName: n1, containers: [{name: c, image: i}]}\n"
	tests := []struct{ name, content, want string }{
		{"of a Rollout, its set and its pod", rollout + set + pod, "web-5d9-x"},
		{"of a Rollout and its set", rollout + set, "web"},
		{"of a set whose owner was not read", set, "web-5d9"},
		{"of a Job whose CronJob was not read", object("batch/v1", "Job", "run-1", "CronJob/run"), "run-1"},
		{"of a Knative Service and what it makes", object("serving.knative.dev/v1", "Service", "web", "") +
			object("serving.knative.dev/v1", "Configuration", "web", "Service/web") +
			object("apps/v1", "Deployment", "web-1", "Configuration/web"), "web"},
		{"of owners in a ring", object("apps/v1", "Deployment", "a", "Deployment/b") + object("apps/v1", "Deployment", "b", "Deployment/a"), "a"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := read(t, fstest.MapFS{"a.yaml": {Data: []byte(test.content)}})
			var got []string
			for k := range f.Each("Pod") {
				got = append(got, k.Name)
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("pods %v, want %s", got, test.want)
			}
		})
	}
}

func TestAPodThatAnAPIServerStoredBesideItsNodesWaitsOnNone(t *testing.T) {
	const node = "---\napiVersion: v1\nkind: Node\nmetadata: {name: n1}\n"
	pod := func(name, uid string) string {
		return fmt.Sprintf("---\napiVersion: v1\nkind: Pod\nmetadata: {name: %s, uid: '%s'}\nspec: {containers: [{name: c, image: i}]}\n"+
			"status: {phase: Pending}\n", name, uid)
	}
	for _, test := range []struct{ content, want string }{
		{node + pod("waits", "u1") + pod("written", ""), "Node n1\nPod default/waits\nPod default/written made by  on n1"},
		{pod("waits", "u1"), "Node any-node\nPod default/waits made by  on any-node"},
	} {
		if got := summary(read(t, fstest.MapFS{"a.yaml": {Data: []byte(test.content)}})); got != test.want {
			t.Errorf("got:\n%s\nwant:\n%s", got, test.want)
		}
	}
}

func TestAPodThatNoNodeWasChosenForStandsOnOne(t *testing.T) {
	const pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec: {%s containers: [{name: c, image: i}]}\nstatus: {phase: %s}\n"
	f := read(t, fstest.MapFS{"a.yaml": {Data: []byte(fmt.Sprintf(pod, "placed", "nodeName: n1,", "Running") +
		fmt.Sprintf(pod, "waits", "", "Pending") + fmt.Sprintf(pod, "ended", "", "Failed") + fmt.Sprintf(pod, "new", "", "''"))}})
	want := "Node any-node\nPod default/ended\nPod default/new made by  on any-node\n" +
		"Pod default/placed\nPod default/waits made by  on any-node"
	if got := summary(f); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestObjectsOfFormerVersionsAreRead(t *testing.T) {
	f := read(t, fstest.MapFS{"a.yaml": {Data: []byte(strings.Replace(deployment, "apps/v1", "extensions/v1beta1", 1) + `---
apiVersion: networking.k8s.io/v1beta1
kind: Ingress
metadata: {name: old}
spec:
  backend: {serviceName: other, servicePort: http}
  rules: [{host: a.example.org, http: {paths: [{path: /, backend: {serviceName: web, servicePort: 80}}]}}]
---
apiVersion: rbac.authorization.k8s.io/v1alpha1
kind: ClusterRoleBinding
metadata: {name: all}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects:
- {apiVersion: rbac.authorization.k8s.io/v1alpha1, kind: User, name: "*"}
- {apiVersion: v1, kind: ServiceAccount, name: a, namespace: b}
---
apiVersion: admissionregistration.k8s.io/v1beta1
kind: ValidatingWebhookConfiguration
metadata: {name: guard}
webhooks: [{name: a.example.org, clientConfig: {}}]
`)}})
	want := "Node any-node\nPod shop/web made by Deployment on any-node\nDeployment shop/web\nClusterRoleBinding all\nIngress default/old\n" +
		"ValidatingWebhookConfiguration guard"
	if got := summary(f); got != want {
		t.Fatalf("got:\n%s\nwant:\n%s", got, want)
	}
	spec := f.Ingresses[collect.Key{Namespace: "default", Name: "old"}].Spec
	if b := spec.DefaultBackend.Service; b.Name != "other" || b.Port.Name != "http" {
		t.Errorf("default backend %+v", b)
	}
	if b := spec.Rules[0].HTTP.Paths[0].Backend.Service; b.Name != "web" || b.Port.Number != 80 {
		t.Errorf("backend %+v", b)
	}
	subjects := f.ClusterRoleBindings[collect.Key{Name: "all"}].Subjects
	if s := subjects[0]; s.Kind != "Group" || s.Name != "system:authenticated" || s.APIGroup != "rbac.authorization.k8s.io" {
		t.Errorf("everybody is %+v", s)
	}
	if s := subjects[1]; s.Kind != "ServiceAccount" || s.APIGroup != "" {
		t.Errorf("the account is %+v", s)
	}
	if w := f.ValidatingWebhooks[collect.Key{Name: "guard"}].Webhooks[0]; *w.FailurePolicy != "Ignore" {
		t.Errorf("a webhook of old that cannot be asked: %s, want Ignore", *w.FailurePolicy)
	}
}

func TestEndpointsWithoutSlicesAreSlices(t *testing.T) {
	const endpoints = "apiVersion: v1\nkind: Endpoints\nmetadata: {name: web, namespace: shop}\nsubsets:\n" +
		"- {addresses: [{ip: 10.0.0.1, targetRef: {kind: Pod, name: p, namespace: shop}}], " +
		"notReadyAddresses: [{ip: 10.0.0.2}], ports: [{port: 8080}]}\n"
	const slice = "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: web-x, namespace: shop, " +
		"labels: {kubernetes.io/service-name: web}}\naddressType: IPv4\n"
	f := read(t, fstest.MapFS{"a.yaml": {Data: []byte(endpoints)}})
	e := f.EndpointSlices[collect.Key{Namespace: "shop", Name: "web-0"}]
	if e == nil || fmt.Sprint(e.Service, e.Pods, e.Addresses, e.Ports) != "web[shop/p] [10.0.0.2] [{ 8080 TCP}]" {
		t.Fatal(summary(f), e.Service, e.Pods, e.Addresses, e.Ports)
	}
	if f := read(t, fstest.MapFS{"a.yaml": {Data: []byte(endpoints + slice)}}); len(f.EndpointSlices) != 1 {
		t.Errorf("beside its slice: %v", f.EndpointSlices)
	}
}

func TestEverythingInAFolderIsReadOrTold(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("A.YAML", namespace("a"))
	write("notes.txt", "nothing")
	write("chart/Chart.yaml", "apiVersion: v2\nname: c\n")
	write("chart/templates/a.yaml", "{{ .Values.x }}\n")
	write("site/kustomization.yaml", "resources: [d.yaml]\npatches: [{path: patch.yaml}]\nnamespace: other\n")
	write("site/d.yaml", deployment)
	write("site/patch.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {replicas: 0}\n")
	write("plain/kustomization.yml", "resources: [n.yaml]\n")
	write("plain/n.yaml", namespace("one"))
	write("far/kustomization.yaml", "resources: [two, ../plain, https://example.org/base, ../../base, gone.yaml]\n")
	write("far/two", namespace("two"))
	write("old.yaml.gz", "")
	write("page.yaml.j2", "")
	write("page.html.j2", "")
	write("old.yaml.bak", "")
	write("dep-1.0.tgz", "")
	write("backup.tar.gz", "")
	write("etcd-snapshot.db", "")
	const line = `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"%s"}}` + "\n"
	write("objects.ndjson", fmt.Sprintf(line+line, "three", "four"))
	write("packed.yaml", "\x1f\x8b\x08")
	write("zipped.json", "PK\x03\x04")
	write("tarred.yaml", strings.Repeat("x", 257)+"ustar")
	write("etcd.yaml", strings.Repeat("\x00", 16)+"\xed\xda\x0c\xed")
	write("site.jsonnet", "")
	write(".git/x.yaml", "a: [")
	write(".github/workflows/x.yaml", "a: [")
	write("..2026_11_29/x.yaml", "a: [")
	write(".drafts/notes.txt", "")
	write(".hidden/deep/x.yaml", "a: [")
	write("outside/b.yaml", namespace("b"))
	for link, to := range map[string]string{"link": "outside", "..data": "outside", "file.yaml": "outside/b.yaml", "gone.yaml": "nowhere"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.yaml"), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	balanced(t, f)
	got := strings.ReplaceAll(summary(f), dir, "DIR")
	want := `Namespace a
Namespace b
Namespace four
Namespace one
Namespace three
Namespace two
Node any-node
Pod shop/web made by Deployment on any-node
Deployment shop/web
gap DIR/.hidden: a hidden folder is not read: name it, if what it holds is applied
gap DIR/backup.tar.gz: an archive is not opened: unpack it, and if it is a chart, ` + "`helm template FILE | breakwater … --from -`" + `
gap DIR/chart: a Helm chart is read when it is rendered: ` + "`helm template DIR/chart | breakwater … --from -`" + `
gap DIR/dep-1.0.tgz: an archive is not opened: unpack it, and if it is a chart, ` +
		"`helm template FILE | breakwater … --from -`" + `
gap DIR/etcd-snapshot.db: a snapshot of etcd is not read: restore it, and ` + "`kubectl get`" + ` what it holds
gap DIR/etcd.yaml: a snapshot of etcd is not read: restore it, and ` + "`kubectl get`" + ` what it holds
gap DIR/far/kustomization.yaml: 3 of its resources are not in the folder, the first of them https://example.org/base: ` +
		"`kubectl kustomize DIR/far | breakwater … --from -` reads the result" + `
gap DIR/gone.yaml: stat gone.yaml: no such file or directory
gap DIR/link: a link to a folder is not followed: name the folder that it leads to
gap DIR/old.yaml.gz: a compressed file is not opened: unpack it
gap DIR/packed.yaml: a compressed file is not opened: unpack it
gap DIR/page.yaml.j2: a template is read when it is rendered: the result is read from --from -
gap DIR/pipe.yaml: want a regular file, not p---------
gap DIR/site.jsonnet: it makes manifests when it is evaluated: the result is read from --from -
gap DIR/site/kustomization.yaml: a kustomization's namespace, patches are not applied: ` +
		"`kubectl kustomize DIR/site | breakwater … --from -` reads the result" + `
gap DIR/tarred.yaml: an archive is not opened: unpack it
gap DIR/zipped.json: an archive is not opened: unpack it`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestManyFilesThatCannotBeReadAreCounted(t *testing.T) {
	files := fstest.MapFS{"a.yaml": {Data: []byte(namespace("a"))}}
	for i := range maxFileGaps + 20 {
		files[fmt.Sprintf("x%04d.yaml", i)] = &fstest.MapFile{Data: []byte("a: 1\n")}
	}
	f := read(t, files)
	g := f.Gaps[collect.GapKey{Source: "file", What: "more of the files"}]
	if len(f.Gaps) != maxFileGaps+1 || !strings.HasPrefix(g.Why, "20 more could not be read") {
		t.Errorf("%d gaps, the last %+v", len(f.Gaps), g)
	}
}

// TestWhoOwnsAnObjectIsItsWritersWord: what a file says of owners may leave out only
// what would be the same again.
func TestWhoOwnsAnObjectIsItsWritersWord(t *testing.T) {
	object := func(apiVersion, kind, name, owner, more, spec string) string {
		refs := ""
		if kind, name, owned := strings.Cut(owner, "/"); owned {
			refs = fmt.Sprintf(", ownerReferences: [{apiVersion: v1, kind: %s, name: %s, uid: u, controller: true}]", kind, name)
		}
		if kind != "Pod" {
			spec = fmt.Sprintf("{%stemplate: {spec: %s}}", more, spec)
		}
		text := fmt.Sprintf("---\napiVersion: %s\nkind: %s\nmetadata: {name: %s%s}\nspec: %s\n", apiVersion, kind, name, refs, spec)
		if kind == "Pod" {
			text += more
		}
		return text
	}
	const plain, evil = "{containers: [{name: c, image: i}]}", "{containers: [{name: c, image: i, securityContext: {privileged: true}}]}"
	const ended, idle = "status: {phase: Succeeded}\n", "replicas: 0, "
	// What admission adds to a pod: a token, a sidecar, a secret to pull with.
	const admitted = "{nodeName: n1, imagePullSecrets: [{name: s}], volumes: [{name: t, projected: {}}], containers: [{name: c, image: i, " +
		"volumeMounts: [{name: t, mountPath: /t}]}, {name: proxy, image: p}]}"
	deployment := func(name, owner, more, spec string) string {
		return object("apps/v1", "Deployment", name, owner, more, spec)
	}
	tests := []struct{ name, content, pods, doubt string }{
		{"a privileged Deployment that names a plain one", deployment("a", "", "", plain) + deployment("b", "Deployment/a", "", evil), "a b",
			"1 name an owner whose template is another than theirs, the first of them: Deployment default/b names Deployment default/a"},
		{"one that names its like, which asks for no pods", deployment("a", "", idle, evil) + deployment("b", "Deployment/a", "", evil), "b",
			"Deployment default/b names Deployment default/a"},
		{"two that name each other", deployment("a", "Deployment/b", "", evil) + deployment("b", "Deployment/a", "", evil), "a", ""},
		{"two that name each other and a third that names one", deployment("0", "Deployment/b", "", evil) +
			deployment("a", "Deployment/b", "", evil) + deployment("b", "Deployment/a", "", evil), "a", ""},
		{"one that names itself", deployment("a", "Deployment/a", "", evil), "a", ""},
		{"a plain pod that names a privileged Deployment", deployment("a", "", "", evil) +
			object("v1", "Pod", "p", "Deployment/a", "", plain), "a p",
			"Pod default/p names Deployment default/a"},
		{"a pod that ended and names it", deployment("a", "", "", evil) + object("v1", "Pod", "p", "Deployment/a", ended, evil), "a p", ""},
		{"a pod that ended of a Job", object("batch/v1", "Job", "a", "", "", evil) + object("v1", "Pod", "p", "Job/a", ended, evil), "p", ""},
		{"a pod as admission left it", deployment("a", "", "", plain) + object("v1", "Pod", "p", "Deployment/a", "", admitted), "p", ""},
		{"a pod whose mount is another", deployment("a", "", "", admitted) + object("v1", "Pod", "p", "Deployment/a", "",
			strings.Replace(admitted, "/t}", "/u}", 1)), "a p", "Pod default/p names Deployment default/a"},
		{"a pod whose volume is another", deployment("a", "", "", admitted) + object("v1", "Pod", "p", "Deployment/a", "",
			strings.Replace(admitted, "projected", "emptyDir", 1)), "a p", "Pod default/p names Deployment default/a"},
		{"a pod that shares less of the node", deployment("a", "", "", "{hostPID: true, containers: [{name: c, image: i}]}") +
			object("v1", "Pod", "p", "Deployment/a", "", plain), "a p", "Pod default/p names Deployment default/a"},
		{"a pod whose set's template is another", deployment("a", "", "", evil) +
			object("apps/v1", "ReplicaSet", "s", "Deployment/a", "", plain) + object("v1", "Pod", "p", "ReplicaSet/s", "", plain),
			"a p", "Pod default/p names Deployment default/a"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := read(t, fstest.MapFS{"a.yaml": {Data: []byte(test.content)}})
			var pods []string
			for k := range f.Each("Pod") {
				pods = append(pods, k.Name)
			}
			if slices.Sort(pods); strings.Join(pods, " ") != test.pods {
				t.Errorf("pods %v, want %s", pods, test.pods)
			}
			g, ok := f.Gaps[collect.GapKey{Source: "file", What: "owners"}]
			if ok != (test.doubt != "") || !strings.Contains(g.Why, test.doubt) {
				t.Errorf("said %q, want %q", g.Why, test.doubt)
			}
		})
	}
}

func TestAKubeletsConfigurationIsReadWhereItLies(t *testing.T) {
	const config = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
	inMap := func(data string) string {
		return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kubelet-config, namespace: kube-system}\ndata: {kubelet: " + data + "}\n"
	}
	for _, c := range []struct{ name, manifest, want, gap string }{
		{"a file", config + "authentication: {anonymous: {enabled: true}}", "a KubeletConfiguration in k.yaml:1 anonymous", ""},
		{"in kubeadm's ConfigMap",
			inMap("'{apiVersion: kubelet.config.k8s.io/v1, kind: KubeletConfiguration, authorization: {mode: AlwaysAllow}}'"),
			"ConfigMap kube-system/kubelet-config allows all", ""},
		{"a key in another case is another key", config + "Authentication: {anonymous: {enabled: true}}",
			"a KubeletConfiguration in k.yaml:1", ""},
		{"a key that stands twice", `{"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "port": 1, "port": 2}`, "",
			`k.yaml:1: want a KubeletConfiguration of kubelet.config.k8s.io: duplicate field "port"`},
		{"something else in the ConfigMap", inMap("'{apiVersion: v1, kind: Pod}'"), "",
			`k.yaml:1: data.kubelet: want a KubeletConfiguration of kubelet.config.k8s.io: it is a "Pod" of "v1"`},
		{"no YAML in the ConfigMap", inMap("'{'"), "", "k.yaml:1: data.kubelet: want YAML: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			const pod = "\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: i}]}\n"
			f, err := ReadFS(fstest.MapFS{"k.yaml": {Data: []byte(c.manifest + pod)}})
			if err != nil {
				t.Fatal(err)
			}
			balanced(t, f)
			got := ""
			for _, k := range f.Kubelets {
				got += k.From
				if k.Anonymous {
					got += " anonymous"
				}
				if k.AllowsAll {
					got += " allows all"
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			gap := ""
			for _, g := range f.Gaps {
				gap += g.What + ": " + g.Why
			}
			if !strings.HasPrefix(gap, c.gap) || c.gap == "" && gap != "" {
				t.Errorf("got the gap %q, want %q", gap, c.gap)
			}
		})
	}
}

func TestACommandLineKeepsWhetherItAsksWhoCallsAndNoCredential(t *testing.T) {
	for line, want := range map[string]string{
		"etcd --client-cert-auth=true":                       "etcd --client-cert-auth=true",
		"kubelet --anonymous-auth=False":                     "kubelet --anonymous-auth=False",
		"kube-apiserver --authorization-mode=Node,RBAC":      "kube-apiserver --authorization-mode=Node,RBAC",
		"argo server --auth-mode=server":                     "argo server --auth-mode=server",
		"code-server --auth=none":                            "code-server --auth=none",
		"jupyter lab --ServerApp.token=''":                   "jupyter lab --ServerApp.token=''",
		"jupyter lab --ServerApp.token=hunter2":              "jupyter lab --ServerApp.token=[redacted]",
		"proxy --basic-auth=ann:hunter2":                     "proxy --basic-auth=[redacted]",
		"redis-server --requirepass hunter2":                 "redis-server --requirepass [redacted]",
		"app --db=postgres://ann:hunter2@db/app --password=": "app --db=postgres://ann:[redacted]@db/app --password=",
	} {
		_, args := commandLine(&corev1.Container{Args: strings.Fields(line)})
		if got := strings.Join(args, " "); got != want {
			t.Errorf("%s: got %q, want %q", line, got, want)
		}
	}
}
