package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"
)

const strange = "a\x1b[31m\nb\u202ec\u009bd\U000e0001\"="

// What strangers wrote neither begins a line of the log nor moves its reader's cursor.
func TestForeignTextIsEscapedInEitherFormat(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var b bytes.Buffer
		log, err := Log{Format: format}.logger(&b, false, &levels{})
		if err != nil {
			t.Fatal(err)
		}
		log.Warn("said "+strange, "by", strange, "error", errors.New(strange))
		line := strings.TrimSuffix(b.String(), "\n")
		if i := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%s: %q holds %q", format, line, line[i:])
		}
		if format != "json" {
			continue
		}
		var read map[string]any
		if err := json.Unmarshal([]byte(line), &read); err != nil || read["by"] != strange || read["error"] != strange {
			t.Errorf("%s is read as %q, %v", line, read, err)
		}
	}
}

func TestSecretsInErrorsAreNotLogged(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var b bytes.Buffer
		log, err := Log{Format: format}.logger(&b, false, &levels{})
		if err != nil {
			t.Fatal(err)
		}
		log.With("url", "https://u:hunter2hunter2@h.example/").Error("cannot ask", "error", errors.New("Authorization: Bearer hunter2hunter2"))
		if strings.Contains(b.String(), "hunter2") || !strings.Contains(b.String(), "h.example") {
			t.Errorf("%s", &b)
		}
	}
}

func TestLevelsOfTheLog(t *testing.T) {
	for level, want := range map[string]int{"": 3, "debug": 4, "info": 3, "warn": 2, "error": 1} {
		var b bytes.Buffer
		told := &levels{}
		log, err := Log{Level: level}.logger(&b, false, told)
		if err != nil {
			t.Fatal(err)
		}
		log = log.With("a", 1).WithGroup("g")
		log.Debug("m")
		log.Info("m")
		log.Warn("m")
		log.Error("m")
		if got := strings.Count(b.String(), "\n"); got != want || told.errors.Load() != 1 {
			t.Errorf("%q: %d lines, %d errors; want %d lines", level, got, told.errors.Load(), want)
		}
	}
	for _, bad := range []Log{{Level: "loud"}, {Format: "xml"}} {
		if _, err := bad.logger(nil, false, &levels{}); err == nil || !strings.Contains(err.Error(), "want ") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	var b bytes.Buffer
	if log, _ := (Log{Level: "error"}).logger(&b, true, &levels{}); log != nil {
		log.Debug("m")
	}
	if b.Len() == 0 {
		t.Error("-v is the level debug")
	}
}
