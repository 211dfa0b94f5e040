package pipeline

// match is the second stage: which rules hold for which events. It remembers
// nothing.
func (l *lane) match(w *work) error {
	w.matches = l.config.Rules.Match(w.events)
	w.undecided = l.config.Rules.Blind(w.events)
	return nil
}
