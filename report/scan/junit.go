package scan

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The form of results of tests that build servers read: a suite is an image, a test asks whether a package has a
// vulnerability. What is not known is a test that was skipped, or that broke, where that fails the job.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Timestamp  string          `xml:"timestamp,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Properties []junitProperty `xml:"properties>property,omitempty"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name    string     `xml:"name,attr"`
		Class   string     `xml:"classname,attr"`
		Time    string     `xml:"time,attr"`
		Skipped *junitSaid `xml:"skipped,omitempty"`
		Error   *junitSaid `xml:"error,omitempty"`
		Failure *junitSaid `xml:"failure,omitempty"`
		Out     string     `xml:"system-out,omitempty"`
	}
	junitSaid struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

func writeJUnit(w io.Writer, all []Report, o Options) error {
	out := junitSuites{Name: "breakwater"}
	for _, r := range all {
		s := suite(r, o)
		out.Tests, out.Failures, out.Errors, out.Skipped = out.Tests+s.Tests, out.Failures+s.Failures, out.Errors+s.Errors, out.Skipped+s.Skipped
		out.Suites = append(out.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func suite(r Report, o Options) junitSuite {
	s := junitSuite{Name: legible(r.Image.Reference), Timestamp: moment(o.At), Time: "0",
		Properties: []junitProperty{{"completeness", r.Image.Completeness}}}
	for _, p := range [][2]string{{"digest", r.Image.Digest}, {"distribution", r.Image.Distribution}, {"platform", r.Image.Platform}} {
		if p[1] != "" {
			s.Properties = append(s.Properties, junitProperty{p[0], legible(p[1])})
		}
	}
	for _, v := range r.Vulnerabilities {
		s.put(test(v, o))
	}
	for _, f := range r.Secrets {
		c := junitCase{Name: legible(ToldSecret(f)), Class: "secrets"}
		if f.Published {
			c.Skipped = &junitSaid{Message: "it is of a package that others have too"}
		} else {
			c.Failure = &junitSaid{Message: legible(ToldSecret(f)), Type: "secret", Text: "Take it back where it was issued: who has the image has it."}
		}
		s.put(c)
	}
	for _, text := range r.Unseen() {
		c := junitCase{Name: legible("not known: " + text), Class: "completeness"}
		said := &junitSaid{Message: legible(text), Type: "unknown"}
		if o.Unknowns || !r.Image.Known {
			c.Error = said
		} else {
			c.Skipped = &junitSaid{Message: said.Message}
		}
		s.put(c)
	}
	if len(s.Cases) == 0 { // a suite without a test reads as if nobody had looked
		s.put(junitCase{Name: fmt.Sprintf("no vulnerability is known of %d packages", len(r.Packages)), Class: "vulnerabilities"})
	}
	return s
}

func test(v Vulnerability, o Options) junitCase {
	c := junitCase{Name: legible(v.ID + " in " + v.Package + " " + v.Version), Class: legible(v.Package)}
	text := strings.TrimSpace(strings.Join([]string{v.affected(), v.Title, v.upgrade(), v.SeveritySource}, "\n"))
	switch {
	case !v.Exception.Counts():
		c.Skipped, c.Out = &junitSaid{Message: legible(v.Exception.String())}, legible(text)
	case o.fails(v):
		c.Failure = &junitSaid{Message: legible(v.affected()), Type: v.Severity, Text: legible(text)}
	default:
		c.Out = legible("below the level of --fail-on: " + text)
	}
	return c
}

// put adds a test and counts it.
func (s *junitSuite) put(c junitCase) {
	c.Time = "0"
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

// legible leaves out what XML cannot hold, and what nobody sees: text of strangers may be any bytes.
func legible(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) && r != '\t' && r != '\n' {
			return '?'
		}
		return r
	}, s)
}

// moment is a time as GitLab and JUnit write it, in UTC and without a zone.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05") }
