package vuln_test

import (
	"archive/zip"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/vuln"
)

// benchRecords is how many records the benchmarks import; the published numbers
// use BREAKWATER_BENCH_RECORDS=250000, about all distributions of OSV together.
func benchRecords() int {
	if n, err := strconv.Atoi(os.Getenv("BREAKWATER_BENCH_RECORDS")); err == nil {
		return n
	}
	return 5000
}

// trackerZip writes records shaped like a distribution tracker's: one CVE each,
// a kilobyte of text, three releases, enumerated versions.
func trackerZip(b *testing.B, records int) string {
	b.Helper()
	name := filepath.Join(b.TempDir(), "all.zip")
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	w := zip.NewWriter(f)
	random := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("a buffer overflow in the parser of this library lets remote attackers run code through crafted input that " +
		"was not checked before use in memory")
	for i := range records {
		var text, affected []string
		for range 150 {
			text = append(text, words[random.IntN(len(words))])
		}
		pkg := fmt.Sprintf("package-%d", int(float64(records)/20*random.Float64()*random.Float64()))
		for release := 11; release <= 13; release++ {
			var versions []string
			for v := range 12 {
				versions = append(versions, fmt.Sprintf(`"%d.%d-%d"`, release, v, v%3))
			}
			affected = append(affected, fmt.Sprintf(`{"package":{"ecosystem":"Debian:%d","name":%q},"ranges":[{"type":"ECOSYSTEM",`+
				`"events":[{"introduced":"0"},{"fixed":"%d.%d-1+deb%du%d"}]}],"versions":[%s],"ecosystem_specific":{"urgency":"not yet assigned"}}`,
				release, pkg, release, 12+random.IntN(9), release, random.IntN(5), strings.Join(versions, ",")))
		}
		member, err := w.Create(fmt.Sprintf("DEBIAN-CVE-2024-%06d.json", i))
		if err != nil {
			b.Fatal(err)
		}
		fmt.Fprintf(member, `{"id":"DEBIAN-CVE-2024-%06d","upstream":["CVE-2024-%06d"],"modified":"2024-05-01T00:00:00Z",`+
			`"published":"2024-05-01T00:00:00Z","details":%q,"severity":[{"type":"CVSS_V3",`+
			`"score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"affected":[%s]}`,
			i, i, strings.Join(text, " "), strings.Join(affected, ","))
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	f.Close()
	return name
}

func BenchmarkImportOpenMatch(b *testing.B) {
	records := benchRecords()
	source := trackerZip(b, records)
	for b.Loop() {
		dir := b.TempDir()
		peak := watchHeap(b)
		start := time.Now()
		status, err := vuln.Import(b.Context(), dir, []vuln.Source{{Path: source}}, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(records)/time.Since(start).Seconds(), "records/s")
		b.ReportMetric(float64(peak())/(1<<20), "peak-MB")
		b.ReportMetric(float64(status.Bytes)/(1<<20), "disk-MB")
		start = time.Now()
		db, err := vuln.Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(start).Microseconds())/1000, "open-ms")
		matches := 0
		start = time.Now()
		for i := range 300 { // the packages of one image
			matches += len(db.Match(vuln.Package{Ecosystem: "Debian:12", Name: fmt.Sprintf("package-%d", i*7%(records/20)), Version: "12.14-1"}))
		}
		b.ReportMetric(float64(time.Since(start).Microseconds())/1000, "match-image-ms")
		b.ReportMetric(float64(matches), "matches")
		db.Close()
	}
}

// watchHeap samples the memory in use until the returned func is called.
func watchHeap(b *testing.B) (peak func() uint64) {
	b.Helper()
	stop, result := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				result <- most
				return
			case <-tick.C:
				var stats runtime.MemStats
				runtime.ReadMemStats(&stats)
				most = max(most, stats.Sys-stats.HeapReleased)
			}
		}
	}()
	return func() uint64 { close(stop); return <-result }
}
