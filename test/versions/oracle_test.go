package versions

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/semver"
)

// pair is two versions of one ecosystem.
type pair struct{ a, b string }

// oracle is what an ecosystem's own tool says of versions.
type oracle struct {
	// name is the table's, ecosystem OSV's.
	name, ecosystem string
	// tool is asked, and names the oracle in its table.
	tool string
	// needs are the programs and files without which nobody can be asked.
	needs []string
	// version prints which release of the tool answers.
	version []string
	// ask answers pairs, one a line and tab between them, with lines -1, 0 and 1; and x where it takes one for no version.
	ask func(t *testing.T, pairs string) []byte
	// words are what versions of the ecosystem are made of.
	words words
}

// program runs a program that reads pairs.
func program(name string, args ...string) func(*testing.T, string) []byte {
	return func(t *testing.T, pairs string) []byte {
		t.Helper()
		c := exec.Command(name, args...)
		c.Stdin = strings.NewReader(pairs)
		var said, wrong bytes.Buffer
		c.Stdout, c.Stderr = &said, &wrong
		if err := c.Run(); err != nil {
			t.Fatalf("%s: %v: %s", name, err, wrong.Bytes())
		}
		return said.Bytes()
	}
}

const (
	askDpkg = `
while IFS=$(printf '\t') read -r a b; do
	less=0 more=0
	wrong=$(dpkg --compare-versions "$a" lt "$b" 2>&1) && less=1 # it warns of what is no version
	[ $less = 1 ] || ! dpkg --compare-versions "$a" gt "$b" 2>/dev/null || more=1
	if [ -n "$wrong" ]; then echo x; elif [ $less = 1 ]; then echo -1; else echo $more; fi
done`
	askRPM = `%{lua:
for line in io.lines(os.getenv("PAIRS")) do
	local a, b = line:match("^(.-)\t(.*)$")
	local known, order = pcall(rpm.vercmp, a, b)
	print((known and order or "x") .. "\n")
end}`
	askAPK = `
while IFS=$(printf '\t') read -r a b; do
	if ! apk version -q --check "$a" >/dev/null 2>&1 || ! apk version -q --check "$b" >/dev/null 2>&1; then echo x; continue; fi
	case $(apk version --test "$a" "$b") in '<') echo -1 ;; '>') echo 1 ;; *) echo 0 ;; esac
done`
	askNode = `
const semver = require(process.argv[1]);
for (const line of require('fs').readFileSync(0, 'utf8').split('\n')) {
	if (line === '') continue;
	const [a, b] = line.split('\t');
	console.log(semver.valid(a) && semver.valid(b) ? semver.compare(a, b) : 'x');
}`
	askPython = `
import sys
from packaging.version import Version, InvalidVersion
for line in sys.stdin:
    a, b = line.rstrip("\n").split("\t")
    try:
        a, b = Version(a), Version(b)
        print((a > b) - (a < b))
    except InvalidVersion:
        print("x")
`
	askRuby = `
require "rubygems"
STDIN.each_line(chomp: true) do |line|
	a, b = line.split("\t", 2)
	puts Gem::Version.correct?(a) && Gem::Version.correct?(b) ? (Gem::Version.new(a) <=> Gem::Version.new(b)) : "x"
end`
	askPHP = `
require "/usr/share/php/Composer/Semver/autoload.php";
$parser = new Composer\Semver\VersionParser();
while (($line = fgets(STDIN)) !== false) {
	[$a, $b] = explode("\t", rtrim($line, "\n"));
	try {
		$a = $parser->normalize($a);
		$b = $parser->normalize($b);
		$less = Composer\Semver\Comparator::lessThan($a, $b);
		$more = Composer\Semver\Comparator::greaterThan($a, $b);
		echo strpos($a . $b, "dev-") !== false ? "x" : $more - $less, "\n";
	} catch (UnexpectedValueException $e) {
		echo "x\n";
	}
}`
)

const (
	nodeSemver    = "/usr/lib/node_modules/npm/node_modules/semver"
	mavenArtifact = "/usr/share/maven/lib/maven-artifact-3.x.jar"
	mavenLang     = "/usr/share/maven/lib/commons-lang3.jar"
)

