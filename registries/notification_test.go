package registries

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// notifications are bodies as each registry's documents show them, shortened where it says nothing, and what they tell.
var notifications = []struct{ name, body, want string }{
	{"distribution: a layer, a build of an index, and the index with its tag", `{"events":[
		{"id":"1","action":"push","target":{"mediaType":"application/octet-stream","digest":"sha256:aa","repository":"shop/web"}},
		{"id":"2","action":"push","target":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:bb",
		"repository":"shop/web"}},
		{"id":"3","action":"push","target":{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"sha256:cc",
		"repository":"shop/web","tag":"1.2"},
		 "request":{"host":"registry.internal:5000","method":"PUT"},"actor":{"name":"ci"}}]}`, "distribution shop/web:1.2"},
	{"distribution: a pull is none", `{"events":[{"action":"pull","target":{"repository":"shop/web","tag":"1.2"}}]}`, "distribution"},
	{"distribution: a tag is deleted", `{"events":[{"action":"delete","target":{"repository":"shop/web",
		"tag":"1.2"}}]}`, "distribution shop/web:1.2"},
	{"Harbor", `{"type":"PUSH_ARTIFACT","occur_at":1680501893,"operator":"admin","event_data":{"resources":[{"digest":"sha256:aa","tag":"v2",
		"resource_url":"harbor.example/library/debian:v2"}],"repository":{"name":"debian","namespace":"library",
		"repo_full_name":"library/debian"}}}`,
		"Harbor library/debian:v2"},
	{"Harbor: what has no tag names its digest there", `{"type":"PUSH_ARTIFACT","event_data":{"resources":[{"tag":"sha256:aa"}],
		"repository":{"repo_full_name":"library/debian"}}}`, "Harbor"},
	{"Harbor: a scan is none", `{"type":"SCANNING_COMPLETED","event_data":{"resources":[{"tag":"v2"}],
		"repository":{"repo_full_name":"a/b"}}}`, "Harbor"},
	{"Harbor as CloudEvents", `{"specversion":"1.0","type":"harbor.artifact.pushed","source":"/projects/1",
		"data":{"resources":[{"tag":"v2"}],
		"repository":{"repo_full_name":"library/debian"}}}`, "CloudEvents library/debian:v2"},
	{"Azure", `{"id":"c","timestamp":"2017-11-17T16:52:01Z","action":"push",
		"target":{"mediaType":"application/vnd.docker.distribution.manifest.v2+json",
		"size":524,"digest":"sha256:aa","repository":"hello-world","tag":"v1"},"request":{"host":"myregistry.azurecr.io","method":"PUT"}}`,
		"Azure hello-world:v1"},
	{"Azure: a chart is asked for as any tag", `{"action":"chart_push","target":{"repository":"repo","tag":"1"}}`, "Azure"},
	{"Azure by Event Grid, two at once", `[{"specversion":"1.0","type":"Microsoft.ContainerRegistry.ImagePushed","data":{"action":"push",
		"target":{"repository":"hello","tag":"v1"}}},{"specversion":"1.0","type":"Microsoft.ContainerRegistry.ImageDeleted",
		"data":{"action":"delete","target":{"repository":"hello","digest":"sha256:aa"}}}]`, "CloudEvents hello:v1"},
	{"Amazon", `{"version":"0","detail-type":"ECR Image Action","source":"aws.ecr","detail":{"action-type":"PUSH","result":"SUCCESS",
		"repository-name":"my-repo","image-digest":"sha256:aa","image-tag":"latest"}}`, "EventBridge my-repo:latest"},
	{"Amazon: a push that failed", `{"detail-type":"ECR Image Action","detail":{"action-type":"PUSH","result":"FAILURE",
		"repository-name":"r","image-tag":"l"}}`,
		"EventBridge"},
	{"GitHub", `{"action":"published","registry_package":{"name":"shop/web","namespace":"Acme","package_type":"CONTAINER",
		"package_version":{"container_metadata":{"tag":{"name":"main","digest":"sha256:aa"}}}}}`, "GitHub acme/shop/web:main"},
	{"GitHub: a package of npm", `{"action":"published","registry_package":{"name":"x","namespace":"acme","package_type":"npm"}}`, "GitHub"},
	{"Docker Hub", `{"callback_url":"https://registry.hub.docker.com/u/x","push_data":{"pushed_at":1417566161,"pusher":"trusted",
		"tag":"latest"},
		"repository":{"name":"web","namespace":"shop","repo_name":"shop/web","repo_url":"https://registry.hub.docker.com/u/shop/web/"}}`,
		"Docker Hub shop/web:latest"},
	{"Quay", `{"name":"repository","repository":"mynamespace/repository","namespace":"mynamespace",
		"docker_url":"quay.io/mynamespace/repository","homepage":"https://quay.io/repository/x","updated_tags":["latest","1"]}`,
		"Quay mynamespace/repository:latest mynamespace/repository:1"},
	{"Artifactory", `{"domain":"docker","event_type":"pushed","data":{"repo_key":"docker-local","path":"web/1/manifest.json",
		"image_name":"web","tag":"1"}}`, "Artifactory web:1 docker-local/web:1"},
	{"Google", `{"message":{"data":"eyJhY3Rpb24iOiJJTlNFUlQiLCJkaWdlc3QiOiJnY3IuaW8vcC93ZWJAc2hhMjU2OmFhIiwidGFnIjoiZ2NyLmlvL3Avd2ViOjEifQ==",
		"messageId":"1"},"subscription":"projects/p/subscriptions/s"}`, "Pub/Sub gcr.io/p/web:1"},
	{"generic, with a digest too", `{"image":"registry.example/shop/web:1@sha256:` + strings.Repeat("a", 64) + `"}`,
		"generic registry.example/shop/web:1"},
	{"generic, of a digest alone", `{"image":"registry.example/shop/web@sha256:` + strings.Repeat("a", 64) + `"}`,
		"generic registry.example/shop/web"},
	{"names that are none", `{"events":[{"action":"push","target":{"repository":"../../etc","tag":"1"}},
		{"action":"push","target":{"repository":"shop","tag":"1/../2"}}]}`, "distribution odd 2"},
	{"members of other types", `{"events":[7,{"action":{"a":1},"target":[]},{"action":"push","target":{"repository":["a"],
		"tag":"1"}}]}`, "distribution"},
	{"a list in place of a tag", `{"docker_url":"quay.io/a/b","repository":"a/b","updated_tags":{"latest":"x"}}`, "Quay"},
}

