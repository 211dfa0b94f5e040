package analyse

import (
	"fmt"
	"strings"
	"unicode"
)

// story tells the steps in sentences.
func (w *writer) story() {
	if w.foothold.class == Assumed {
		w.path.Story = append(w.path.Story, sentence("Assume that an attacker has "+placed(w.path.Foothold)))
	}
	told := ""
	for _, st := range w.path.Steps {
		if st.Edge == "ROUTES_TO" && st.Uncertain == told {
			st.Uncertain = "" // hop by hop it is the same
		}
		told = st.Uncertain
		w.path.Story = append(w.path.Story, w.sentence(st))
	}
}

func (w *writer) sentence(st Step) string {
	if !st.Derived {
		text := st.Evidence[0].Text
		if st.Uncertain != "" {
			text += "; " + st.Uncertain
		}
		return sentence(text)
	}
	from, to := w.thingAt(st.From), w.thingAt(st.To)
	if st.Edge == "CAN_EXPLOIT" && !w.open() {
		return w.exploited(from, to, st.Uncertain)
	}
	edge := edgeOf(st.Edge)
	who := "From there an attacker " + edge.Verb
	if st.Edge == "CAN_EXPLOIT" {
		who = "From there an attacker runs code in"
	}
	if from.ID == w.path.Entry.ID && w.foothold.class == SupplyChain {
		who = "Who can write to " + spoken(from) + " " + edge.Verb
	}
	text := fmt.Sprintf("%s %s: %s", who, spoken(to), lowerFirst(st.RuleTitle))
	if len(st.Rules) > 1 {
		text += ", and in " + plural(len(st.Rules)-1, "more way")
	}
	if st.Uncertain != "" {
		text += "; " + st.Uncertain
	}
	return sentence(text)
}

// exploited tells how the first container is entered.
func (w *writer) exploited(pod, container Thing, uncertain string) string {
	where := "pod " + pod.Name
	if pod.Workload != "" && !strings.HasPrefix(pod.Workload, "Pod/") {
		where = plural(pod.Count, "pod") + " of " + strings.Replace(pod.Workload, "/", " ", 1)
	}
	text := fmt.Sprintf("Container %s in %s uses an image", container.Name, where)
	if len(container.Images) > 0 {
		i := container.Images[0]
		text = fmt.Sprintf("Container %s in %s uses image %s", container.Name, where, i.Name)
	}
	text += " with " + strings.Join(w.counted(), ", ")
	text += ": an attacker who exploits one may run code in the container"
	if uncertain != "" {
		text += "; " + uncertain
	}
	return sentence(text)
}

// counted says how many vulnerabilities open the path.
func (w *writer) counted() (out []string) {
	n := map[string]int{}
	seen := map[string]bool{}
	for _, v := range w.path.Vulnerabilities {
		if seen[v.ID] { // in another package of the same image
			continue
		}
		seen[v.ID] = true
		n[v.Severity]++
		if v.KEV {
			n["kev"]++
		}
		if v.RCE {
			n["rce"]++
		}
	}
	shown := len(w.path.Vulnerabilities)
	if shown < w.path.VulnerabilitiesTotal || shown == 0 {
		return []string{plural(max(w.path.VulnerabilitiesTotal, 1), "vulnerability") + " worth exploiting"}
	}
	for _, each := range []struct{ key, text string }{
		{"Critical", "of critical severity"}, {"High", "of high severity"}, {"rce", "allowing remote code execution"},
		{"kev", "known to be exploited"}} {
		if n[each.key] > 0 {
			out = append(out, fmt.Sprintf("%s %s", plural(n[each.key], "vulnerability"), each.text))
		}
	}
	return out
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	if stem, ok := strings.CutSuffix(word, "y"); ok && !strings.HasSuffix(stem, "a") {
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func spoken(t Thing) string {
	if t.Kind == "Node" && t.Count > 1 || t.Kind == "NetClass" {
		return t.Name
	}
	return lowerFirst(label(t.Kind)) + " " + t.Name
}

// lowerFirst writes what begins with a capital within a sentence: RBAC and
// ConfigMap stay as they are.
func lowerFirst(s string) string {
	first, rest, _ := strings.Cut(s, " ")
	if strings.LastIndexFunc(first, unicode.IsUpper) > 0 {
		return s
	}
	return strings.TrimSpace(strings.ToLower(first) + " " + rest)
}

// sentence begins with a capital letter and ends with a full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".") + "."
}
