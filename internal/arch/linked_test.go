package arch

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// linkedAtMost is how many packages that are not ours, those of the standard
// library included, the server may link. A change that needs more says in docs/adr
// what for.
const linkedAtMost = 738

// unlinked are modules that no binary of ours links: what they do is not what
// Breakwater does, and each is code that reads bytes of strangers (see ADR 190).
var unlinked = []string{
	"github.com/diskfs/go-diskfs",
	"github.com/masahiro331/go-ext4-filesystem",
	"github.com/dsoprea/go-exfat",
	"www.velocidex.com/golang/go-ntfs",
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
}

func TestTheBinariesLinkNothingThatTheyDoNotNeed(t *testing.T) {
	others := slices.DeleteFunc(linked(t, "./cmd/breakwater"), func(pkg string) bool { return strings.HasPrefix(pkg, module) })
	if n := len(others); n > linkedAtMost {
		t.Errorf("cmd/breakwater links %d packages of others, want at most %d: `go list -deps ./cmd/breakwater` lists them", n, linkedAtMost)
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