func (n Notification) String() string {
	out := []string{n.Form}
	for _, p := range n.Pushes {
		text := p.Repository
		if p.Host != "" {
			text = p.Host + "/" + text
		}
		if p.Tag != "" {
			text += ":" + p.Tag
		}
		out = append(out, text)
	}
	if n.Odd > 0 {
		out = append(out, fmt.Sprint("odd ", n.Odd))
	}
	return strings.Join(out, " ")
}

func TestTheNotificationsOfEveryRegistryNameRepositoryAndTag(t *testing.T) {
	for _, test := range notifications {
		n, err := ReadNotification([]byte(test.body))
		if err != nil || n.String() != test.want {
			t.Errorf("%s: %q, %v; want %q", test.name, n, err, test.want)
		}
	}
}

func TestWhatIsNoNotificationIsSaidToBeNone(t *testing.T) {
	many := `{"events":[` + strings.TrimSuffix(strings.Repeat(`{"action":"push","target":{"repository":"a",
		"tag":"%d"}},`, maxPushes+3), ",") + `]}`
	numbers := make([]any, maxPushes+3)
	for i := range numbers {
		numbers[i] = i
	}
	n, err := ReadNotification(fmt.Appendf(nil, many, numbers...))
	if err != nil || len(n.Pushes) != maxPushes || n.Odd != 3 {
		t.Errorf("%d, %d odd, %v", len(n.Pushes), n.Odd, err)
	}
	for _, test := range []struct{ body, want string }{
		{`{"hello":"world"}`, "its form is none of distribution, Azure"},
		{`{"images":"r.example/a:1"}`, `{"image": "HOST/REPOSITORY:TAG"}`},
		{`null`, "want an object"}, {`"text"`, "want an object"}, {`[[]]`, "want an object"}, {``, "want an object"}, {`[{}`, "want a list"},
		{`[` + strings.TrimSuffix(strings.Repeat(`{"image":"a"},`, maxBatch+1), ",") + `]`, "at most 100 in a list"},
		{strings.Repeat(" ", MaxNotification+1), "at most"},
	} {
		if n, err := ReadNotification([]byte(test.body)); !errors.Is(err, ErrNotification) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.40s: %q, %v, want %q", test.body, n, err, test.want)
		}
	}
}

func FuzzNotification(f *testing.F) {
	for _, test := range notifications {
		f.Add([]byte(test.body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := ReadNotification(body)
		if err != nil && !errors.Is(err, ErrNotification) {
			t.Error(err)
		}
		if len(n.Pushes) > maxPushes {
			t.Errorf("%d pushes", len(n.Pushes))
		}
		for _, p := range n.Pushes {
			if p.Repository == "" || strings.Contains(p.Repository, "..") || strings.ContainsAny(p.Repository+p.Tag, " \n\"\\?#%") {
				t.Errorf("%+v", p)
			}
		}
	})
}
