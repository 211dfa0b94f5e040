package cli

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/vuln"
)

// TestTheSampleIsAGuestInADataFolder serves the sample where a user has advisories, a database and a cluster of
// their own, and holds that nothing of theirs changes and no answer of theirs comes from the sample.
func TestTheSampleIsAGuestInADataFolder(t *testing.T) {
	data := t.TempDir()
	theirs := fstest.MapFS{"a.json": {Data: []byte(`{"id": "OSV-1", "modified": "2026-01-01T00:00:00Z", "affected": [{"package":
		{"ecosystem": "Debian:12", "name": "a"}, "versions": ["1"]}]}`)}}
	if _, err := vuln.Import(t.Context(), datadir.Dir(data).Advisories(), []vuln.Source{{Name: "mine", FS: theirs}}, nil); err != nil {
		t.Fatal(err)
	}
	_, stop := running(t, "--from", "mine=testdata/shop", "--no-images", "--data", data)
	clusters(t, data, "mine")
	stop()
	before := contents(t, data)
	t.Setenv(datadir.StoreVariable, "postgres://nobody@127.0.0.1:1/theirs") // the sample is not kept there either

	told, stop := running(t, "--sample", "--data", data)
	for _, story := range []string{"contains 3889: CVE-2022-3889", "The attacker's way in", "A workload runs a privileged container",
		"A workload mounts a sensitive folder of its node", "A program ran in a privileged container",
		"A privileged container was started on the node, past Kubernetes"} {
		if n := strings.Count(told.String(), story); n == 0 {
			t.Errorf("the sample does not tell: %s\n%s", story, told)
		}
	}
	once := map[string]bool{}
	for _, line := range strings.Split(told.String(), "\n") {
		if update, _, is := strings.Cut(strings.TrimSpace(line), ": fixes "); is && once[update] {
			t.Errorf("an update is told twice: %s", update)
		} else if is {
			once[update] = true
		}
	}
	if len(once) == 0 {
		t.Error("no update is told")
	}
	if after := contents(t, data); after != before {
		t.Errorf("the user's files were\n%s\nand are\n%s", before, after)
	}
	t.Setenv(datadir.StoreVariable, "")
	if _, said := clusters(t, data, "harbor-prod"); !strings.Contains(said, "asked of the sample estate") {
		t.Errorf("where only the sample is served, that is not said: %s", said)
	}
	running(t, "--from", "mine=testdata/shop", "--no-images", "--data", data)
	if out, said := clusters(t, data, "mine"); strings.Contains(out+said, "harbor-prod") || strings.Contains(said, "sample") {
		t.Errorf("beside the sample a user's own server answers: %s%s", out, said)
	}
	stop()
}

// clusters asks for the clusters of the server on a data folder until that one is among them.
func clusters(t *testing.T, data, want string) (out, said string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if out, said, _ = command(t, "query", "--data", data, "MATCH (c:Cluster) RETURN c.name"); strings.Contains(out, want) {
			return out, said
		}
	}
	t.Fatalf("no cluster %s: %s%s", want, out, said)
	return "", ""
}

// contents are the files of a data folder, but for the sample's and what a lock file is.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if name == "sample" {
				return fs.SkipDir
			}
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		fmt.Fprintf(&out, "%s %x\n", name, sha256.Sum256(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTheSamplesRecordingsArePlayedOnce(t *testing.T) {
	data := t.TempDir()
	for range 2 {
		told, stop := running(t, "--sample", "--data", data)
		stop()
		for _, rule := range []string{"A workload mounts a sensitive folder", "A privileged container was started on the node"} {
			if n := strings.Count(told.String(), rule); n != 1 {
				t.Errorf("%q is told %d times\n%s", rule, n, told)
			}
		}
	}
	st, err := datadir.Dir(data).Sample().Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	alerts, _, err := st.Alerts(t.Context(), store.AlertFilter{}, "", 100)
	if err != nil || len(alerts) != 4 {
		t.Errorf("%d alerts, %v; want two of the audit log and two of the sensor", len(alerts), err)
	}
	nodes, err := st.Sensors(t.Context(), "")
	if err != nil || len(nodes) != 1 || !strings.Contains(string(nodes[0].Status), "a recording is replayed") {
		t.Errorf("%v, %v; want one node, which says that a recording is replayed", nodes, err)
	}
}

func TestTheSampleIsServedAlone(t *testing.T) {
	for flag, args := range map[string][]string{
		"--from":     {"--sample", "--from", "testdata/shop"},
		"--registry": {"--sample", "--registry", "registry.example"},
		"--config":   {"--sample", "--config", "breakwater.yaml"},
		"--store":    {"--sample", "--store", "postgres://somebody@db.example/theirs"},
		"--nats":     {"--sample", "--nats", "nats://nats.example:4222"},
		"--sensor":   {"--sensor", "--from", "testdata/shop"},
	} {
		data := t.TempDir()
		_, said, code := command(t, append([]string{"serve", "--data", data}, args...)...)
		if code != exitCannot || !strings.Contains(said, flag) || !strings.Contains(said, "--sample") {
			t.Errorf("%s: exit %d: %s", flag, code, said)
		}
		if made, err := os.ReadDir(data); err != nil || len(made) > 0 {
			t.Errorf("%s: %v was made, %v", flag, made, err)
		}
	}
}
