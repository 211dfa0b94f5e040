package collect

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Choice is what is made of one tag of a registry by what is to be read of it.
type Choice struct {
	Repository string `json:"repository"`
	Tag        string `json:"tag"`
	Digest     string `json:"digest,omitempty"` // empty if it was left out before anybody asked
	// Made is when the image says that it was made, and Platforms for which it says it is; nil if nobody asked or it does not say.
	Made      *time.Time `json:"made,omitempty"`
	Platforms []string   `json:"platforms,omitempty"`
	// Why it is left out; empty if it is chosen.
	Why string `json:"why,omitempty"`
}

// Preview is what would be read of a registry, and what would be left out.
type Preview struct {
	// Chosen and Left count tags; Items are the first of them.
	Chosen, Left int
	Items        []Choice
	// Repositories are those that were looked at.
	Repositories int
	// Cut says why there is more than was looked at; empty if there is not.
	Cut  string
	Gaps []Gap
}

// bounds of a policy, far above what people write.
const (
	mostTagNames, mostPlatforms, mostHours = 200, 20, 50
	longestAge                             = Span(100 * 366 * 24 * time.Hour)
)

var (
	tagPattern = regexp.MustCompile(`^!?[a-zA-Z0-9_.*?\[\]^-]{1,130}$`)
	platform   = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9_-]+(/[a-z0-9.]+)?$`)
)

// validPolicy says what is wrong with what a policy wants.
func (r Registry) validPolicy() error {
	switch {
	case len(r.TagNames) > mostTagNames:
		return fmt.Errorf("want at most %d names of tags, have %d", mostTagNames, len(r.TagNames))
	case len(r.Platforms) > mostPlatforms:
		return fmt.Errorf("want at most %d platforms, have %d", mostPlatforms, len(r.Platforms))
	case r.MaxAge < 0 || r.MaxAge > longestAge:
		return fmt.Errorf("maxAge: want a time such as 90d, have %s", r.MaxAge)
	case r.Every < 0 || r.Every > longestAge:
		return fmt.Errorf("every: want a time such as 6h, have %s", r.Every)
	case r.Every > 0 && r.Every < Span(time.Minute):
		return fmt.Errorf("every: want at least 1m, have %s", r.Every)
	}
	for _, t := range r.TagNames {
		bare := strings.TrimPrefix(t, "!")
		if _, err := path.Match(bare, ""); err != nil || !tagPattern.MatchString(t) {
			return fmt.Errorf("tag %.200q: want a name or a pattern such as v*, or !*-debug to leave it out", t)
		}
	}
	for _, p := range r.Platforms {
		if !platform.MatchString(p) {
			return fmt.Errorf("platform %.100q: want OS/ARCHITECTURE such as linux/arm64", p)
		}
	}
	return r.Hours.valid()
}

// Span is a length of time as people write it: 90d, 2w, 12h or 30m.
type Span time.Duration

// ParseSpan reads one.
func ParseSpan(text string) (Span, error) {
	n, unit := text, time.Duration(0)
	switch {
	case strings.HasSuffix(text, "d"):
		n, unit = strings.TrimSuffix(text, "d"), 24*time.Hour
	case strings.HasSuffix(text, "w"):
		n, unit = strings.TrimSuffix(text, "w"), 7*24*time.Hour
	}
	if unit > 0 {
		days := 0
		if _, err := fmt.Sscanf(n, "%d", &days); err != nil || fmt.Sprint(days) != n || days < 0 || days > int(longestAge/Span(unit)) {
			return 0, fmt.Errorf("%.40q: want a time such as 90d or 12h, at most 100 years", text)
		}
		return Span(time.Duration(days) * unit), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || Span(d) > longestAge {
		return 0, fmt.Errorf("%.40q: want a time such as 90d or 12h, at most 100 years", text)
	}
	return Span(d), nil
}

// String writes it as ParseSpan reads it.
func (s Span) String() string {
	d := time.Duration(s)
	if d > 0 && d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	text := d.String()
	if cut := strings.TrimSuffix(text, "m0s"); cut != text {
		text = cut + "m"
	}
	if cut := strings.TrimSuffix(text, "h0m"); cut != text {
		text = cut + "h"
	}
	return text
}

// MarshalText implements encoding.TextMarshaler.
func (s Span) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Span) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSpan(string(text))
	return err
}

// Hours are when a registry is read, in UTC: "22:00-06:00", "sat-sun 00:00-24:00", "mon,wed 12:00-13:00". What goes past midnight
// belongs to the day it begins on.
type Hours []string

// window is one of them, in minutes of its day; to may be past it.
type window struct {
	days     [7]bool
	from, to int
}

const dayMinutes = 24 * 60

func (h Hours) valid() error {
	if len(h) > mostHours {
		return fmt.Errorf("want at most %d times of day, have %d", mostHours, len(h))
	}
	for _, text := range h {
		if _, err := parseWindow(text); err != nil {
			return err
		}
	}
	return nil
}

var days = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func parseWindow(text string) (w window, err error) {
	wrong := fmt.Errorf("hours %.60q: want times of day in UTC such as 22:00-06:00, or sat-sun 00:00-24:00", text)
	fields := strings.Fields(strings.ToLower(text))
	switch len(fields) {
	case 1:
		w.days = [7]bool{true, true, true, true, true, true, true}
	case 2:
		for part := range strings.SplitSeq(fields[0], ",") {
			from, to, isRange := strings.Cut(part, "-")
			if !isRange {
				to = from
			}
			a, b := slices.Index(days, from), slices.Index(days, to)
			if a < 0 || b < 0 {
				return w, wrong
			}
			for i := a; ; i = (i + 1) % 7 {
				if w.days[i] = true; i == b {
					break
				}
			}
		}
	default:
		return w, wrong
	}
	from, to, ok := strings.Cut(fields[len(fields)-1], "-")
	var ok1, ok2 bool
	w.from, ok1 = minuteOf(from)
	w.to, ok2 = minuteOf(to)
	if !ok || !ok1 || !ok2 || w.from == w.to || w.from == dayMinutes {
		return w, wrong
	}
	if w.to < w.from {
		w.to += dayMinutes
	}
	return w, nil
}

var clock = regexp.MustCompile(`^([01][0-9]|2[0-4]):([0-5][0-9])$`)

func minuteOf(text string) (int, bool) {
	m := clock.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	hour, minute := 0, 0
	_, _ = fmt.Sscanf(m[1]+" "+m[2], "%d %d", &hour, &minute) // two digits each
	at := hour*60 + minute
	return at, at <= dayMinutes
}

// Next is the first moment from at on that is within them: at itself if it is, or if there are none. What is no time of day does
// not count: it was refused when it was written.
func (h Hours) Next(at time.Time) time.Time {
	var next time.Time
	utc := at.UTC()
	midnight := time.Date(utc.Year(), utc.Month(), utc.Day(), 0, 0, 0, 0, time.UTC)
	for _, text := range h {
		w, err := parseWindow(text)
		if err != nil {
			continue
		}
		for day := -1; day <= 7; day++ { // one that began yesterday may still go on
			of := midnight.AddDate(0, 0, day)
			if !w.days[of.Weekday()] {
				continue
			}
			from, to := of.Add(time.Duration(w.from)*time.Minute), of.Add(time.Duration(w.to)*time.Minute)
			if !at.Before(from) && at.Before(to) {
				return at
			}
			if from.After(at) && (next.IsZero() || from.Before(next)) {
				next = from
			}
		}
	}
	if next.IsZero() {
		return at
	}
	return next
}

// Within says whether a moment is within them.
func (h Hours) Within(at time.Time) bool { return h.Next(at).Equal(at) }
