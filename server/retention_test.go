package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/store"
)

func TestRetentionComesFromTheConfigurationFileAndThenFromFlags(t *testing.T) {
	file := filepath.Join(t.TempDir(), "breakwater.yaml")
	text := "retention:\n  alerts: {keep: 90d, rows: 500000}\n  paths: {keep: forever}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Storage{Keep: []string{"alerts=30d"}, KeepRows: []string{"layers=unlimited"}}.retention(file)
	if err != nil {
		t.Fatal(err)
	}
	want := store.DefaultRetention()
	want["alerts"] = store.Limit{Keep: 30 * 24 * time.Hour, Rows: 500_000}
	want["paths"] = store.Limit{Rows: want["paths"].Rows}
	want["layers"] = store.Limit{Keep: want["layers"].Keep, Bytes: want["layers"].Bytes}
	for name := range want {
		if r[name] != want[name] {
			t.Errorf("%s: %+v, want %+v", name, r[name], want[name])
		}
	}
	for _, c := range []struct {
		name, file string
		o          Storage
		want       string
	}{
		{"no value", "", Storage{Keep: []string{"alerts"}}, "want NAME=VALUE"},
		{"no such history", "", Storage{Keep: []string{"alert=3d"}}, "there are alerts, alert-events, paths"},
		{"no time", "", Storage{Keep: []string{"alerts=soon"}}, "want days such as 90d"},
		{"no rows", "", Storage{KeepRows: []string{"alerts=few"}}, "want a number of rows"},
		{"a file with nothing said", "retention: {alerts: {}}", Storage{}, "want keep, rows or both"},
		{"a file with a wrong name", "retention: {alert: {keep: 3d}}", Storage{}, "there are alerts"},
		{"a file with a wrong key", "retention: {alerts: {days: 3}}", Storage{}, "days"},
	} {
		name := ""
		if c.file != "" {
			name = filepath.Join(t.TempDir(), "c.yaml")
			if err := os.WriteFile(name, []byte(c.file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.o.retention(name); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
