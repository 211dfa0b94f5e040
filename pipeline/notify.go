package pipeline

// notify is the last stage: subscribers are told what was committed.
func (l *lane) notify(w *work) {
	if w.batch != nil {
		l.unreadable.add(l.sender, w.unreadable)
		l.blind.add(l.sender, w.blind)
	}
	if len(w.alerts) == 0 {
		return
	}
	for _, a := range w.alerts {
		l.config.Log.Info("alert", "cluster", a.Cluster, "severity", a.Severity, "title", a.Title, "count", a.Count)
	}
	l.config.Tell()
}
