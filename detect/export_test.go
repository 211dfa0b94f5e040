package detect

// Sizes is how much an engine remembers.
func Sizes(g *Engine) (alerts, objects, links int) {
	for _, l := range g.byObject {
		links += len(l)
	}
	return g.open.Len(), g.objects.recent.Len(), links
}
