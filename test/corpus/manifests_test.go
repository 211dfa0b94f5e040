package corpus

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// TestCorpusBadPods compares what a pod is given of its node with the flags in its manifest.
func TestCorpusBadPods(t *testing.T) {
	dir := folder(t, "badpods")
	key := table(t, inside(dir, "expected.csv"))
	s := scoring(t, "badpods", len(key))
	flags, gotFlags, wantFlags := 0, 0, 0
	for _, row := range key {
		got := flagsOf(t, inside(dir, row["file"]))
		want := map[string]bool{}
		for flag := range strings.SplitSeq(row["flags_in_file"], ";") {
			if flag != "" {
				want[flag] = true
			}
		}
		for flag := range want {
			if got[flag] {
				flags++
			}
		}
		gotFlags, wantFlags = gotFlags+len(got), wantFlags+len(want)
		s.row(fmt.Sprintf("%s: %v, want %v", row["file"], slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))),
			len(want) == 0 && len(got) > 0 || len(want) > 0 && maps.Equal(got, want), len(want) > 0)
	}
	s.share("flag precision", flags, gotFlags)
	s.share("flag recall", flags, wantFlags)
	s.end()
}

// flagsOf are what the pods of a file have of their node, in the corpus's words.
func flagsOf(t *testing.T, file string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, row := range ask(t, file, "MATCH (p:Pod)-[:RUNS]->(c:Container) RETURN p.hostPID, p.hostIPC, p.hostNetwork, c.privileged") {
		for i, flag := range []string{"hostPID", "hostIPC", "hostNetwork", "privileged"} {
			if row[i] == "true" {
				out[flag] = true
			}
		}
	}
	for _, row := range ask(t, file, "MATCH (c:Container)-[:MOUNTS]->(v:Volume) WHERE v.hostPath RETURN v.path") {
		out["hostPath:"+row[0]] = true
	}
	return out
}

// TestCorpusKubehoundEdges compares steps of an attacker with those of another graph of attacks;
// kubehound.csv says which question of ours gives which of its edges.
func TestCorpusKubehoundEdges(t *testing.T) {
	dir := folder(t, "kubehound-cluster")
	question := map[string]string{}
	for _, row := range table(t, "kubehound.csv") {
		question[row["edge"]] = row["query"]
	}
	key := table(t, inside(dir, "expected_edges.csv"))
	s := scoring(t, "kubehound-cluster", len(key))
	closed := map[string]map[string]bool{} // by edge: the pairs that there are, where the key has them all
	answers := map[string][][]string{}
	for _, row := range key {
		edge, _, _ := strings.Cut(row["edge"], " ")
		name := named(row["edge"], row["from_name"], row["to_name"])
		if question[edge] == "" {
			s.leave(name, "no question of ours stands for this edge")
			continue
		}
		if _, asked := answers[edge]; !asked {
			answers[edge] = nil
			for _, a := range ask(t, inside(dir, "attacks"), question[edge]) {
				if len(a) == 3 { // role and binding: together what the key calls a permission set
					a = []string{path.Base(a[0]) + "::" + path.Base(a[1]), a[2]}
				}
				answers[edge] = append(answers[edge], a)
			}
		}
		from, to := row["from_name"], row["to_name"]
		if edge == "NONE" { // nothing may lead on from there
			s.row(name, slices.ContainsFunc(answers[edge], func(a []string) bool { return a[0] == from }), false)
			continue
		}
		s.row(name, slices.ContainsFunc(answers[edge], func(a []string) bool {
			return a[0] == from && (a[1] == to || strings.HasPrefix(to, "<") && a[1] != "<nil>")
		}), true)
		if row["closed_world"] == "True" {
			if closed[edge] == nil {
				closed[edge] = map[string]bool{}
			}
			closed[edge][from+" "+to] = true
		}
	}
	for _, edge := range slices.SortedFunc(maps.Keys(closed), func(a, b string) int { return cmp.Compare(a, b) }) {
		for _, a := range answers[edge] {
			if !closed[edge][a[0]+" "+a[1]] {
				s.beyond(named(edge, a[0], a[1]))
			}
		}
	}
	s.end()
}

// TestCorpusGoatWeaknesses looks for what another project's guide documents; goat.csv says which question of
// ours answers for which weakness.
func TestCorpusGoatWeaknesses(t *testing.T) {
	dir := folder(t, "kubernetes-goat")
	question := map[string]string{}
	for _, row := range table(t, "goat.csv") {
		question[row["weakness"]] = row["query"]
	}
	key := table(t, inside(dir, "expected.csv"))
	s := scoring(t, "kubernetes-goat", len(key))
	for _, row := range key {
		name := named(row["weakness"], row["kind"], row["namespace"]+"/"+row["object"])
		if question[row["weakness"]] == "" {
			s.leave(name, "no question of ours stands for this weakness")
			continue
		}
		answers := ask(t, inside(dir, "scenarios"), question[row["weakness"]])
		s.row(name, slices.ContainsFunc(answers, func(a []string) bool {
			return a[0] == row["namespace"] && (a[1] == row["object"] || a[1] == row["kind"]+"/"+row["object"])
		}), true)
	}
	s.end()
}
