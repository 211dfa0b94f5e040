package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/exception"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/report"
	"github.com/breakwater-sec/breakwater/report/scan"
)

// imageReport is what is known of an image as a document: of the command line, or in a format of other tools. The
// image is named by its id, or as people write it.
func (s session) imageReport(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	format, kind := cmp.Or(q.Get("format"), "json"), "application/json"
	if format != "json" {
		if kind = scan.MediaType(format); kind == "" {
			problem(w, http.StatusBadRequest, "no such format", fmt.Sprintf("%.40q: want json, %s", format, strings.Join(scan.Formats(), ", ")))
			return
		}
	}
	n, there := s.imageNamed(q.Get("id"))
	if !there {
		problem(w, http.StatusNotFound, "not found", "no image "+q.Get("id"))
		return
	}
	found, err := s.scanned(r.Context(), n)
	if err != nil {
		failed(s.log, w, r, err)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": fileOf(n, format)}))
	if format == "json" {
		err = json.NewEncoder(w).Encode(found)
	} else {
		err = scan.Write(w, format, []scan.Report{found}, scan.Options{Version: s.version, At: time.Now()})
	}
	if err != nil {
		s.log.Warn("report", "error", err) // the head of the answer is gone already
	}
}

// imageNamed is an image by its id or else by a name that only it has.
func (s session) imageNamed(name string) (graph.Node, bool) {
	if n, there := s.View.Node("Image", name); there {
		return n, true
	}
	var found []graph.Node
	for n := range s.View.Nodes("Image") {
		if n.Text("name") == name && name != "" {
			found = append(found, n)
		}
	}
	if len(found) != 1 {
		return graph.Node{}, false
	}
	return found[0], true
}

// scanned is what is known of an image now.
func (s session) scanned(ctx context.Context, n graph.Node) (scan.Report, error) {
	name := cmp.Or(n.Text("name"), n.ID())
	inv, err := s.Inventory(ctx, n.ID())
	if err != nil {
		return scan.Report{}, err
	}
	a := s.Assessed(ctx, n.ID())
	if inv == nil || a == nil {
		why := n.Text("scanError")
		if a != nil {
			why = cmp.Or(a.Why, why)
		}
		return scan.NotRead(name, cmp.Or(why, "it was not read yet")), nil
	}
	out := scan.Of(inv, a)
	out.Image.Reference = name
	out.Image.Digest = cmp.Or(n.Text("digest"), out.Image.Digest)
	set, _ := s.exceptions(ctx) // what is wrong with it is told by ListExceptions and the log
	out.Except(exception.NewTally(set, time.Now()), report.WhereOf(n))
	return out, nil
}

// fileOf names a download: what the image is called, and the form.
func fileOf(n graph.Node, format string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '_'
	}, cmp.Or(n.Text("name"), n.ID()))
	ends := map[string]string{"junit": ".junit.xml", "sarif": ".sarif", "cyclonedx": ".cdx.json", "spdx": ".spdx.json"}
	return name + cmp.Or(ends[format], ".json")
}
