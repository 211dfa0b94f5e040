package corpus

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/netpol"
)

// connection is what the key says of a pair: the ports, and how many of its rows say so.
type connection struct {
	ports string
	rows  int
}

// TestCorpusNetworkPolicies compares connections between workloads, and with
// the outside, with the answers of another analyser.
func TestCorpusNetworkPolicies(t *testing.T) {
	dir := folder(t, "netpol-reachability")
	key := table(t, inside(dir, "expected_edges.csv"))
	s := scoring(t, "netpol-reachability", len(key))
	want := map[string]map[string]connection{}
	for _, row := range key {
		name := named(row["case_id"], row["src"], "=>", row["dst"])
		switch {
		case row["analysis"] != "connlist":
			s.leave(name, "what representative pods that are not there could reach: "+row["analysis"])
		case strings.HasPrefix(row["src"], "{ingress"):
			s.leave(name, "through an ingress controller: a row of the external ingress too")
		default:
			if want[row["case_id"]] == nil {
				want[row["case_id"]] = map[string]connection{}
			}
			add(t, want[row["case_id"]], row["src"], row["dst"], row["conn"])
		}
	}
	exact, cases := map[string]int{}, map[string]int{}
	for _, row := range table(t, inside(dir, "cases.csv")) {
		if row["connlist_rows"] == "" {
			continue // the key has no such answer to it
		}
		before := s.wrong + s.missed
		s.connections(row["case_id"], connections(t, inside(dir, row["dir"])), want[row["case_id"]])
		delete(want, row["case_id"])
		cases[row["tier"]]++
		if s.wrong+s.missed == before {
			exact[row["tier"]]++
		}
	}
	for id := range want {
		t.Errorf("%s has rows and is no case", id)
	}
	for tier := range cases {
		s.share("exact "+tier, exact[tier], cases[tier])
	}
	s.end()
}

// connections counts the pairs of one case.
func (s *score) connections(id string, got map[string]string, want map[string]connection) {
	for pair, w := range want {
		s.row(fmt.Sprintf("%s: %s: got %s, want %s", id, pair, cmp.Or(got[pair], "nothing"), w.ports), got[pair] == w.ports, true)
		s.counted += w.rows - 1 // that the key has cut in pieces
	}
	for pair, ports := range got {
		if w, known := want[pair]; !known || w.ports != ports {
			s.beyond(fmt.Sprintf("%s: %s: got %s, want %s", id, pair, ports, cmp.Or(w.ports, "nothing")))
		}
	}
}

// TestCorpusExternalIngress compares which workloads policies let traffic from outside reach, and on which ports.
func TestCorpusExternalIngress(t *testing.T) {
	dir := folder(t, "netpol-reachability")
	key := table(t, inside(dir, "external_ingress.csv"))
	s := scoring(t, "external-ingress", len(key))
	folders, told, known := map[string]string{}, map[string]map[string]string{}, map[string]bool{}
	for _, row := range table(t, inside(dir, "cases.csv")) {
		folders[row["case_id"]] = row["dir"]
	}
	for _, row := range key {
		id, name := row["case_id"], named(row["case_id"], row["workload"])
		if row["from_ip_blocks"] == "" {
			s.leave(name, "reached through an ingress controller alone, which policies do not tell")
			continue
		}
		if told[id] == nil {
			told[id] = entered(connections(t, inside(dir, folders[id])))
		}
		got, want := told[id][row["workload"]], blocks(t, row["workload"], row["from_ip_blocks"])
		s.row(fmt.Sprintf("%s: got %s, want %s", name, cmp.Or(got, "nothing"), want), got == want, true)
		known[name] = true
	}
	for id, workloads := range told {
		for workload, from := range workloads {
			if !known[named(id, workload)] {
				s.beyond(named(id, workload, from))
			}
		}
	}
	s.end()
}

// entered are the connections from outside, by the workload that they lead to.
func entered(all map[string]string) map[string]string {
	out := map[string]string{}
	for pair, ports := range all {
		if to, from := strings.CutPrefix(pair, netpol.Outside+" => "); from {
			workload, addresses, _ := strings.Cut(to, " [")
			out[workload] = strings.TrimSuffix(addresses, "]") + ": " + ports
		}
	}
	return out
}

// blocks is what the key says of addresses outside: RANGE[External]:PORTS; and so on.
func blocks(t *testing.T, workload, text string) (out string) {
	rows := map[string]connection{}
	for part := range strings.SplitSeq(strings.TrimSuffix(text, ";"), ";") {
		side, ports, _ := strings.Cut(part, ":")
		add(t, rows, side, workload, ports)
	}
	told := map[string]string{}
	for pair, c := range rows {
		told[pair] = c.ports
	}
	return entered(told)[workload]
}

// add enters a row. The corpus cuts outside into ranges that we join where the
// ports are equal.
func add(t *testing.T, rows map[string]connection, src, dst, ports string) {
	side, outside := src, strings.HasSuffix(src, "[External]")
	if !outside {
		side, outside = dst, strings.HasSuffix(dst, "[External]")
	}
	if !outside {
		rows[src+" => "+dst] = connection{ports, rows[src+" => "+dst].rows + 1}
		return
	}
	pair := strings.Replace(src+" => "+dst, side, netpol.Outside, 1) + " ["
	low, high, _ := strings.Cut(strings.TrimSuffix(side, "[External]"), "-")
	r, of := netpol.Ranges{{Low: netip.MustParseAddr(low), High: netip.MustParseAddr(high)}}, 1
	for key, have := range rows {
		if old, ok := strings.CutPrefix(key, pair); ok && have.ports == ports {
			delete(rows, key)
			r, of = r.Or(prefixes(old)), of+have.rows
		}
	}
	text := r.String()
	if text == "0.0.0.0/0" {
		text = "all"
	}
	rows[pair+text+"]"] = connection{ports, of}
}

func prefixes(text string) (r netpol.Ranges) {
	for s := range strings.SplitSeq(strings.TrimSuffix(text, "]"), ", ") {
		r = r.Or(netpol.In(netip.MustParsePrefix(s)))
	}
	return r
}

// connections writes what we find as the corpus does.
func connections(t *testing.T, dir string) map[string]string {
	f, err := kube.Open(t.Context(), dir) // as every --from
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
		if c.Addresses != nil { // the key knows IPv4 alone
			outside = "[" + c.Addresses.And(prefixes("0.0.0.0/0")).String() + "]"
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
