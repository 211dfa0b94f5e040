package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/breakwater-sec/breakwater/redact"
)

// Log is how the server tells what it does.
type Log struct {
	// Level is the least that is told: debug, info, warn or error; Format is text or json.
	// Empty ones are info and text.
	Level, Format string
}

// logger writes records to w, and counts them in told; verbose is as the level debug.
func (l Log) logger(w io.Writer, verbose bool, told *levels) (*slog.Logger, error) {
	level, known := map[string]slog.Level{"": slog.LevelInfo, "debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn,
		"error": slog.LevelError}[l.Level]
	if !known {
		return nil, fmt.Errorf("--log-level %s: want debug, info, warn or error", l.Level)
	}
	if verbose {
		level = slog.LevelDebug
	}
	o := &slog.HandlerOptions{Level: level, ReplaceAttr: redact.Log}
	switch l.Format {
	case "", "text":
		return slog.New(counting{slog.NewTextHandler(w, o), told}), nil
	case "json":
		return slog.New(counting{slog.NewJSONHandler(printable{w}, o), told}), nil
	}
	return nil, fmt.Errorf("--log-format %s: want text or json", l.Format)
}

// printable escapes in lines of JSON what moves a reader's cursor or turns text around. Such
// letters stand only inside strings, so the lines mean the same. (slog's text quotes them by
// itself.)
type printable struct{ to io.Writer }

func (p printable) Write(line []byte) (int, error) {
	if bytes.IndexFunc(line, hidden) < 0 {
		return p.to.Write(line)
	}
	var out []byte
	for rest := line; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		switch {
		case !hidden(r):
			out = append(out, rest[:n]...)
		case r > 0xffff:
			high, low := surrogates(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		rest = rest[n:]
	}
	if _, err := p.to.Write(out); err != nil {
		return 0, err
	}
	return len(line), nil
}

func hidden(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }

func surrogates(r rune) (high, low rune) {
	r -= 0x10000
	return 0xd800 + r>>10, 0xdc00 + r&0x3ff
}

// levels count what was logged, for the metrics.
type levels struct{ warnings, errors atomic.Int64 }

// counting is a handler that counts.
type counting struct {
	slog.Handler
	levels *levels
}

// Handle implements slog.Handler.
func (c counting) Handle(ctx context.Context, r slog.Record) error {
	switch {
	case r.Level >= slog.LevelError:
		c.levels.errors.Add(1)
	case r.Level >= slog.LevelWarn:
		c.levels.warnings.Add(1)
	}
	return c.Handler.Handle(ctx, r)
}

// WithAttrs and WithGroup implement slog.Handler.
func (c counting) WithAttrs(a []slog.Attr) slog.Handler {
	return counting{c.Handler.WithAttrs(a), c.levels}
}
func (c counting) WithGroup(name string) slog.Handler {
	return counting{c.Handler.WithGroup(name), c.levels}
}
