package audit

import (
	"bytes"
	"os"
	"testing"
)

func BenchmarkX(b *testing.B) {
	text, _ := os.ReadFile("/tmp/det/sample.jsonl")
	var lines []string
	for _, l := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
		lines = append(lines, string(l))
	}
	for name, f := range map[string]func(string){
		"parse": func(l string) { parse(l) },
		"evidence": func(l string) {
			r, _ := parse(l)
			if !r.announced() {
				r.evidence(l)
			}
		},
		"hash": func(l string) { hash("c", l) },
		"all":  func(l string) { d := Decoder{Cluster: "c"}; b := &Batch{}; r, _ := parse(l); d.add(b, r, l) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text) / len(lines)))
			for i := 0; b.Loop(); i++ {
				f(lines[i%len(lines)])
			}
		})
	}
}
