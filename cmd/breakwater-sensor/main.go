// Breakwater's sensor: what runs on every node and tells the server which
// programs start there.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/sensor/process"
)

func main() {
	p, err := process.Open()
	if err != nil {
		fmt.Fprintln(os.Stderr, "breakwater-sensor:", err)
		os.Exit(2)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	n := uint64(0)
	host, _ := os.Hostname()
	for {
		err := p.Read(func(r *runtime.Record) {
			n++
			r.Node, r.Boot, r.Sequence = host, "x", n
			_ = out.Encode(r)
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, "breakwater-sensor:", err)
			os.Exit(2)
		}
	}
}
