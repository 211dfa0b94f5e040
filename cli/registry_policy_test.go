package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	served "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/breakwater-sec/breakwater/api"
)

func TestAPreviewListsWhatIsReadByFileAndFlags(t *testing.T) {
	r := httptest.NewServer(served.New(served.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(r.Close)
	host := strings.TrimPrefix(r.URL, "http://")
	for _, ref := range []string{"shop/web:v1", "shop/web:v2", "shop/web:v2-debug", "edge/proxy:v1"} {
		img, err := random.Image(10, 1)
		if err != nil {
			t.Fatal(err)
		}
		at, err := name.ParseReference(host + "/" + ref)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(at, img); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "breakwater.yaml")
	if err := os.WriteFile(file, []byte("registries:\n- host: "+host+"\n  repositories: [shop/*]\n  tagNames: ['!*-debug']\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (string, error) {
		var out bytes.Buffer
		c := registryPreviewCommand(streams{out: &out, err: io.Discard})
		c.SetArgs(args)
		c.SilenceErrors, c.SilenceUsage = true, true
		err := c.ExecuteContext(t.Context())
		return out.String(), err
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{host}, "4 tags of " + host + " would be read, 0 would not."},
		{[]string{host, "--config", file}, "2 tags of " + host + " would be read, 1 would not."},
		{[]string{host + "/edge/*", "--config", file}, "1 tags of " + host + " would be read, 0 would not."},
		{[]string{host, "--config", file, "--tag", "v1"}, "1 tags of " + host + " would be read, 2 would not."},
		{[]string{host, "--repository", "edge/*", "--repository", "!edge/proxy"}, "0 tags of " + host + " would be read, 0 would not."},
		{[]string{host, "--platform", "linux/s390x", "--max-age", "1d"}, "4 tags of " + host + " would be read"}, // they say nothing
	} {
		if out, err := run(test.args...); err != nil || !strings.Contains(out, test.want) {
			t.Errorf("%v: %v\n%s", test.args, err, out)
		}
	}
	out, err := run(host, "--config", file, "-o", "json")
	var p api.RegistryPreview
	if err != nil || json.Unmarshal([]byte(out), &p) != nil || p.Chosen != 2 || len(p.Items) != 3 || p.Host != host {
		t.Errorf("%v: %s", err, out)
	}
	for _, wrong := range [][]string{{"--max-age", "soon"}, {"--hours", "noon"}, {"--platform", "arm"}, {"--every", "1s"}, {"--tag", "a/b"}} {
		if _, err := run(append([]string{host}, wrong...)...); err == nil {
			t.Errorf("%v is taken", wrong)
		}
	}
}
