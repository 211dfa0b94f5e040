package kube

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/gzip"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/ref"
)

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      containers:
      - name: app
        image: shop/web:1
        securityContext: {privileged: true}
        env: [{name: PASSWORD, value: hunter2-planted}]
`

// summary is what a test wants to see of facts, sorted.
func summary(f *collect.Facts) string {
	var out []string
	for _, kind := range collect.Kinds {
		for k, o := range f.Each(kind) {
			s := kind + " " + k.String()
			if p, ok := o.(*collect.Pod); ok && p.Made {
				s += " made by " + p.Owner.Kind + " on " + p.Node
			}
			out = append(out, s)
		}
	}
	for _, g := range slices.SortedFunc(maps.Keys(f.Gaps), func(a, b collect.GapKey) int { return strings.Compare(a.What, b.What) }) {
		out = append(out, "gap "+g.What+": "+f.Gaps[g].Why)
	}
	return strings.Join(out, "\n")
}

func TestManifestsBecomeFactsAndThePodsTheyWouldMake(t *testing.T) {
	pod := "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: a}\nspec: {containers: [{name: c, image: i}]}\n"
	tests := []struct{ name, file, content, want string }{
		{"a workload makes one pod for all its replicas", "a.yaml", deployment,
			"Node any-node\nPod shop/web made by Deployment on any-node\nDeployment shop/web"},
		{"a node that is there is used", "a.yaml", deployment + "---\napiVersion: v1\nkind: Node\nmetadata: {name: n1}\n",
			"Node n1\nPod shop/web made by Deployment on n1\nDeployment shop/web"},
		{"a workload scaled to zero makes none", "a.yaml", strings.Replace(deployment, "replicas: 3", "replicas: 0", 1),
			"Deployment shop/web"},
		{"several documents, comments and empty ones", "a.yaml",
			"# hello\n---\n" + pod + "---\n\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n",
			"Namespace a\nNode any-node\nPod a/p made by  on any-node"},
		{"a List of kubectl get", "a.json",
			`{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Service","metadata":{"name":"s"}}]}`,
			"Service default/s"},
		{"a typed list whose items do not repeat their kind", "a.json",
			`{"apiVersion":"v1","kind":"ServiceList","items":[{"metadata":{"name":"s","namespace":"x"}}]}`, "Service x/s"},
		{"two JSON documents in one file", "a.json", `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"}}
			{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"b"}}`, "Namespace a\nNamespace b"},
		{"a broken document beside a good one is a gap with its line", "a.yaml", pod + "---\nkind: [\n",
			"Node any-node\nPod a/p made by  on any-node\ngap a.yaml:6: want YAML: yaml: line 6: "},
		{"a field of the wrong type is a gap that names it", "a.yaml",
			pod + "---\napiVersion: v1\nkind: Service\nmetadata: {name: q}\nspec: {ports: many}\n",
			"Node any-node\nPod a/p made by  on any-node\ngap a.yaml:6: want a Service of v1: json: cannot unmarshal string into Go struct " +
				"field ServiceSpec.spec.ports of type []v1.ServicePort\ngap services: 1 could not be read"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, err := ReadFS(fstest.MapFS{test.file: {Data: []byte(test.content)}})
			if err != nil {
				t.Fatal(err)
			}
			if got := summary(f); !strings.HasPrefix(got, test.want) || strings.Count(got, "\n") != strings.Count(test.want, "\n") {
				t.Errorf("got:\n%s\nwant:\n%s", got, test.want)
			}
		})
	}
}

