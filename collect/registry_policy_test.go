package collect

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTimesAreReadAsPeopleWriteThem(t *testing.T) {
	day := Span(24 * time.Hour)
	for text, want := range map[string]Span{"90d": 90 * day, "2w": 14 * day, "12h": day / 2, "30m": Span(30 * time.Minute),
		"1h30m": Span(90 * time.Minute),
		"0":     0, "0d": 0, "24h": day, "90s": Span(90 * time.Second)} {
		got, err := ParseSpan(text)
		if err != nil || got != want {
			t.Errorf("%q: %s, %v, want %s", text, got, err, want)
		}
		if again, err := ParseSpan(got.String()); again != got || err != nil {
			t.Errorf("%q is written %q, which reads as %s, %v", text, got.String(), again, err)
		}
	}
	for _, text := range []string{"", "d", "-1d", "-5h", "1.5d", "+1d", "01d", "999999999999d", "99999999d", "forever", "9999999h", "1y",
		"1 d", "w"} {
		if got, err := ParseSpan(text); err == nil {
			t.Errorf("%q reads as %s", text, got)
		}
	}
	for span, want := range map[Span]string{7 * day: "7d", Span(6 * time.Hour): "6h", Span(90 * time.Minute): "1h30m",
		Span(10 * time.Minute): "10m"} {
		if span.String() != want {
			t.Errorf("%d is written %q, want %q", span, span.String(), want)
		}
	}
}

