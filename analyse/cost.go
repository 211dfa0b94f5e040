package analyse

// What a step costs an attacker. Costs are sums, so a cheap long route may be
// preferred to a dear short one; the numbers and their reasons are in
// docs/adr/0310.
const (
	costOfDoubt = 8
	costOfMost  = 1 << 20 // more than any route
)

var (
	costOfLikelihood = map[likelihood]int32{"certain": 0, "likely": 2, "possible": 6}
	costOfEffort     = map[effort]int32{"low": 1, "medium": 2, "high": 5}
)

// cost of using the technique once; doubt is that a guard may prevent it.
func (t *technique) cost(doubt bool) int32 {
	c := costOfLikelihood[t.Likelihood] + costOfEffort[t.Effort]
	if doubt {
		c += costOfDoubt
	}
	return c
}
