package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// verdict is what the tests said of a mutant.
type verdict int

const (
	untried   verdict = iota
	killed            // a test failed, or did not end
	survived          // the tests that reach it pass
	unreached         // no test reaches it
	invalid           // it does not compile
)

// suite is a package's tests: which reach which mutant, and how long each takes.
type suite struct {
	*subject
	bin     string
	reached map[int][]string
	took    map[string]time.Duration
}

// rehearse runs every test once without any mutant, of only those if they are named.
func (s *subject) rehearse(bin string, only *regexp.Regexp) (*suite, error) {
	u := &suite{subject: s, bin: bin, reached: map[int][]string{}, took: map[string]time.Duration{}}
	cmd := exec.Command(bin, "-test.list", ".")
	cmd.Dir = s.Dir
	names, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list the tests of %s: %w", s.ImportPath, err)
	}
	note := filepath.Join(s.work, "reached")
	for _, name := range strings.Fields(string(names)) {
		if strings.HasPrefix(name, "Benchmark") || only != nil && !only.MatchString(name) {
			continue
		}
		if err := os.WriteFile(note, nil, 0o600); err != nil {
			return nil, err
		}
		began := time.Now()
		if out, passed := u.run(bin, []string{name}, 10*time.Minute, "MUTANT_REACHED="+note); !passed {
			fmt.Fprintf(os.Stderr, "mutants: %s %s is left out, for it fails without any mutant:\n%s", s.ImportPath, name, out)
			continue
		}
		u.took[name] = time.Since(began)
		ids, err := os.ReadFile(note)
		if err != nil {
			return nil, err
		}
		for _, text := range strings.Fields(string(ids)) {
			if id, err := strconv.Atoi(text); err == nil {
				u.reached[id] = append(u.reached[id], name)
			}
		}
	}
	return u, nil
}

// run runs the named tests; all of them if none is named.
func (u *suite) run(bin string, tests []string, limit time.Duration, env ...string) (string, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	args := []string{"-test.failfast"}
	if len(tests) > 0 {
		args = append(args, "-test.run", "^("+strings.Join(tests, "|")+")$")
	}
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.Dir = u.Dir
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err == nil || errors.Is(err, exec.ErrWaitDelay) && cmd.ProcessState.Success()
}

// try says what the tests say of a mutant: those that reach it, quick ones first.
func (u *suite) try(m *mutant) verdict {
	bin, tests := u.bin, slices.Clone(u.reached[m.id])
	if !m.switchable() {
		bin = filepath.Join(u.work, fmt.Sprintf("one-%d.test", m.id))
		defer func() { _, _, _ = os.Remove(bin), os.Remove(bin+".go"), os.Remove(bin+".json") }()
		if u.buildOne(m, bin) != nil {
			return invalid
		}
		for name := range u.took {
			tests = append(tests, name)
		}
	}
	if len(tests) == 0 {
		return unreached
	}
	slices.SortFunc(tests, func(a, b string) int { return int(u.took[a] - u.took[b]) })
	for len(tests) > 0 {
		now := u.share(tests)
		if _, passed := u.run(bin, tests[:now], u.limit(tests[:now]), "MUTANT="+strconv.Itoa(m.id)); !passed {
			return killed
		}
		tests = tests[now:]
	}
	return survived
}

// share is how many of the tests to run together: a second's worth.
func (u *suite) share(tests []string) int {
	var sum time.Duration
	for i, name := range tests {
		if sum += u.took[name]; sum > time.Second {
			return i + 1
		}
	}
	return len(tests)
}

// limit is long enough for a machine that is busy with something else.
func (u *suite) limit(tests []string) time.Duration {
	limit := 15 * time.Second
	for _, name := range tests {
		limit += 8 * u.took[name]
	}
	return limit
}

// tryAll tries mutants side by side until the time is over.
func (u *suite) tryAll(mutants []*mutant, parallel int, until time.Time) map[*mutant]verdict {
	said := map[*mutant]verdict{}
	var mu sync.Mutex
	var workers sync.WaitGroup
	queue := make(chan *mutant)
	for range parallel {
		workers.Go(func() {
			for m := range queue {
				v := u.try(m)
				mu.Lock()
				said[m] = v
				mu.Unlock()
			}
		})
	}
	for _, m := range mutants {
		if time.Now().After(until) {
			break
		}
		queue <- m
	}
	close(queue)
	workers.Wait()
	return said
}
