package arch

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// linkedAtMost is how many packages that are not ours, those of the standard library included, a program or
// package may link, and what for: each is code that an attacker's bytes may reach. A change that needs more says in
// docs/adr what for.
var linkedAtMost = []struct {
	what string
	most int
	why  string
}{
	{"./cmd/breakwater", 800, "client-go, the NATS server, SQLite and PostgreSQL, the evaluation of admission policies, what tokens look like"},
	{"./image", 400, "registries and their credentials, gzip and zstd, versions of package formats, what compilers leave in programs, what tokens " +
		"look like"},
	{"./cmd/breakwater-sensor", 250, "runs on every node: eBPF, one HTTPS connection, flags"},
}

// unlinked are modules that no binary of ours links: what they do is not what
// Breakwater does, and each is code that reads bytes of strangers (see ADR 190).
var unlinked = []string{
	"github.com/diskfs/go-diskfs",
	"github.com/masahiro331/go-ext4-filesystem",
	"github.com/dsoprea/go-exfat",
	"www.velocidex.com/golang/go-ntfs",
	"github.com/CalebQ42/squashfs",
	"github.com/erofs/",
	"github.com/go-git/",
	"github.com/anchore/go-lzo",
	"github.com/ulikunitz/xz",
	"github.com/getkin/kin-openapi",
	"go.uber.org/zap",
	"google.golang.org/grpc",
	"github.com/aws/aws-sdk-go",
	"github.com/Azure/",
	"cloud.google.com/",
	"github.com/docker/docker/",
	"github.com/moby/",
	"github.com/containerd/",
	"github.com/google/go-containerregistry/pkg/v1/daemon",
	"github.com/hashicorp/go-getter",
	"golang.org/x/crypto/ssh",
	"helm.sh/",
}

func TestTheBinariesLinkNothingThatTheyDoNotNeed(t *testing.T) {
	for _, b := range linkedAtMost {
		others := slices.DeleteFunc(linked(t, b.what), func(pkg string) bool { return strings.HasPrefix(pkg, module) })
		if n := len(others); n > b.most || n < b.most*9/10 { // a budget that is not used is none
			t.Errorf("%s links %d packages of others, want at most %d and not much less (%s): `go list -deps %[1]s` lists them",
				b.what, n, b.most, b.why)
		}
	}
	for _, binary := range []string{"./cmd/breakwater", "./cmd/breakwater-sensor"} {
		for _, pkg := range linked(t, binary) {
			for _, module := range unlinked {
				if strings.HasPrefix(pkg, module) {
					t.Errorf("%s links %s: `go list -deps` of our packages says through which; want it without", binary, pkg)
				}
			}
		}
	}
}

func linked(t *testing.T, binary string) []string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", binary)
	list.Dir = filepath.Join("..", "..")
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list -deps %s: %v", binary, err)
	}
	return strings.Fields(string(out))
}
