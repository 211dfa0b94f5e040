package cli

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/report/scan"
)

func TestWhatMakesACommandFail(t *testing.T) {
	tests := []struct {
		name       string
		fail       failing
		unknown    bool
		severities []string
		want       error
	}{
		{"no flag", failing{}, true, []string{"Critical", "Unknown"}, nil},
		{"a finding at the level", failing{on: "High"}, false, []string{"Low", "High"}, errFindings},
		{"findings below the level", failing{on: "High"}, false, []string{"Low", "Medium"}, nil},
		{"what is unknown is no finding", failing{on: "Low"}, true, []string{"Unknown"}, nil},
		{"what is unknown counts if asked", failing{unknown: true}, true, nil, errUnknown},
		{"so does a severity that nobody rated", failing{unknown: true}, false, []string{"Unknown"}, errUnknown},
		{"and a word that is none", failing{unknown: true}, false, []string{"dire"}, errUnknown},
		{"everything is known", failing{on: "High", unknown: true}, false, []string{"Low"}, nil},
		{"a finding comes before what is unknown", failing{on: "High", unknown: true}, true, []string{"Unknown", "Critical"}, errFindings},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.fail.decide(io.Discard, test.unknown, test.severities...); !errors.Is(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestTheLevelToFailOnTakesAnyCase(t *testing.T) {
	for _, word := range []string{"high", "High", "HIGH"} {
		for _, args := range [][]string{{"scan", "image", "rootfs:/no/such/folder", "--data", t.TempDir(), "--fail-on", word},
			{"paths", "--from", "testdata/shop", "--data", t.TempDir(), "--fail-on", word},
			{"recommendations", "--from", "testdata/shop", "--data", t.TempDir(), "--fail-on", word},
			{"detect", "--audit", "testdata/audit/day.jsonl", "--fail-on", word}} {
			if _, errOut, code := command(t, args...); code == exitCannot && args[0] != "scan" {
				t.Errorf("%v: exit code %d: %s", args, code, errOut)
			}
		}
	}
	if _, errOut, code := command(t, "detect", "--audit", "testdata/audit/day.jsonl", "--fail-on", "highest"); code != exitCannot {
		t.Errorf("a word that is none: exit code %d: %s", code, errOut)
	}
}

func TestUnknownIsNeverShownAsNoneKnown(t *testing.T) {
	tests := []struct {
		image  scan.Image
		counts []string
		want   string
	}{
		{scan.Image{Known: true}, nil, "none known"},
		{scan.Image{Known: true, Partly: true}, nil, "none known in what was read"},
		{scan.Image{Known: true, Partly: true}, []string{"1 high", "2 low"}, "1 high, 2 low in what was read"},
		{scan.Image{Known: true}, []string{"1 high"}, "1 high"},
		{scan.Image{}, nil, "unknown"},
	}
	for _, test := range tests {
		if got := told(test.image, test.counts); got != test.want {
			t.Errorf("%+v: %q, want %q", test.image, got, test.want)
		}
	}
}

// TestAZeroInSpiteOfTheUnknownIsToldWithAWarning holds every way to 0.
func TestAZeroInSpiteOfTheUnknownIsToldWithAWarning(t *testing.T) {
	tests := []struct {
		name    string
		fail    failing
		unknown bool
		found   []string
		warns   bool
	}{
		{"nothing unknown", failing{on: "High", warns: true}, false, []string{"Low"}, false},
		{"a gap", failing{on: "High"}, true, nil, true},
		{"nobody rated it", failing{on: "High"}, false, []string{"Unknown"}, true},
		{"nobody asked for an exit code", failing{}, true, nil, false},
		{"nobody asked, and a scan", failing{warns: true}, true, nil, true},
		{"it counts", failing{on: "High", unknown: true}, true, nil, false},
		{"findings tell enough", failing{on: "High"}, true, []string{"Critical"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var said strings.Builder
			_ = test.fail.decide(&said, test.unknown, test.found...)
			if warns := strings.Contains(said.String(), "--fail-on-unknown"); warns != test.warns {
				t.Errorf("warns: %v, want %v: %s", warns, test.warns, said.String())
			}
		})
	}
}
