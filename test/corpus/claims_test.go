package corpus

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// claim is what is true or false of a small cluster, and whether the product says it.
type claim struct {
	Claim string   `json:"claim"`
	Kind  string   `json:"kind"`
	Holds bool     `json:"holds"`
	Said  bool     `json:"said"`
	Way   []string `json:"way"`
}

// TestCorpusAttackClaims compares what an attacker gains in small clusters with
// claims that were checked on a real API server. The key's own scorer reads what
// the commands print.
func TestCorpusAttackClaims(t *testing.T) {
	dir := folder(t, "attack-claims")
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("the key's scorer needs python3")
	}
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	verdicts := filepath.Join(t.TempDir(), "verdicts.json")
	// Its exit code says whether its own goals are met: the floors are ours.
	said, err := exec.Command(python, inside(dir, "score.py"), bin, dir, "--json", verdicts).CombinedOutput()
	text, missing := os.ReadFile(verdicts)
	if missing != nil {
		t.Fatalf("the scorer ended without verdicts: %v: %s", err, said)
	}
	if strings.Contains(string(said), "\nerror in ") {
		t.Errorf("the command failed: %s", said)
	}
	var claims []claim
	if err := json.Unmarshal(text, &claims); err != nil {
		t.Fatal(err)
	}
	s := scoring(t, "attack-claims", len(claims))
	for _, c := range claims {
		name := c.Claim + " (" + c.Kind + ")"
		if c.Said && !c.Holds {
			name += ": " + strings.Join(c.Way, " ")
		}
		s.row(name, c.Said, c.Holds)
	}
	s.end()
}
