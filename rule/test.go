package rule

import (
	"fmt"
	"io"
	"strings"
)

// Outcome is how one test of one rule ended.
type Outcome struct {
	Rule string `json:"rule"`
	Test string `json:"test"`
	Err  error  `json:"-"`
}

// Test runs the tests of every rule, in order.
func Test(rules []Rule) (out []Outcome) {
	for _, r := range rules {
		for _, c := range r.Cases() {
			out = append(out, Outcome{r.Header().ID, c.Name, c.Run()})
		}
	}
	return out
}

// ReportForeign writes which rules were written for other tools and can never fire
// here, or not in part. It returns how many there are.
func ReportForeign(w io.Writer, rules []Rule) (n int) {
	never := 0
	for _, r := range rules {
		f := foreign(r)
		if f == nil {
			continue
		}
		n++
		says := "part of it can never hold"
		if f.Never {
			never++
			says = "can never fire"
		}
		if len(f.Missing) > 0 {
			fmt.Fprintf(w, "%s: %s: %s: %s\n", r.Header().File, r.Header().ID, says, strings.Join(f.Missing, "; "))
		}
	}
	if n > 0 {
		fmt.Fprintf(w, "%d rules of others, which bring no tests: %d can fire, %d never\n", n, n-never, never)
	}
	return n
}

// Report writes what failed, and a last line with the counts. It says whether
// all went well; that nothing was tested is not well.
func Report(w io.Writer, outcomes []Outcome) (ok bool) {
	rules, failed := map[string]bool{}, 0
	for _, o := range outcomes {
		rules[o.Rule] = true
		if o.Err != nil {
			failed++
			fmt.Fprintf(w, "FAIL %s: %s: %v\n", o.Rule, o.Test, o.Err)
		}
	}
	fmt.Fprintf(w, "%d rules, %d tests, %d failed\n", len(rules), len(outcomes), failed)
	return failed == 0 && len(outcomes) > 0
}
