package redact

import "log/slog"

// Log takes secrets out of what is logged, as slog.HandlerOptions.ReplaceAttr: messages, texts and errors.
func Log(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(Value(a.Key, a.Value.String()))
	case slog.KindAny:
		if err, ok := a.Value.Any().(error); ok {
			a.Value = slog.StringValue(Text(err.Error()))
		}
	}
	return a
}
