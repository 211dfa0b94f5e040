package corpus

import (
	"strings"
	"testing"
)

// TestACorpusDoesNotPassOnWhatWasNotLookedFor needs no corpus: it holds how rows are accounted for.
func TestACorpusDoesNotPassOnWhatWasNotLookedFor(t *testing.T) {
	floor := []map[string]string{{"corpus": "c", "measure": "recall", "floor": "0.5"}, {"corpus": "other", "measure": "recall", "floor": "2"}}
	for _, test := range []struct {
		name       string
		rows, left int
		counted    int
		recall     [2]int
		floors     []map[string]string
		want       string
	}{
		{name: "all rows scored, at the floor", rows: 4, counted: 4, recall: [2]int{2, 4}, floors: floor},
		{name: "a row left out for a reason", rows: 4, counted: 3, left: 1, recall: [2]int{2, 3}, floors: floor},
		{name: "a row that vanished", rows: 4, counted: 3, recall: [2]int{2, 3}, floors: floor, want: "3 rows are scored and 0 left out, of 4"},
		{name: "below the floor", rows: 4, counted: 4, recall: [2]int{1, 4}, floors: floor, want: "recall is 0.250, below the floor 0.5"},
		{name: "nothing mapped", rows: 4, left: 4, floors: floor, want: `recall is "none", below the floor 0.5`},
		{name: "no floor written", rows: 1, counted: 1, recall: [2]int{1, 1}, floors: floor[1:], want: "it has no floor"},
		{name: "a floor of no measure", rows: 1, counted: 1, recall: [2]int{1, 1}, floors: []map[string]string{{"corpus": "c", "measure": "recal",
			"floor": "1"}}, want: "floor of recal"},
	} {
		s := score{name: "c", rows: test.rows, counted: test.counted, shares: map[string][2]int{"recall": test.recall}}
		got := strings.Join(s.problems(test.left, test.floors), "; ")
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
