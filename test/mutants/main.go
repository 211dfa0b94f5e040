// Mutants makes small faults in the packages that decide (a condition that always
// or never holds, a bound by one, another operator, another constant) and runs
// the package's own tests against each. What no test notices survives and is
// printed with its place.
//
// All faults of a package are compiled into one test binary and chosen at run
// time, through go test -overlay: nothing in the repository is written.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// target is a package whose tests are held to the floor; files are the part of it
// that decides, or all.
type target struct {
	dir   string
	files []string
}

// has says that a file of the repository is one of the target's.
func (t target) has(file string) bool {
	dir, base := path.Split(file)
	return path.Clean(dir) == t.dir && (len(t.files) == 0 || slices.Contains(t.files, base))
}

var targets = []target{
	{"rbac", nil},
	{"netpol", nil},
	{"exposure", nil},
	{"vuln", nil},
	{"detect", nil},
	{"analyse", nil},
	{"store", nil},
	{"graph", []string{"scope.go", "view.go", "difference.go"}},
	{"query", []string{"scope.go", "gap.go"}},
	{"api", []string{"guard.go", "dispatch.go"}},
	{"scope", nil},
}

func main() {
	o := options{out: os.Stdout}
	flag.StringVar(&o.since, "since", "", "only lines changed since this commit")
	flag.IntVar(&o.most, "max", 0, "try at most so many mutants of a package, always the same ones of the same code")
	flag.DurationVar(&o.time, "time", 24*time.Hour, "begin no mutant after this time")
	flag.IntVar(&o.parallel, "parallel", 2, "mutants side by side")
	flag.Func("run", "run only tests whose names match; what others notice counts as survived", func(s string) (err error) {
		o.tests, err = regexp.Compile(s)
		return err
	})
	flag.Float64Var(&o.floor, "floor", 85, "percent of the mutants that tests must notice")
	flag.Parse()
	root, err := filepath.Abs(".")
	if err != nil {
		fail(err)
	}
	low, err := o.run(root, chosen(flag.Args()))
	if err != nil {
		fail(err)
	}
	if low {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "mutants:", err)
	os.Exit(2)
}

// chosen are the targets of the folders and files named, or all.
func chosen(dirs []string) []target {
	var out []target
	for _, dir := range dirs {
		dir = filepath.ToSlash(filepath.Clean(dir))
		if folder, file := path.Split(dir); strings.HasSuffix(file, ".go") {
			folder = path.Clean(folder)
			if last := len(out) - 1; last < 0 || out[last].dir != folder {
				out = append(out, target{dir: folder})
			}
			out[len(out)-1].files = append(out[len(out)-1].files, file)
			continue
		}
		i := slices.IndexFunc(targets, func(t target) bool { return t.dir == dir })
		if i < 0 {
			out = append(out, target{dir: dir})
		} else {
			out = append(out, targets[i])
		}
	}
	if len(dirs) == 0 {
		return targets
	}
	return out
}

type options struct {
	since    string
	most     int
	time     time.Duration
	parallel int
	tests    *regexp.Regexp // that are run, or nil for all
	floor    float64
	out      io.Writer
}

// coarse is how few mutants say nothing as a percentage.
const coarse = 20

func (o options) run(root string, targets []target) (low bool, err error) {
	until := time.Now().Add(o.time)
	changed := func(string, int) bool { return true }
	if o.since != "" {
		if changed, err = changedSince(root, o.since); err != nil {
			return false, err
		}
	}
	exempt, err := readExempt(filepath.Join(root, "test/mutants/equivalent.txt"))
	if err != nil {
		return false, err
	}
	var all score
	for _, t := range targets {
		s, err := o.judge(root, t, changed, exempt, until)
		if err != nil {
			return false, err
		}
		all.add(s)
		if s.tried() > 0 && o.since == "" {
			low = low || s.percent() < o.floor
		}
	}
	if o.since == "" { // among changed lines alone, most mutants are not made
		for _, line := range exempt.stale(targets) {
			fmt.Fprintf(o.out, "equivalent.txt: no such mutant any more: %s\n", line)
			low = true
		}
	}
	fmt.Fprintln(o.out, all.String("all"))
	if o.since != "" && all.tried() >= coarse {
		low = all.percent() < o.floor
	}
	return low, nil
}

