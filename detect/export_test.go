package detect

// Sizes is how much an engine remembers.
func Sizes(g *Engine) (alerts, objects, links int) {
	for _, l := range g.about {
		links += len(l)
	}
	return g.open.order.Len(), g.chain.objects.order.Len(), links
}
