package pipeline

// alert is the fourth stage: one human action is one alert, however many events
// it left.
func (l *lane) alert(w *work) error {
	w.alerts = l.engine.Take(w.events, w.matches)
	return nil
}
