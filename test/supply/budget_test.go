package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// budgets are how many packages each program links, standard library included, at most: every one of them reads what
// an attacker writes, or may. More is a decision: say here what for.
var budgets = []struct {
	what string
	most int
	why  string
}{
	{"./cmd/breakwater", 800, "client-go, the NATS server, SQLite and PostgreSQL, the evaluation of admission policies"},
	{"./image", 340, "registries and their credentials, gzip and zstd, versions of package formats"},
	{"./cmd/breakwater-sensor", 255, "runs on every node: eBPF, one HTTPS connection, flags"},
}

// forbidden are modules that none of our programs links, each with what it would bring in.
var forbidden = map[string]string{
	"github.com/dsoprea/":                 "disk images of exfat, ext4",
	"github.com/diskfs/":                  "disk images",
	"github.com/masahiro331/":             "disk images of ext4, xfs and virtual machines",
	"github.com/erofs/":                   "disk images",
	"github.com/CalebQ42/squashfs":        "disk images of squashfs",
	"www.velocidex.com/":                  "disk images of NTFS",
	"github.com/go-git/":                  "a client of git",
	"github.com/docker/docker/":           "a client of the docker daemon: a socket that is root",
	"github.com/moby/":                    "a client of the docker daemon",
	"github.com/containerd/":              "a client of containerd",
	"github.com/google/osv-scalibr/extra": "extractors of what an image holds, run in this process: see ADR 190",
	"github.com/tink-crypto/":             "cryptography beside the standard library",
	"golang.org/x/crypto/ssh":             "a client of SSH",
	"helm.sh/":                            "templates of strangers, executed",
	"plugin":                              "code that is loaded at run time",
	"github.com/hashicorp/go-getter":      "fetches by every scheme there is",
	"github.com/google/go-containerregistry/pkg/v1/daemon": "a client of the docker daemon",
}

func TestTheProgramsLinkWhatTheBudgetAllows(t *testing.T) {
	for _, b := range budgets {
		list := exec.Command("go", "list", "-deps", b.what)
		list.Dir = "../.."
		out, err := list.Output()
		if err != nil {
			t.Fatalf("%s: %v", b.what, err)
		}
		packages := strings.Fields(string(out))
		if n := len(packages); n > b.most || n < b.most*9/10 {
			t.Errorf("%s links %d packages, and the budget is %d (%s): find what is not needed, or change it with a reason",
				b.what, n, b.most, b.why)
		}
		for path, brings := range forbidden {
			if i := slices.IndexFunc(packages, func(p string) bool { return p == path || strings.HasPrefix(p, path) && strings.Contains(path, "/") }); i >= 0 {
				t.Errorf("%s links %s (%s)", b.what, packages[i], brings)
			}
		}
	}
}
