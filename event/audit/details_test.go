package audit

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// wrote is an event of a request that wrote an object.
func wrote(verb, resource, request, response string) string {
	text := `,"level":"RequestResponse","user":{"username":"mallory"},"responseStatus":{"code":200},"objectRef":{"resource":"` + resource +
		`","namespace":"shop","name":"x"}`
	if request != "" {
		text += `,"requestObject":` + request
	}
	if response != "" {
		text += `,"responseObject":` + response
	}
	return request_(verb, resource, text)
}

func request_(verb, resource, more string) string {
	return fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","stage":"ResponseComplete","verb":%q,"requestURI":"/x/%s"%s}`,
		verb, resource, more)
}

// TestADetailIsToldWhereARequestChangesIt has a service that takes addresses, as requests state it in every form.
func TestADetailIsToldWhereARequestChangesIt(t *testing.T) {
	object := func(version string, ips ...string) string {
		list, _ := json.Marshal(ips)
		return `{"kind":"Service","metadata":{"name":"x","uid":"u","resourceVersion":"` + version + `"},"spec":{"externalIPs":` + string(list) + `}}`
	}
	one, two := object("5", "10.0.0.1"), object("9", "10.0.0.1", "10.0.0.2")
	tests := []struct {
		name                   string
		before                 string // the object, as another request stored it
		verb, request, respond string
		want                   string
	}{
		{"made", "", "create", two, two, "10.0.0.1 10.0.0.2"},
		{"stated whole, and its past unknown", "", "update", two, two, "10.0.0.1 10.0.0.2"},
		{"stated whole", one, "update", two, two, "10.0.0.2"},
		{"stated as it was", two, "update", object("12", "10.0.0.1", "10.0.0.2"), object("12", "10.0.0.1", "10.0.0.2"), ""},
		{"a label of it", "", "patch", `{"metadata":{"labels":{"a":"b"}}}`, two, ""},
		{"merged", "", "patch", `{"spec":{"externalIPs":["10.0.0.1","10.0.0.2"]}}`, two, "10.0.0.1 10.0.0.2"},
		{"merged, and its past known", one, "patch", `{"spec":{"externalIPs":["10.0.0.1","10.0.0.2"]}}`, two, "10.0.0.2"},
		{"added to the list", one, "patch", `[{"op":"add","path":"/spec/externalIPs/-","value":"10.0.0.2"}]`, two, "10.0.0.2"},
		{"the list replaced", "", "patch", `[{"op":"replace","path":"/spec/externalIPs","value":["10.0.0.1","10.0.0.2"]}]`, two,
			"10.0.0.1 10.0.0.2"},
		{"what is around it replaced", "", "patch", `[{"op":"replace","path":"/spec","value":{"externalIPs":["10.0.0.1","10.0.0.2"]}}]`, two,
			"10.0.0.1 10.0.0.2"},
		{"the whole replaced", "", "patch", `[{"op":"replace","path":"","value":{}}]`, two, "10.0.0.1 10.0.0.2"},
		{"in escaped letters", "", "patch", `{"spec":{"external\u0049Ps":["10.0.0.1","10.0.0.2"]}}`, two, "10.0.0.1 10.0.0.2"},
		{"a key in another case", "", "create", `{"spec":{"ExternalIPs":["10.0.0.9"]}}`, "", ""},
		{"the key twice", "", "create", `{"spec":{"externalIPs":["10.0.0.9"],"externalIPs":[]}}`, "", "10.0.0.9"},
		{"no list", "", "create", `{"spec":{"externalIPs":"10.0.0.9"}}`, "", ""},
		{"a patch whose answer was not kept", "", "patch", `[{"op":"add","path":"/spec/externalIPs","value":["10.0.0.9"]}]`, "", "10.0.0.9"},
	}
	for _, test := range tests {
		d := Decoder{Cluster: "prod"}
		if test.before != "" {
			decodeOne(t, &d, wrote("update", "services", test.before, test.before))
		}
		e := decodeOne(t, &d, wrote(test.verb, "services", test.request, test.respond))
		if got := strings.Join(e["service.externalIP"], " "); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func decodeOne(t *testing.T, d *Decoder, text string) map[string][]string {
	t.Helper()
	b, err := d.Decode([]byte(text))
	if err != nil || len(b.Events) != 1 {
		t.Fatalf("%v %v: %s", err, b, text)
	}
	return b.Events[0].Fields
}

// TestALevelThatIsTakenAwayIsTold has the label of Pod Security go in every form.
func TestALevelThatIsTakenAwayIsTold(t *testing.T) {
	const enforce = "pod-security.kubernetes.io/enforce"
	bare := `{"kind":"Namespace","metadata":{"name":"x","uid":"u","resourceVersion":"9","labels":{"a":"b"}}}`
	strict := `{"kind":"Namespace","metadata":{"name":"x","uid":"u","resourceVersion":"5","labels":{"a":"b","` + enforce + `":"restricted"}}}`
	for _, test := range []struct{ name, before, verb, request, want string }{
		{"by null", "", "patch", `{"metadata":{"labels":{"` + enforce + `":null}}}`, "none"},
		{"all labels by null", "", "patch", `{"metadata":{"labels":null}}`, "none"},
		{"by its path", "", "patch", `[{"op":"remove","path":"/metadata/labels/pod-security.kubernetes.io~1enforce"}]`, "none"},
		{"all labels by their path", "", "patch", `[{"op":"remove","path":"/metadata/labels"}]`, "none"},
		{"moved away", "", "patch", `[{"op":"move","from":"/metadata/labels/pod-security.kubernetes.io~1enforce","path":"/metadata/labels/c"}]`, "none"},
		{"another label by its path", "", "patch", `[{"op":"remove","path":"/metadata/labels/c"}]`, ""},
		{"stated whole", strict, "update", bare, "none"},
		{"stated whole, and its past unknown", "", "update", bare, ""},
		{"another label", "", "patch", `{"metadata":{"labels":{"a":"b"}}}`, ""},
	} {
		d := Decoder{Cluster: "prod"}
		if test.before != "" {
			decodeOne(t, &d, wrote("update", "namespaces", test.before, test.before))
		}
		e := decodeOne(t, &d, wrote(test.verb, "namespaces", test.request, bare))
		if got := strings.Join(e["namespace.podSecurity"], " "); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestAContainersDetailsAreItsOwn(t *testing.T) {
	pod := func(version, a, b string) string {
		return `{"kind":"Deployment","metadata":{"name":"x","uid":"u","resourceVersion":"` + version + `"},"spec":{"template":{"spec":{"containers":[` +
			`{"name":"a","image":"i","ports":[` + a + `]},{"name":"b","image":"i","ports":[` + b + `]}]}}}}`
	}
	d := Decoder{Cluster: "prod"}
	decodeOne(t, &d, wrote("update", "deployments", pod("5", `{"hostPort":80}`, ""), pod("5", `{"hostPort":80}`, "")))
	e := decodeOne(t, &d, wrote("update", "deployments", pod("6", `{"hostPort":80}`, `{"hostPort":80}`), pod("6", `{"hostPort":80}`, `{"hostPort":80}`)))
	if got := e["container.hostPort"]; !slices.Equal(got, []string{"80"}) {
		t.Errorf("a port that another container had: %v", got)
	}
	e = decodeOne(t, &d, wrote("update", "deployments", pod("7", `{"hostPort":80}`, `{"hostPort":80}`), pod("7", `{"hostPort":80}`, `{"hostPort":80}`)))
	if got := e["container.hostPort"]; got != nil {
		t.Errorf("stated as it was: %v", got)
	}
}

func TestALookalikeIsALetterAway(t *testing.T) {
	for image, want := range map[string]string{
		"nginx": "", "nginx:1.27": "", "ngnix:1": "nginx", "docker.io/library/ngnix": "nginx", "docker.io/nginxx@sha256:0": "nginx",
		"dokcer.io/library/nginx": "docker.io", "gcr.oi/x/y": "gcr.io", "registry.example/ngnix": "", "bitnam/redis": "bitnami", "node": "",
		"library/alpnie": "alpine", "debian": "", "ubunto:22.04": "ubuntu", "quay.io/ngnix/x": "", "": "", "localhost/ngnix": "",
	} {
		got := strings.Join(lookalike(image), "")
		if want == "" && got != "" || want != "" && !strings.HasSuffix(got, "("+want+")") {
			t.Errorf("%s: %q, want %q", image, got, want)
		}
	}
}

func TestWhatIsToldOfOneObjectIsBounded(t *testing.T) {
	ips := strings.TrimSuffix(strings.Repeat(`"10.0.0.1",`, 3*maxFactsOf), ",")
	r := readDetails(`{"spec":{"externalIPs":[`+ips+`]}}`, objectSteps["services"].root)
	if n := len(r.facts); n < maxFactsOf || n > maxFactsOf+1 {
		t.Errorf("%d facts", n)
	}
}
