package report

import (
	"fmt"
	"testing"
)

func TestWhatIsNotKnownInSeveralClustersIsToldOnce(t *testing.T) {
	d := Difference{NotKnown: []string{"fix a: why", "fix b: why", "fix a: why"}}
	d.order()
	if got := fmt.Sprint(d.NotKnown); got != "[fix a: why fix b: why]" {
		t.Errorf("told is %s", got)
	}
}
