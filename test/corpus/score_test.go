package corpus

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// score counts the rows of a corpus's key. Every row is counted or left out for a reason: which ones there are
// is the key's to say, never the product's.
type score struct {
	t                  *testing.T
	name               string
	rows               int // of the key
	counted            int
	hit, wrong, missed int
	quiet              int // rightly silent
	left               map[string][]string
	exceptions         map[string]string
	shares             map[string][2]int
}

// scoring begins with how many rows the key has; end says what came of them.
func scoring(t *testing.T, corpus string, rows int) *score {
	t.Helper()
	s := &score{t: t, name: corpus, rows: rows, left: map[string][]string{}, exceptions: map[string]string{}, shares: map[string][2]int{}}
	for _, row := range table(t, "left-out.csv") {
		if row["corpus"] == corpus {
			s.exceptions[row["row"]] = row["why"]
		}
	}
	return s
}

// row counts one row of the key: what the product says, and what the key says.
func (s *score) row(name string, got, want bool) {
	s.t.Helper()
	s.counted++
	switch {
	case got && want:
		s.hit++
	case got:
		s.wrong++
		s.t.Logf("says what the key does not: %s", name)
	case want:
		s.missed++
		s.t.Logf("misses: %s", name)
	default:
		s.quiet++
	}
}

// beyond counts what the product says and no row of a closed key names.
func (s *score) beyond(name string) {
	s.t.Helper()
	s.wrong++
	s.t.Logf("says what the key does not: %s", name)
}

// leave leaves a row out, and excepted one that left-out.csv names.
func (s *score) leave(name, why string) { s.left[why] = append(s.left[why], name) }

func (s *score) excepted(name string) bool {
	why, ok := s.exceptions[name]
	if ok {
		s.leave(name, why)
	}
	return ok
}

// share adds a measure of its own, such as how many cases are exactly right.
func (s *score) share(measure string, part, whole int) { s.shares[measure] = [2]int{part, whole} }

// mostListed bounds how many rows that were left out are listed for one reason.
const mostListed = 12

// end reports, and fails where a row is not accounted for or a measure is below its floor in floors.csv.
func (s *score) end() {
	s.t.Helper()
	left := 0
	for _, why := range slices.Sorted(maps.Keys(s.left)) {
		names := s.left[why]
		left += len(names)
		more := ""
		if n := len(names) - mostListed; n > 0 {
			more = fmt.Sprintf(" … and %d more", n)
		}
		s.t.Logf("left out, %d: %s: %s%s", len(names), why, strings.Join(names[:min(len(names), mostListed)], "; "), more)
	}
	if s.hit+s.wrong+s.missed+s.quiet > 0 || len(s.shares) == 0 {
		s.shares["precision"], s.shares["recall"] = [2]int{s.hit, s.hit + s.wrong}, [2]int{s.hit, s.hit + s.missed}
	}
	s.shares["scored"] = [2]int{s.counted, s.rows}
	said := []string{}
	for _, measure := range slices.SortedFunc(maps.Keys(s.shares), func(a, b string) int { return cmp.Compare(a, b) }) {
		part := s.shares[measure]
		said = append(said, fmt.Sprintf("%q:%s", measure, ratio(part[0], part[1])))
	}
	fmt.Printf(`{"corpus":%q,"rows":%d,"scored_rows":%d,"left_out":%d,"hit":%d,"wrong":%d,"missed":%d,"quiet":%d,%s}`+"\n",
		s.name, s.rows, s.counted, left, s.hit, s.wrong, s.missed, s.quiet, strings.Join(said, ","))
	for _, problem := range s.problems(left, table(s.t, "floors.csv")) {
		s.t.Errorf("%s: %s", s.name, problem)
	}
}

// problems are rows that are not accounted for and measures below their floor; a corpus without a floor, and a
// measure of nothing, do not pass.
func (s *score) problems(left int, floors []map[string]string) (out []string) {
	if s.counted+left != s.rows {
		out = append(out, fmt.Sprintf("%d rows are scored and %d left out, of %d", s.counted, left, s.rows))
	}
	held := 0
	for _, row := range floors {
		if row["corpus"] != s.name {
			continue
		}
		held++
		floor, err := strconv.ParseFloat(row["floor"], 64)
		part, known := s.shares[row["measure"]]
		switch {
		case err != nil || !known:
			out = append(out, fmt.Sprintf("floor of %s: %v; want a measure of the corpus and a number", row["measure"], err))
		case part[1] == 0 || float64(part[0])/float64(part[1]) < floor:
			out = append(out, fmt.Sprintf("%s is %s, below the floor %v", row["measure"], ratio(part[0], part[1]), floor))
		}
	}
	if held == 0 {
		out = append(out, "it has no floor in floors.csv")
	}
	return out
}

// ratio is a share as JSON. A share of nothing is no number.
func ratio(part, whole int) string {
	if whole == 0 {
		return `"none"`
	}
	return fmt.Sprintf("%.3f", float64(part)/float64(whole))
}

// named are the parts of a row that name it.
func named(parts ...string) string { return strings.Join(parts, " ") }

// ask runs a query on manifests with the command that people use, and gives its rows as texts.
func ask(t *testing.T, from, query string) (out [][]string) {
	t.Helper()
	var answer struct{ Rows [][]any }
	if err := json.Unmarshal(breakwater(t, "query", "--data", t.TempDir(), "--from", from, "-o", "json", query), &answer); err != nil {
		t.Fatal(err)
	}
	for _, row := range answer.Rows {
		cells := []string{}
		for _, cell := range row {
			cells = append(cells, fmt.Sprint(cell))
		}
		out = append(out, cells)
	}
	return out
}

// inside is a path in a corpus's folder, as its tables name it.
func inside(dir, file string) string { return filepath.Join(dir, filepath.FromSlash(file)) }
