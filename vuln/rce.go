package vuln

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The rule "vulnerable to remote code execution".
//
// The question is whether somebody across a network, without an account, can run
// code or commands where the software runs. A page, mail or image that a person
// opens counts; a login that an attacker needs does not. In this order:
//
//  1. CVSS says no: an attack vector other than network, privileges required, or
//     no more than a low impact on integrity (who runs code can change data).
//  2. The text says that an account or a local user is needed: no, unless it also
//     says "unauthenticated". It names a softer hindrance (an adjacent attacker,
//     privilege escalation, script in a browser): no, unless it also says "remote
//     code execution" or "arbitrary code".
//  3. The text says that code or commands can be run: yes.
//  4. The text is silent, but CVSS says network, no privileges and full loss of
//     confidentiality, integrity and availability, and the weakness (CWE) is one
//     that is exploited by running code: yes.
//
// Otherwise no. An advisory with neither vector nor words stays no: the rule
// finds what advisories say, not what they leave out. testdata/rce/labels.csv
// and trial.csv hold vulnerabilities labelled by hand; TestRemoteCodeRule measures
// the rule on them.

// saysCode finds the statement that code or commands can be run.
var saysCode = regexp.MustCompile(`(?i)\b(?:code|command)[- ]execution\b|\bcode\b[^.]{0,40}\bwould be executed\b|\bRCE\b|` +
	`\bexploit heap corruption\b`)

// runsSomething finds a verb and what is run, with up to four words between that
// must all be fillers: "execute arbitrary code", "run their own commands". (A
// small expression with a check is many times faster than one that lists them.)
var runsSomething = regexp.MustCompile(`(?i)\b(?:execut(?:e|es|ed|ing|ion of)|runs?|running|inject(?:s|ing)?|launch) ` +
	`((?:[\w-]+ ){0,4}?)(?:code|commands?|executables?)\b`)

var fillers = map[string]bool{"and": true, "or": true, "any": true, "an": true, "the": true, "their": true, "own": true,
	"remote": true, "malicious": true, "arbitrary": true,
	"unauthorized": true, "unauthorised": true, "operating": true, "system": true, "os": true, "shell": true, "bash": true,
	"powershell": true, "php": true, "python": true,
	"java": true, "javascript": true, "root": true, "native": true, "machine": true}

// says finds either kind of statement.
func says(text string) string {
	if found := saysCode.FindString(text); found != "" {
		return found
	}
	for _, m := range runsSomething.FindAllStringSubmatch(text, -1) {
		unknown := slices.ContainsFunc(strings.Fields(strings.ToLower(m[1])), func(word string) bool {
			return !fillers[word] && !strings.HasPrefix(word, "attacker-")
		})
		if !unknown {
			return m[0]
		}
	}
	return ""
}

// opensDoor are words that outweigh any hindrance named beside them.
var opensDoor = regexp.MustCompile(`(?i)\bunauthenticated\b|\bunauthori[sz]ed code\b|\banonymous users?\b`)

// saysRemoteCode outweighs the softer hindrances: "privilege escalation or
// remote code execution".
var saysRemoteCode = regexp.MustCompile(`(?i)\bremote,? (?:code|command) execution\b|\bRCE\b|\barbitrary (?:code|commands?)\b`)

// accountNeeded are words for attackers who must be let in first.
var accountNeeded = regexp.MustCompile(`(?i)(?:^|[^n])\bauthenticated\b|\badministrative privileges?\b|` +
	`\badministrator privileges?\b|\blow[- ]privileged\b|\bvalid credentials\b` +
	`|\bcode locally\b|\blocal (?:users?|attackers?)\b|\blocal \w+ configuration\b|\bcurrent working directory\b|~/`)

// hindrances are softer words for attackers who are already inside, or for code
// that runs somewhere else.
var hindrances = regexp.MustCompile(`(?i)` +
	`\blocal(?:ly)? (?:privilege|authenticated|code|access)\b|\bphysical(?:ly)? (?:access|proximate)` +
	`|\badjacent\b|\bprivilege escalation\b|\b(?:gain|elevate|escalate) (?:\w+ )?privileges\b|\bkernel mode\b` +
	`|\bcross-site scripting\b|\bXSS\b|\bweb script\b|\bunlikely to be exploitable\b|\bmalicious (?:snap|application|app)\b`)

// runsCode are weaknesses whose exploitation is running code: injection into an
// interpreter, deserialisation, upload of code, memory written out of bounds.
var runsCode = []string{"CWE-77", "CWE-78", "CWE-88", "CWE-94", "CWE-95", "CWE-96", "CWE-98", "CWE-119", "CWE-120", "CWE-121",
	"CWE-122", "CWE-123", "CWE-134", "CWE-415", "CWE-416", "CWE-434", "CWE-502", "CWE-787", "CWE-822", "CWE-824", "CWE-843",
	"CWE-917", "CWE-1336"}

// prose is all that is written about a vulnerability. Notices about several
// vulnerabilities mix their texts, so they do not speak unless nothing else does.
func prose(m Match, records []*record) string {
	var texts []string
	for _, r := range records {
		for _, text := range []string{r.Summary, r.Details} {
			if len(r.vulnerabilities()) == 1 && text != "" && !slices.Contains(texts, text) {
				texts = append(texts, text)
			}
		}
	}
	if len(texts) == 0 {
		texts = []string{m.Summary, m.Details}
	}
	return strings.Join(texts, ". ")
}