// judge tries the mutants of one package and prints what survives.
func (o options) judge(root string, t target, changed func(string, int) bool, exempt *exemptions, until time.Time) (score, error) {
	var sum score
	if !o.touches(root, t, changed) {
		return sum, nil
	}
	if time.Now().After(until) {
		fmt.Fprintf(o.out, "== %-10s not tried: the time is over\n", t.dir)
		return sum, nil
	}
	work, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return sum, err
	}
	defer os.RemoveAll(work)
	s, err := load(root, work, "./"+t.dir, func(file string) bool { return len(t.files) == 0 || slices.Contains(t.files, file) })
	if err != nil {
		return sum, err
	}
	var wanted []*mutant
	for _, m := range s.mutants {
		switch {
		case !changed(m.file, m.line):
		case exempt.has(m):
			sum.exempt++
		default:
			wanted = append(wanted, m)
		}
	}
	if len(wanted) == 0 {
		return sum, nil
	}
	bin, err := s.buildAll()
	if err != nil {
		return sum, err
	}
	u, err := s.rehearse(bin, o.tests)
	if err != nil {
		return sum, err
	}
	wanted = sample(wanted, o.most)
	said := u.tryAll(wanted, o.parallel, until)
	slices.SortFunc(wanted, byPlace)
	for _, m := range wanted {
		v := said[m]
		sum.count(v)
		switch v {
		case survived:
			fmt.Fprintf(o.out, "%s:%d: %s\n\t%s\n", m.file, m.line, m.change(), m.text)
		case unreached:
			fmt.Fprintf(o.out, "%s:%d: %s (no test comes here)\n\t%s\n", m.file, m.line, m.change(), m.text)
		}
	}
	fmt.Fprintln(o.out, sum.String(t.dir))
	return sum, nil
}

// touches: a package without a changed file is not even built.
func (o options) touches(root string, t target, changed func(string, int) bool) bool {
	if o.since == "" {
		return true
	}
	files, err := filepath.Glob(filepath.Join(root, t.dir, "*.go"))
	return err == nil && slices.ContainsFunc(files, func(f string) bool { return changed(t.dir+"/"+filepath.Base(f), 0) })
}

// score counts verdicts.
type score struct {
	killed, survived, unreached, exempt, untried int
}

func (s *score) count(v verdict) {
	switch v {
	case killed:
		s.killed++
	case survived:
		s.survived++
	case unreached:
		s.unreached++
	case untried:
		s.untried++
	}
}

func (s *score) add(o score) {
	s.killed += o.killed
	s.survived += o.survived
	s.unreached += o.unreached
	s.exempt += o.exempt
	s.untried += o.untried
}

func (s score) tried() int { return s.killed + s.survived + s.unreached }

func (s score) percent() float64 { return 100 * float64(s.killed) / float64(max(s.tried(), 1)) }

func (s score) String(name string) string {
	if s.tried() == 0 {
		return fmt.Sprintf("== %-10s nothing tried; %d equivalent, %d not tried", name, s.exempt, s.untried)
	}
	return fmt.Sprintf("== %-10s %5.1f %%: %d of %d noticed; %d survived, %d where no test comes; %d equivalent, %d not tried",
		name, s.percent(), s.killed, s.tried(), s.survived, s.unreached, s.exempt, s.untried)
}

// changedSince asks git which lines were changed; line 0 asks for the file.
func changedSince(root, commit string) (func(string, int) bool, error) {
	cmd := exec.Command("git", "diff", "-U0", "--no-color", "--no-ext-diff", commit, "--", "*.go")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git diff %s: %w", commit, err)
	}
	lines := changedLines(string(out))
	return func(file string, line int) bool {
		if line == 0 {
			return len(lines[file]) > 0
		}
		return lines[file][line]
	}, nil
}

func changedLines(diff string) map[string]map[int]bool {
	lines := map[string]map[int]bool{}
	file := ""
	for line := range strings.Lines(diff) {
		if name, ok := strings.CutPrefix(line, "+++ b/"); ok {
			file = strings.TrimSpace(name)
			lines[file] = map[int]bool{}
		}
		if !strings.HasPrefix(line, "@@ ") {
			continue
		}
		_, after, _ := strings.Cut(line, " +")
		from, count := 0, 1
		if n, err := fmt.Sscanf(after, "%d,%d", &from, &count); n == 0 && err != nil {
			continue
		}
		for i := range count {
			lines[file][from+i] = true
		}
	}
	return lines
}