// askRPMOf is rpm's own comparison, in its Lua.
func askRPMOf(t *testing.T, pairs string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pairs")
	if err := os.WriteFile(file, []byte(pairs), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PAIRS", file)
	return program("rpm", "--eval", askRPM)(t, "")
}

// askMaven reads what ComparableVersion prints of a list of versions: how each stands to the next.
func askMaven(t *testing.T, pairs string) []byte {
	t.Helper()
	var out bytes.Buffer
	lines := strings.Split(strings.TrimSuffix(pairs, "\n"), "\n")
	for len(lines) > 0 {
		some := lines[:min(len(lines), 500)] // an argument list has an end
		lines = lines[len(some):]
		args := []string{"-cp", mavenArtifact + ":" + mavenLang, "org.apache.maven.artifact.versioning.ComparableVersion"}
		for _, line := range some {
			a, b, _ := strings.Cut(line, "\t")
			args = append(args, a, b)
		}
		said := program("java", args...)(t, "")
		n := 0
		for scanner := bufio.NewScanner(bytes.NewReader(said)); scanner.Scan(); {
			fields := strings.Fields(scanner.Text())
			if len(fields) != 3 || !strings.Contains("<==>", fields[1]) {
				continue
			}
			if n%2 == 0 { // and not how a pair stands to the next pair
				fmt.Fprintln(&out, map[string]int{"<": -1, "==": 0, ">": 1}[fields[1]])
			}
			n++
		}
	}
	return out.Bytes()
}

// semverCrate is where Debian's librust-semver-dev has the source of the crate that cargo reads versions with.
const semverCrate = "/usr/share/cargo/registry/semver-*/src/lib.rs"

// askCargo is a program of the crate, which is built for the question. Versions that differ in their build alone are the same to
// advisories; the crate's plain order would tell them apart.
const askCargo = `
use semver::Version;
use std::cmp::Ordering;
fn main() {
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let (a, b) = line.split_once('\t').unwrap();
        match (Version::parse(a), Version::parse(b)) {
            (Ok(mut a), Ok(mut b)) => {
                a.build = semver::BuildMetadata::EMPTY;
                b.build = semver::BuildMetadata::EMPTY;
                println!("{}", match a.cmp(&b) { Ordering::Less => -1, Ordering::Equal => 0, Ordering::Greater => 1 });
            }
            _ => println!("x"),
        }
    }
}`

func askCargoOf(t *testing.T, pairs string) []byte {
	t.Helper()
	found, err := filepath.Glob(semverCrate)
	if err != nil || len(found) == 0 {
		t.Fatalf("%s: %v, %v", semverCrate, found, err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ask.rs"), []byte(askCargo), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--edition=2018", "--crate-type=rlib", "--crate-name=semver", "--cap-lints=allow", found[len(found)-1], "--out-dir=" + dir},
		{"--edition=2021", "-L" + dir, "--extern=semver", filepath.Join(dir, "ask.rs"), "-o", filepath.Join(dir, "ask")}} {
		program("rustc", args...)(t, "")
	}
	return program(filepath.Join(dir, "ask"))(t, pairs)
}

// askGo is the comparison of the go command.
func askGo(t *testing.T, pairs string) []byte {
	t.Helper()
	var out bytes.Buffer
	for line := range strings.Lines(pairs) {
		a, b, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if semver.IsValid(a) && semver.IsValid(b) {
			fmt.Fprintln(&out, semver.Compare(a, b))
		} else {
			fmt.Fprintln(&out, "x")
		}
	}
	return out.Bytes()
}

var oracles = []oracle{
	{name: "debian", ecosystem: "Debian", tool: "dpkg --compare-versions", needs: []string{"dpkg"}, version: []string{"dpkg", "--version"},
		ask: program("sh", "-c", askDpkg), words: debianWords},
	{name: "rpm", ecosystem: "Red Hat", tool: "rpm.vercmp of rpm's Lua", needs: []string{"rpm"}, version: []string{"rpm", "--version"},
		ask: askRPMOf, words: rpmWords},
	{name: "alpine", ecosystem: "Alpine", tool: "apk version --test", needs: []string{"apk"}, version: []string{"apk", "--version"},
		ask: program("sh", "-c", askAPK), words: alpineWords},
	{name: "npm", ecosystem: "npm", tool: "semver of npm", needs: []string{"node", nodeSemver}, version: []string{"npm", "--version"},
		ask: program("node", "-e", askNode, nodeSemver), words: npmWords},
	{name: "pypi", ecosystem: "PyPI", tool: "packaging.version of Python", needs: []string{"/usr/lib/python3/dist-packages/packaging"},
		version: []string{"/usr/bin/python3", "-c", "import packaging; print('packaging', packaging.__version__)"},
		ask:     program("/usr/bin/python3", "-c", askPython), words: pythonWords},
	{name: "maven", ecosystem: "Maven", tool: "ComparableVersion of maven-artifact", needs: []string{"java", mavenArtifact, mavenLang},
		version: []string{"mvn", "--version"}, ask: askMaven, words: mavenWords},
	{name: "rubygems", ecosystem: "RubyGems", tool: "Gem::Version", needs: []string{"ruby"}, version: []string{"gem", "--version"},
		ask: program("ruby", "-e", askRuby), words: rubyWords},
	{name: "packagist", ecosystem: "Packagist", tool: "Composer\\Semver on what its VersionParser makes of both",
		needs: []string{"php", "/usr/share/php/Composer/Semver"}, version: []string{"composer", "--version"},
		ask: program("php", "-r", askPHP), words: phpWords},
	{name: "crates", ecosystem: "crates.io", tool: "the crate semver, which cargo reads versions with,", needs: []string{"rustc", semverCrate},
		version: []string{"sh", "-c", "echo " + semverCrate + " | grep -o 'semver-[0-9.]*[0-9]'"}, ask: askCargoOf, words: cargoWords},
	{name: "go", ecosystem: "Go", tool: "golang.org/x/mod/semver", ask: askGo, words: goWords},
}
