package server

import (
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/store"
)

func TestALimitIsANameAndANumber(t *testing.T) {
	for _, c := range []struct {
		given, name string
		want        int64
		wrong       string
	}{
		{"queries=2", "queries", 2, ""},
		{"ingest-memory=64MiB", "ingest-memory", 64 << 20, ""},
		{"ingest-disk=1GiB", "ingest-disk", 1 << 30, ""},
		{"slowest=8KiB", "slowest", 8 << 10, ""},
		{"ingest-disk=1048576GiB", "ingest-disk", 1 << 50, ""},
		{"ingest-disk=1048577GiB", "", 0, "want a number from 1"},
		{"queries=0", "", 0, "want a number from 1"},
		{"queries=-1", "", 0, "want a number from 1"},
		{"queries=many", "", 0, "want a number from 1"},
		{"queries=2MB", "", 0, "want a number from 1"},
		{"queries", "", 0, "want NAME=VALUE"},
		{"question=2", "", 0, "want one of ingest-memory"},
	} {
		l, err := Config{Limits: []string{c.given}}.limits()
		switch {
		case c.wrong == "" && (err != nil || l[c.name] != c.want):
			t.Errorf("%s: %d, %v; want %d", c.given, l[c.name], err, c.want)
		case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
			t.Errorf("%s: %v; want %q", c.given, err, c.wrong)
		}
	}
}

// TestALimitOfAnySizeIsATimeAhead: what is multiplied to a time must not turn around.
func TestALimitOfAnySizeIsATimeAhead(t *testing.T) {
	for _, given := range []string{"query-seconds=1125899906842624", "query-seconds=9223372037", "query-seconds=1048576GiB", "slowest=1"} {
		l, err := Config{Limits: []string{given}}.limits()
		if err != nil {
			t.Fatal(err)
		}
		if within := l.api().Within; within < time.Second || within > 100*365*24*time.Hour || time.Now().Add(within).Before(time.Now()) {
			t.Errorf("%s: a question may take %s", given, within)
		}
	}
}

func TestADurationThatCannotBeMeantIsRefused(t *testing.T) {
	for _, c := range []struct {
		config Config
		wrong  string
	}{
		{Config{}, ""},
		{Config{AdvisoriesEvery: 6 * time.Hour, RegistryEvery: time.Second, SaveEvery: time.Second, SensorCertificates: time.Minute}, ""},
		{Config{AdvisoriesEvery: longest}, ""},
		{Config{AdvisoriesEvery: 1}, "--advisories-every 1ns: want from 1m0s"},
		{Config{AdvisoriesEvery: -time.Hour}, "--advisories-every"},
		{Config{AdvisoriesEvery: math.MaxInt64}, "--advisories-every"},
		{Config{RegistryEvery: -1}, "--registry-every"},
		{Config{SaveEvery: math.MaxInt64}, "--save-every"},
		{Config{SensorCertificates: math.MaxInt64}, "--sensor-cert-life"},
		{Config{SensorCertificates: -time.Second}, "--sensor-cert-life"},
	} {
		err := c.config.times()
		if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%+v: %v; want %q", c.config, err, c.wrong)
		}
	}
}

// budgets is what the objects of a watched cluster may take.
func budgets(t *testing.T, l Limits) int64 {
	t.Helper()
	_, servers, err := Config{From: []string{"context:one"}, Data: t.TempDir()}.sources(l, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	return servers["one"].Budget
}

// TestEveryLimitLimitsSomething: moving one changes what a part of the server is told, and no other.
func TestEveryLimitLimitsSomething(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(config, []byte("clusters: [{name: c, cluster: {server: https://c.example}}]\n"+
		"contexts: [{name: one, context: {cluster: c}}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", config)
	told := func(l Limits) (out [6]any) {
		c := ingest.Config{}
		l.bound(&c)
		out[0] = [...]any{c.Memory, c.MaxBytes, c.MaxBody, c.Nodes, c.Rate, c.Connections, c.Pace}
		out[1], out[2], out[3] = l.gate("connections"), l.pace(), l.api()
		out[4] = budgets(t, l)
		kept := store.DefaultRetention()
		l.retained(kept)
		out[5] = kept["layers"]
		return out
	}
	usual, seen := told(DefaultLimits()), map[any]string{}
	for _, one := range EveryLimit {
		l := DefaultLimits()
		l[one.Name]++
		is := told(l)
		if other, twice := seen[is]; twice || is == usual {
			t.Errorf("%s changes nothing, or the same as %q", one.Name, other)
		}
		seen[is] = one.Name
		if strings.TrimSpace(one.Sentence) == "" || strings.HasSuffix(one.Sentence, ".") {
			t.Errorf("%s: %q", one.Name, one.Sentence)
		}
	}
	if help := LimitHelp(); !strings.Contains(help, "default 256MiB") || !strings.Contains(help, "default 100000") {
		t.Error(help)
	}
}