func TestARegistryIsReadInItsHours(t *testing.T) {
	at := func(text string) time.Time {
		v, err := time.Parse("Mon 2006-01-02 15:04", text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	tests := []struct {
		hours     Hours
		now, next string
	}{
		{nil, "Mon 2026-03-02 12:00", "Mon 2026-03-02 12:00"},
		{Hours{"22:00-06:00"}, "Mon 2026-03-02 12:00", "Mon 2026-03-02 22:00"},
		{Hours{"22:00-06:00"}, "Mon 2026-03-02 22:00", "Mon 2026-03-02 22:00"},
		{Hours{"22:00-06:00"}, "Tue 2026-03-03 05:59", "Tue 2026-03-03 05:59"},
		{Hours{"22:00-06:00"}, "Tue 2026-03-03 06:00", "Tue 2026-03-03 22:00"},
		{Hours{"12:00-13:00", "18:00-19:00"}, "Mon 2026-03-02 13:00", "Mon 2026-03-02 18:00"},
		{Hours{"18:00-19:00", "12:00-13:00"}, "Mon 2026-03-02 19:00", "Tue 2026-03-03 12:00"},
		{Hours{"sat-sun 00:00-24:00"}, "Mon 2026-03-02 12:00", "Sat 2026-03-07 00:00"},
		{Hours{"sat-sun 00:00-24:00"}, "Sun 2026-03-08 23:59", "Sun 2026-03-08 23:59"},
		{Hours{"fri 22:00-06:00"}, "Sat 2026-03-07 05:00", "Sat 2026-03-07 05:00"},
		{Hours{"fri 22:00-06:00"}, "Sat 2026-03-07 23:00", "Fri 2026-03-13 22:00"},
		{Hours{"fri-mon 01:00-02:00"}, "Mon 2026-03-02 03:00", "Fri 2026-03-06 01:00"},
		{Hours{"mon,wed 01:00-02:00"}, "Mon 2026-03-02 03:00", "Wed 2026-03-04 01:00"},
		{Hours{"Mon 01:00-02:00"}, "Mon 2026-03-02 03:00", "Mon 2026-03-09 01:00"},
	}
	for _, test := range tests {
		if err := test.hours.valid(); err != nil {
			t.Error(err)
		}
		if got := test.hours.Next(at(test.now)); !got.Equal(at(test.next)) || test.hours.Within(at(test.now)) != (test.now == test.next) {
			t.Errorf("%v at %s: %s, want %s", test.hours, test.now, got, test.next)
		}
	}
	elsewhere := at("Tue 2026-03-03 05:59").In(time.FixedZone("", 5*3600))
	if !(Hours{"22:00-06:00"}).Within(elsewhere) {
		t.Error("hours are not of UTC")
	}
	for _, text := range []string{"", "22-06", "22:00", "25:00-26:00", "24:01-01:00", "24:00-01:00", "12:00-12:00", "mo 01:00-02:00",
		"mon- 01:00-02:00",
		"mon 01:00-02:00 utc", "12:60-13:00", "-1:00-02:00", "mon,,tue 01:00-02:00"} {
		if err := (Hours{text}).valid(); err == nil {
			t.Errorf("%q are hours", text)
		}
	}
}

func TestAPolicyThatMakesNoSenseIsRefused(t *testing.T) {
	good := Registry{Host: "r.example", Repositories: []string{"shop/*", "!shop/old-*"}, TagNames: []string{"v*", "!*-debug", "[0-9]*"},
		MaxAge: Span(90 * 24 * time.Hour), Platforms: []string{"linux/arm64", "linux/arm/v7"}, Every: Span(time.Hour),
		Hours: Hours{"22:00-06:00"}}
	if _, err := good.Valid(); err != nil {
		t.Error(err)
	}
	text, err := json.Marshal(good)
	if err != nil || !strings.Contains(string(text), `"maxAge":"90d","platforms":["linux/arm64","linux/arm/v7"],"every":"1h"`) {
		t.Errorf("%s, %v", text, err)
	}
	for want, change := range map[string]func(*Registry){
		"tag":                    func(r *Registry) { r.TagNames = []string{"v/*"} },
		"tag \"[\"":              func(r *Registry) { r.TagNames = []string{"["} },
		"tag \"!\"":              func(r *Registry) { r.TagNames = []string{"!"} },
		"repository \"!\"":       func(r *Registry) { r.Repositories = []string{"!"} },
		"repository \"!!a\"":     func(r *Registry) { r.Repositories = []string{"!!a"} },
		"platform":               func(r *Registry) { r.Platforms = []string{"arm64"} },
		"at most 20 platforms":   func(r *Registry) { r.Platforms = make([]string, 21) },
		"at most 200 names":      func(r *Registry) { r.TagNames = make([]string, 201) },
		"at most 50 times":       func(r *Registry) { r.Hours = make(Hours, 51) },
		"maxAge":                 func(r *Registry) { r.MaxAge = -1 },
		"maxAge: want":           func(r *Registry) { r.MaxAge = longestAge + 1 },
		"every":                  func(r *Registry) { r.Every = -1 },
		"every: want a time":     func(r *Registry) { r.Every = longestAge + 1 },
		"every: want at least":   func(r *Registry) { r.Every = Span(time.Second) },
		"hours \"all day long\"": func(r *Registry) { r.Hours = Hours{"all day long"} },
	} {
		r := good
		change(&r)
		if _, err := r.Valid(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "registry r.example: ") {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestHoursWithoutADayAreOfEachDay, and those of a range of its days alone.
func TestHoursWithoutADayAreOfEachDay(t *testing.T) {
	sunday := time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC)
	for day := range 7 {
		at := sunday.AddDate(0, 0, day)
		if !(Hours{"12:00-13:00"}).Within(at) || (Hours{"13:00-14:00"}).Within(at) {
			t.Errorf("%s: %s", at.Weekday(), at)
		}
		if got, want := (Hours{"fri-mon 00:00-24:00"}).Within(at), day <= 1 || day >= 5; got != want {
			t.Errorf("%s is from Friday to Monday: %t", at.Weekday(), got)
		}
	}
	for _, text := range []string{"12:00-25:00", "12:00-xx", "xx-13:00", "12:00-13:0", "12:00-13:00-14:00"} {
		if (Hours{text}).valid() == nil || !(Hours{text}).Within(sunday) {
			t.Errorf("%q are hours, or keep a registry from being read", text)
		}
	}
}

// TestAPolicyMayBeAsLongAsItsBounds.
func TestAPolicyMayBeAsLongAsItsBounds(t *testing.T) {
	most := Registry{Host: "r.example", MaxAge: longestAge, Every: longestAge, TagNames: slices.Repeat([]string{"v*"}, mostTagNames),
		Platforms: slices.Repeat([]string{"linux/arm64"}, mostPlatforms), Hours: slices.Repeat(Hours{"12:00-13:00"}, mostHours)}
	if _, err := most.Valid(); err != nil {
		t.Error(err)
	}
	most.Every = Span(time.Minute)
	if _, err := most.Valid(); err != nil {
		t.Error(err)
	}
	for text, fits := range map[string]bool{"36600d": true, "36601d": false, "5228w": true,
		"5229w": false, "878400h": true, "878401h": false} {
		if _, err := ParseSpan(text); (err == nil) != fits {
			t.Errorf("%s: %v", text, err)
		}
	}
}