func TestManifestsThatHoldNothingAreRefusedWithAReason(t *testing.T) {
	tests := []struct{ name, content, want string }{
		{"no objects", "", "there is none"},
		{"not YAML", "a: [", "want YAML"},
		{"no kind", "a: 1\n", "apiVersion and kind are missing"},
		{"too deep", strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200), "levels of nesting"},
		{"cut off", `{"apiVersion":"v1","kind":"Po`, "want JSON"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := ReadFS(fstest.MapFS{"a.yaml": {Data: []byte(test.content)}})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func TestACustomResourceIsCounted(t *testing.T) {
	f, err := ReadFS(fstest.MapFS{"a.yaml": {Data: []byte("apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: a}\n")}})
	if err != nil || f.Unread["certificates.cert-manager.io"] != 1 {
		t.Fatal(f, err)
	}
}

func TestADumpReadsBackAsItWas(t *testing.T) {
	f, err := ReadFS(fstest.MapFS{"a.yaml": {Data: []byte(deployment)}, "b.yaml": {Data: []byte("kind: [")},
		"c.yaml": {Data: []byte("apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: shop}\nspec: {type: LoadBalancer}\n")},
		"d.yaml": {Data: []byte(`apiVersion: v1
kind: Pod
metadata: {name: runs, namespace: shop}
spec: {initContainers: [{name: i, image: i}], containers: [{name: a, image: a}]}
status: {containerStatuses: [{name: a, containerID: "containerd://4f2a", imageID: "docker-pullable://example.com/a@sha256:00"}]}
`)}})
	if err != nil {
		t.Fatal(err)
	}
	f.Cloud = &collect.Cloud{Accesses: []collect.CloudAccess{{Provider: "aws", Identity: "arn:r", Admin: true}}}
	var b bytes.Buffer
	if err := Save(&b, f); err != nil {
		t.Fatal(err)
	}
	whole := bytes.Clone(b.Bytes())
	back, err := Load(&b)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := summary(back), summary(f); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if back.Cloud == nil || len(back.Cloud.Accesses) != 1 || !back.Cloud.Accesses[0].Admin {
		t.Errorf("what the cloud says: %+v", back.Cloud)
	}
	p := back.Pods[collect.Key{Namespace: "shop", Name: "web"}]
	if !p.Shape.Containers[0].Privileged || p.Labels.Map["app"] != "web" ||
		p.Shape != back.Workloads[collect.WorkloadKey{Kind: "Deployment", Key: p.Key}].Shape {
		t.Errorf("pod %+v", p)
	}
	if ids := back.Pods[collect.Key{Namespace: "shop", Name: "runs"}].ContainerIDs; !slices.Equal(ids, []string{"", "4f2a"}) {
		t.Errorf("container ids %q", ids)
	}
	for _, cut := range []int{1, len(whole) / 2, len(whole) - 9} {
		if _, err := Load(bytes.NewReader(whole[:cut])); err == nil {
			t.Errorf("a dump cut after %d of %d bytes was taken for whole", cut, len(whole))
		}
	}
	if text := fmt.Sprintf("%+v", *p.Shape); strings.Contains(text, "hunter2") {
		t.Error("the value of an environment variable was kept")
	}
}

func FuzzReadManifests(f *testing.F) {
	f.Add([]byte(deployment))
	f.Add([]byte(`{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},` +
		`"spec":{"containers":[{"name":"a"}]}}]}`))
	f.Add([]byte("--- \n---\n--- a"))
	f.Add([]byte("apiVersion: v1\nkind: List\nitems: [null, " +
		"{apiVersion: a/v1, kind: B, metadata: {generateName: b-}, spec: {containers: [{image: i}]}}]\n"))
	f.Add([]byte("\xff\xfea\x00:\x00 \x001\x00"))
	f.Add([]byte("%YAML 1.2\n--- {apiVersion: v1, kind: Endpoints, metadata: {name: e}, subsets: [{ports: [{port: 1}]}]}\n...\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		facts, err := ReadFS(fstest.MapFS{"a.yaml": {Data: b}})
		if err != nil {
			return
		}
		balanced(t, facts)
		var dump bytes.Buffer
		if err := Save(&dump, facts); err != nil {
			t.Fatal(err)
		}
		back, err := Load(&dump)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := summary(back), summary(facts); got != want {
			t.Errorf("dump changed\n%s\nto\n%s", want, got)
		}
	})
}

func FuzzLoadDump(f *testing.F) {
	facts, err := ReadFS(fstest.MapFS{"a.yaml": {Data: []byte(deployment)}})
	if err != nil {
		f.Fatal(err)
	}
	var b bytes.Buffer
	if err := Save(&b, facts); err != nil {
		f.Fatal(err)
	}
	z, err := gzip.NewReader(&b)
	if err != nil {
		f.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	f.Fuzz(func(t *testing.T, b []byte) {
		if facts, err := loadLines(bytes.NewReader(b)); err == nil && facts == nil {
			t.Error("neither facts nor an error")
		}
	})
}

// TestNothingOfAnyKindKeepsWhatWasLastApplied: that annotation repeats a whole
// object, values of environment variables and all.
func TestNothingOfAnyKindKeepsWhatWasLastApplied(t *testing.T) {
	for _, k := range kinds() {
		o := k.make()
		o.SetName("o")
		o.SetAnnotations(map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "planted", "example.org/note": "planted",
			"breakwater.dev/critical": "true", "service.beta.kubernetes.io/aws-load-balancer-internal": strings.Repeat("planted", 40_000)})
		o.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: "planted"}})
		stripped, kept := k.strip(&stripper{NewInterner()}, o)
		text, err := json.Marshal(stripped)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "planted") {
			t.Errorf("%s (kept: %v): %s", k.name, kept, text)
		}
	}
}

