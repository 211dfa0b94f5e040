package corpus

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/netpol"
)

// TestCorpusNetworkPolicies compares connections between workloads, and with
// the outside, with the answers of another analyser.
func TestCorpusNetworkPolicies(t *testing.T) {
	dir := folder(t, "netpol-reachability")
	want := map[string]map[string]string{}
	for _, row := range table(t, filepath.Join(dir, "expected_edges.csv")) {
		if row["analysis"] != "connlist" || strings.HasPrefix(row["src"], "{ingress") {
			continue
		}
		if want[row["case_id"]] == nil {
			want[row["case_id"]] = map[string]string{}
		}
		add(t, want[row["case_id"]], row["src"], row["dst"], row["conn"])
	}
	exact, cases, hit, wrong, missed := 0, 0, 0, 0, 0
	for _, row := range table(t, filepath.Join(dir, "cases.csv")) {
		if row["connlist_rows"] == "" {
			continue
		}
		cases++
		got := connections(t, filepath.Join(dir, row["dir"]))
		errs := 0
		for pair, ports := range got {
			if w, ok := want[row["case_id"]][pair]; ok && w == ports {
				hit++
			} else {
				wrong++
				errs++
				t.Logf("%s: %s: got %s, want %q", row["case_id"], pair, ports, w)
			}
		}
		for pair, ports := range want[row["case_id"]] {
			if got[pair] != ports {
				missed++
				errs++
				if got[pair] == "" {
					t.Logf("%s: %s: missed %s", row["case_id"], pair, ports)
				}
			}
		}
		if errs == 0 {
			exact++
		}
	}
	t.Logf("%d of %d cases exact; connections: precision %.3f, recall %.3f", exact, cases, ratio(hit, hit+wrong), ratio(hit, hit+missed))
	if exact < cases {
		t.Errorf("%d cases are not exact", cases-exact)
	}
}

// add enters a row. The corpus cuts outside into ranges that we join where the
// ports are equal.
func add(t *testing.T, rows map[string]string, src, dst, ports string) {
	side, outside := src, strings.HasSuffix(src, "[External]")
	if !outside {
		side, outside = dst, strings.HasSuffix(dst, "[External]")
	}
	if !outside {
		rows[src+" => "+dst] = ports
		return
	}
	pair := strings.Replace(src+" => "+dst, side, netpol.Outside, 1) + " ["
	low, high, _ := strings.Cut(strings.TrimSuffix(side, "[External]"), "-")
	r := netpol.Ranges{{Low: netip.MustParseAddr(low), High: netip.MustParseAddr(high)}}
	for key, have := range rows {
		if old, ok := strings.CutPrefix(key, pair); ok && have == ports {
			delete(rows, key)
			r = r.Or(prefixes(old))
		}
	}
	text := r.String()
	if text == "0.0.0.0/0" {
		text = "all"
	}
	rows[pair+text+"]"] = ports
}

func prefixes(text string) (r netpol.Ranges) {
	for s := range strings.SplitSeq(strings.TrimSuffix(text, "]"), ", ") {
		r = r.Or(netpol.In(netip.MustParsePrefix(s)))
	}
	return r
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

// connections writes what we find as the corpus does.
func connections(t *testing.T, dir string) map[string]string {
	f, err := kube.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	r := netpol.New(f).Connections(func(p *collect.Pod) string {
		owner := p.Owner
		if owner.Kind == "" || owner.Kind == "Node" { // a node owns its static pods; they are nobody's
			owner.Kind, owner.Name = "Pod", p.Name
		}
		return fmt.Sprintf("%s/%s[%s]", p.Namespace, owner.Name, owner.Kind)
	})
	sets := map[string]netpol.Ports{}
	for c := range r.All() {
		outside := "[all]"
		if c.Addresses != nil {
			outside = "[" + c.Addresses.String() + "]"
		}
		pair := c.From + " => " + c.To
		if c.From == netpol.Outside || c.To == netpol.Outside {
			pair += " " + outside
		}
		sets[pair] = sets[pair].Or(c.Ports)
	}
	out := map[string]string{}
	for pair, ports := range sets {
		out[pair] = spell(ports)
	}
	return out
}

var portText = regexp.MustCompile(`^(.*)/(TCP|UDP|SCTP)$`)

// spell writes ports as the corpus does: "TCP 80,443-445,UDP 53".
func spell(p netpol.Ports) string {
	if p.All() {
		return "All Connections"
	}
	by := map[string][]string{}
	for _, s := range p.List() {
		m := portText.FindStringSubmatch(s)
		by[m[2]] = append(by[m[2]], m[1])
	}
	var out []string
	for _, protocol := range []string{"SCTP", "TCP", "UDP"} {
		if list := by[protocol]; len(list) > 0 {
			out = append(out, protocol+" "+strings.Join(list, ","))
		}
	}
	return strings.Join(out, ",")
}
