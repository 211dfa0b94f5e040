package rule

import (
	"fmt"
	"io"
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