func TestARoutesFiltersAreDroppedButForThoseThatMirror(t *testing.T) {
	const text = `apiVersion: gateway.networking.k8s.io/v1
kind: %s
metadata: {name: r}
spec:
  rules:
  - filters: &filters
    - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: Authorization, value: planted}]}}
    - {type: RequestMirror, requestMirror: {backendRef: {name: copy, port: 80}}}
    backendRefs: [{name: web, port: 80, filters: *filters}]
`
	for _, kind := range []string{"HTTPRoute", "GRPCRoute"} {
		f, err := ReadFS(fstest.MapFS{"a.yaml": {Data: fmt.Appendf(nil, text, kind)}})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range f.Each(kind) {
			kept, _ := json.Marshal(o)
			if strings.Contains(string(kept), "planted") || strings.Count(string(kept), `"copy"`) != 2 {
				t.Errorf("%s keeps %s", kind, kept)
			}
		}
		if f.Len(kind) != 1 {
			t.Errorf("%d of kind %s: %v", f.Len(kind), kind, f.Gaps)
		}
	}
}

func TestAnEndpointThatNamesNoPodKeepsItsAddress(t *testing.T) {
	f, err := ReadFS(fstest.MapFS{"a.yaml": {Data: []byte(`apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints:
- {addresses: [10.1.0.1], targetRef: {kind: Pod, name: web, namespace: shop}}
- {addresses: [10.1.0.2, 10.1.0.3]}
- {addresses: [10.1.0.4], targetRef: {kind: Node, name: n1}}
`)}})
	if err != nil {
		t.Fatal(err)
	}
	e := f.EndpointSlices[collect.Key{Namespace: "shop", Name: "web-1"}]
	if got, want := fmt.Sprint(e.Service, e.Pods, e.Addresses), "web[shop/web] [10.1.0.2 10.1.0.3 10.1.0.4]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEveryKindThatIsReadHasRefs(t *testing.T) {
	for _, k := range kinds() {
		if namespaced, known := ref.Namespaced(k.name); !known || namespaced == k.cluster {
			t.Errorf("%s: ref knows it: %v, in a namespace: %v, want %v", k.name, known, namespaced, !k.cluster)
		}
	}
}

func TestAClaimOfAStatefulSetTakesThePlaceOfAVolumeOfItsName(t *testing.T) {
	f := factsIn(t, `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: ns}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec: {volumes: [{name: v, emptyDir: {}}, {name: w, emptyDir: {}}], containers: [{name: a, image: i}]}
  volumeClaimTemplates: [{metadata: {name: v}, spec: {storageClassName: s}}]
`)
	var got []string
	for _, p := range f.Pods {
		for _, v := range p.Shape.Volumes {
			got = append(got, v.Name+" "+v.Type+" "+v.Claim)
		}
	}
	if want := []string{"w emptyDir ", "v persistentVolumeClaim v-db-0"}; !slices.Equal(got, want) {
		t.Errorf("its pod has %q, want %q", got, want)
	}
}
