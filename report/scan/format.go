package scan

import (
	"fmt"
	"io"
	"time"

	"github.com/breakwater-sec/breakwater/severity"
)

// Options is what the formats say beside the reports themselves.
type Options struct {
	// Version is of the program, At when it looked.
	Version string
	At      time.Time
	// FailOn is the least severity that fails a test, where results are tests; each fails without. Unknowns
	// says that a test fails also by what is not known.
	FailOn   string
	Unknowns bool
}

// formats are the ways to write reports for other tools, by their names.
var formats = []struct {
	name, mediaType string
	write           func(io.Writer, []Report, Options) error
}{
	{"cyclonedx", "application/vnd.cyclonedx+json; version=1.6", writeCycloneDX},
	{"spdx", "application/spdx+json", writeSPDX},
	{"sarif", "application/sarif+json", writeSARIF},
	{"junit", "application/xml", writeJUnit},
	{"gitlab", "application/json", writeGitLab},
}

// Formats are the names of the formats that Write knows.
func Formats() (names []string) {
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// MediaType is a format's; empty for one that is none.
func MediaType(format string) string {
	for _, f := range formats {
		if f.name == format {
			return f.mediaType
		}
	}
	return ""
}

// Write writes reports in one of the formats.
func Write(w io.Writer, format string, all []Report, o Options) error {
	for _, f := range formats {
		if f.name == format {
			return f.write(w, all, o)
		}
	}
	return fmt.Errorf("%q is no format: want one of %v", format, Formats())
}

// fails says whether a vulnerability fails its test.
func (o Options) fails(v Vulnerability) bool {
	if severity.Rank(v.Severity) <= severity.Rank(string(severity.Unknown)) {
		return o.FailOn == "" || o.Unknowns
	}
	return o.FailOn == "" || severity.Compare(v.Severity, o.FailOn) >= 0
}