// judge applies the rules to all that is written about a vulnerability.
func (m *Match) judge(text string) {
	var vector map[string]string
	if m.CVSS != nil {
		vector = metrics(m.CVSS.Vector)
	}
	m.RCE, m.RCEWhy = judgeRemoteCode(vector, m.CWEs, text)
	m.Impact, m.ImpactWhy = judgeImpact(m.RCE, vector, m.CWEs, text)
	m.Unclear = m.leavesOpen(vector, text)
	m.Reads = m.Impact == Disclosure && readsProcess(vector, text)
}

// judgeRemoteCode says whether it is remote code, and what decided.
func judgeRemoteCode(vector map[string]string, cwes []string, text string) (bool, string) {
	if why := vectorForbids(vector); why != "" {
		return false, why
	}
	said, weakness := around(text, says, codeWords), ""
	if i := slices.IndexFunc(cwes, func(cwe string) bool { return slices.Contains(runsCode, cwe) }); i >= 0 && fullLoss(vector) {
		weakness = cwes[i]
	}
	if said == "" && weakness == "" {
		return false, "neither the text nor CVSS and weakness say that code can be run"
	}
	if hindrance := hindered(text); hindrance != "" {
		return false, fmt.Sprintf("the text says %q", hindrance)
	}
	if said != "" {
		return true, fmt.Sprintf("the text says %q", said) + seconded(vector)
	}
	return true, weakness + ", and CVSS says network, no privileges and full loss"
}

// hindered is the word in the text that speaks against a stranger running code.
func hindered(text string) string {
	if around(text, opensDoor.FindString, []string{"unauth", "anonymous"}) != "" {
		return ""
	}
	if found := around(text, accountNeeded.FindString, hindranceWords); found != "" {
		return found
	}
	if found := around(text, hindrances.FindString, hindranceWords); found != "" && around(text, saysRemoteCode.FindString, codeWords) == "" {
		return found
	}
	return ""
}

// codeWords and hindranceWords occur in everything that the expressions can
// match: the expressions run only on the text around them.
var (
	codeWords      = []string{"code", "command", "executable", "rce", "heap corruption"}
	hindranceWords = []string{"local", "physical", "adjacent", "privilege", "kernel mode", "authenticated", "administrat",
		"credentials", "script", "xss", "exploitable", "malicious", "working directory", "~/"}
)

// around is what find finds near one of the words.
func around(text string, find func(string) string, words []string) string {
	const reach = 110 // longer than any match on either side of its word
	low := strings.ToLower(text)
	if len(low) != len(text) {
		return strings.TrimSpace(find(text)) // lower case of another length: places differ
	}
	for _, word := range words {
		for at := strings.Index(low, word); at >= 0; {
			from, to := wordEdge(text, at-reach, -1), wordEdge(text, at+len(word)+reach, 1)
			if found := strings.TrimSpace(find(text[from:to])); found != "" {
				return found
			}
			next := strings.Index(low[at+len(word):], word)
			if next < 0 {
				break
			}
			at += len(word) + next
		}
	}
	return ""
}

// wordEdge moves a place in the text to the next space or end in a direction.
func wordEdge(text string, at, step int) int {
	for at > 0 && at < len(text) && text[at] != ' ' {
		at += step
	}
	return min(max(at, 0), len(text))
}

// vectorForbids is the metric of a CVSS vector that rules remote code out.
func vectorForbids(vector map[string]string) string {
	if vector == nil {
		return ""
	}
	attack, integrity := vector["AV"], vector["I"]
	privileges := vector["PR"]
	if v4 := vector["VI"]; v4 != "" {
		integrity = v4
	}
	if au := vector["Au"]; au != "" && au != "N" {
		privileges = "Au:" + au
	}
	switch {
	case attack != "N":
		return fmt.Sprintf("CVSS: attack vector %s, not the network", attack)
	case privileges != "" && privileges != "N":
		return "CVSS: privileges are required"
	case integrity != "H" && integrity != "C" && integrity != "P":
		return "CVSS: at most a low impact on integrity"
	default:
		return ""
	}
}

func seconded(vector map[string]string) string {
	if vector == nil {
		return ""
	}
	return "; CVSS: network, no privileges"
}

// fullLoss says that a CVSS vector rates all three impacts high.
func fullLoss(vector map[string]string) bool {
	for _, names := range [][2]string{{"C", "VC"}, {"I", "VI"}, {"A", "VA"}} {
		value := vector[names[0]]
		if value == "" {
			value = vector[names[1]]
		}
		if value != "H" && value != "C" {
			return false
		}
	}
	return true
}

// metrics splits a CVSS vector into its metrics; nil if it is none.
func metrics(vector string) map[string]string {
	var out map[string]string
	for part := range strings.SplitSeq(vector, "/") {
		name, value, ok := strings.Cut(part, ":")
		if !ok || name == "CVSS" {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[name] = value
	}
	return out
}
