package vuln

import (
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/severity"
)

// Impact is what an attacker has who exploits a vulnerability.
type Impact string

// The classes of impact. Where an advisory tells several, the first of them here counts.
const (
	// CodeExecution: code or commands of the attacker's choice run where the software runs.
	CodeExecution Impact = "code execution"
	// PrivilegeEscalation: an insider (a local user, a program in a sandbox or container) gains more rights.
	PrivilegeEscalation Impact = "privilege escalation"
	// Disclosure: files, memory, credentials or other data become known.
	Disclosure Impact = "disclosure"
	// Bypass: a check is got around, or data is changed; another's browser or identity is abused.
	Bypass Impact = "bypass"
	// DenialOfService: the software stops, hangs or uses up what it has.
	DenialOfService Impact = "denial of service"
	// UnknownImpact: the advisory does not say. It is not "none".
	UnknownImpact Impact = "unknown"
)

// Impacts are all classes in their order.
var Impacts = []Impact{CodeExecution, PrivilegeEscalation, Disclosure, Bypass, DenialOfService, UnknownImpact}

// The rule of impact. In this order:
//
//  1. The rule of remote code execution (rce.go) says yes: code execution.
//  2. CVSS sees one kind of loss alone: availability is denial of service,
//     confidentiality disclosure, integrity bypass.
//  3. The text says script in a browser, forged requests or redirections, and
//     nothing of remote code: bypass.
//  4. The text says what an insider gains: privilege escalation.
//  5. The text says that code or commands can be run, by anybody: code execution.
//  6. The text says that memory is written wrongly, and CVSS full loss: code execution.
//  7. The words of disclosure, bypass and denial of service, in this order: those
//     in the first sentence, else in all of the text.
//  8. The weakness (CWE).
//
// Otherwise it is unknown. testdata/impact/labels.csv holds vulnerabilities
// labelled by reading; TestImpactRule measures the rule on them, by class.
func judgeImpact(rce bool, vector map[string]string, cwes []string, text string) (Impact, string) {
	if rce {
		return CodeExecution, "remote code execution"
	}
	if impact, metric := soleLoss(vector); impact != UnknownImpact {
		return impact, "CVSS sees a loss of " + metric + " alone"
	}
	low := strings.ToLower(text)
	if impact, found := wordsIn(low, controlWords); found != "" {
		return impact, fmt.Sprintf("the text says %q", found)
	}
	if found := memoryWords.in(low); found != "" && fullLoss(vector) {
		return CodeExecution, fmt.Sprintf("the text says %q, and CVSS full loss", found)
	}
	title, _, _ := strings.Cut(low, ". ")
	for _, part := range []string{title, low} {
		if impact, found := wordsIn(part, otherWords); found != "" {
			return impact, fmt.Sprintf("the text says %q", found)
		}
	}
	for _, weakness := range weaknesses {
		for _, cwe := range cwes {
			if slices.Contains(weakness.cwes, cwe) {
				return weakness.impact, cwe
			}
		}
	}
	return UnknownImpact, "neither CVSS, text nor weakness say what an exploit gives"
}

// leavesOpen says why a grave vulnerability that a stranger may reach might be remote
// code, although no rule says so; "" if nothing speaks for it.
func (m Match) leavesOpen(vector map[string]string, text string) string {
	forbids := vectorForbids(vector)
	switch {
	case m.RCE || severity.Compare(string(m.Severity), string(High)) < 0:
		return ""
	case vector["AV"] == "N" && vector["PR"] == "N" && m.Impact == DenialOfService &&
		around(text, says, codeWords) != "" && hindered(text) == "":
		return "the text speaks of running code, CVSS of availability alone"
	case forbids != "":
		return ""
	case m.Impact == UnknownImpact:
		return "nobody says what exploiting it gives"
	case fullLoss(vector) && hindered(text) == "":
		return "CVSS sees full loss across the network, the text " + string(m.Impact)
	}
	return ""
}

// readsProcess says of a disclosure that files or memory of the process become
// known to a stranger across the network.
func readsProcess(vector map[string]string, text string) bool {
	if vector != nil && (vector["AV"] != "N" || vector["PR"] == "L" || vector["PR"] == "H") || hindered(text) != "" {
		return false
	}
	return wording{words: fileWords}.in(strings.ToLower(text)) != ""
}

var fileWords = []string{"arbitrary file", "arbitrary local file", "any file", "read files", "local file inclusion", "path traversal",
	"directory traversal", "process memory", "memory contents", "contents of memory", "private key", "environment variables",
	"out-of-bounds read"}

// soleLoss is the impact where CVSS sees a loss of one kind and none of the others.
func soleLoss(vector map[string]string) (Impact, string) {
	var lost []string
	for _, kind := range [][2]string{{"C", "VC"}, {"I", "VI"}, {"A", "VA"}} {
		value := vector[kind[0]]
		if value == "" {
			value = vector[kind[1]]
		}
		if value != "" && value != "N" {
			lost = append(lost, kind[0])
		}
	}
	switch strings.Join(lost, "") {
	case "C":
		return Disclosure, "confidentiality"
	case "I":
		return Bypass, "integrity"
	case "A":
		return DenialOfService, "availability"
	}
	return UnknownImpact, ""
}

// wording is what a text says of one impact: one of the words, unless one of the others is there too.
type wording struct {
	impact Impact
	words  []string
	// code asks instead whether the text says that code can be run.
	code   bool
	unless []string
}

// wordsIn is the first impact that a text tells, and its words.
func wordsIn(low string, all []wording) (Impact, string) {
	for _, w := range all {
		if found := w.in(low); found != "" {
			return w.impact, found
		}
	}
	return UnknownImpact, ""
}

func (w wording) in(low string) string {
	if slices.ContainsFunc(w.unless, func(word string) bool { return strings.Contains(low, word) }) {
		return ""
	}
	if w.code {
		return around(low, says, codeWords)
	}
	for _, word := range w.words {
		if strings.Contains(low, word) {
			return word
		}
	}
	return ""
}

var remoteWords = []string{"remote code execution", "remote command execution", " rce"}

// controlWords say who gains control of what, in the order in which they count.
var controlWords = []wording{
	{impact: Bypass, unless: append([]string{"code execution", "command execution"}, remoteWords...),
		words: []string{"cross-site scripting", "cross site scripting", "(xss)", "xss ", " xss", "csrf", "cross-site request forgery",
			"open redirect", "server-side request forgery", "ssrf", "request smuggling", "cache poisoning", "phishing"}},
	{impact: PrivilegeEscalation, unless: remoteWords,
		words: []string{"privilege escalation", "escalation of privilege", "gain privileges", "gain system privileges", "gain root",
			"elevate privileges", "escalate privileges", "gain elevated privileges", "kernel privileges", "ring0", "kernel mode",
			"guest escape", "container escape", "sandbox escape", "escape the container", "host-root", "symlink attack",
			"allows local users to", "different local user"}},
	{impact: CodeExecution, code: true},
	{impact: CodeExecution, words: []string{"command injection", "code injection", "eval injection", "eval() vulnerability", "backdoor",
		"arbitrary programs", "arbitrary python code"}},
}

// memoryWords are weaknesses of memory that is written.
var memoryWords = wording{
	impact: CodeExecution,
	words: []string{"use after free", "use-after-free", "out-of-bounds write", "buffer overflow",
		"heap overflow", "write over the bounds", "memory corruption", "double free"},
}

// otherWords say what else is gained, in the order in which it counts.
var otherWords = []wording{
	{impact: Disclosure,
		words: []string{"information disclosure", "information exposure", "information leak", "sensitive information", "sensitive data",
			"disclos", "leak credentials", "leaks information", "leaked", "leaking", "leak information", "read arbitrary file",
			"arbitrary file read", "read or delete", "read any file", "download arbitrary files", "expose", "exposing", "exposure of",
			"obtain", "retrieve other", "reconnaissance", "sql injection", "sql statements", "guess generated", "file access outside",
			"unauthorized file access", "read the old", "recover the"}},
	{impact: Bypass,
		words: []string{
			"bypass",
			"improper authentication",
			"incorrect authorization",
			"missing authorization",
			"impersonat",
			"spoof",
			"forge",
			"forging",
			"access control",
			"without authentication",
			"skip the authentication",
			"account takeover",
			"man in the middle",
			"man-in-the-middle",
			"write arbitrary files",
			"arbitrary file write",
			"write files",
			"alter ",
			"not allowed to",
			"delet",
			"tamper",
			"modif",
			"overwrite",
			"default credentials",
			"hardcoded",
			"hard-coded",
			"algorithm confusion",
		}},
	{impact: DenialOfService, words: []string{"denial of service", "denial-of-service", "dos)", " dos ", "redos", "crash", "panic",
		"infinite loop", "out-of-memory", "out of memory", "oom ", "memory leak", "resource exhaustion", "resource consumption",
		"unbounded", "null pointer", "nullptr", "null-pointer", "division by zero", "divide-by-zero", "division by 0", "segmentation",
		"stack overflow", "stack-overflow", "recursion", "large amounts of memory", "all the available memory", "abort the process"}},
	{impact: Disclosure, words: []string{"path traversal", "directory traversal"}, unless: []string{"extract", "archive", "write"}},
	{impact: Bypass, words: []string{"traversal"}},
}

// weaknesses say what exploiting them gives where nothing else does.
var weaknesses = []struct {
	impact Impact
	cwes   []string
}{
	{Bypass, []string{"CWE-79", "CWE-80", "CWE-352", "CWE-601", "CWE-918", "CWE-444"}},
	{CodeExecution, []string{"CWE-77", "CWE-78", "CWE-94", "CWE-95", "CWE-502", "CWE-917", "CWE-1336"}},
	{PrivilegeEscalation, []string{"CWE-250", "CWE-269", "CWE-266"}},
	{
		Disclosure,
		[]string{"CWE-22", "CWE-89", "CWE-125", "CWE-200", "CWE-209", "CWE-312", "CWE-319", "CWE-522", "CWE-532", "CWE-552", "CWE-611"},
	},
	{Bypass, []string{"CWE-20", "CWE-284", "CWE-285", "CWE-287", "CWE-290", "CWE-295", "CWE-306", "CWE-345", "CWE-346", "CWE-347",
		"CWE-639", "CWE-798", "CWE-862", "CWE-863"}},
	{DenialOfService, []string{"CWE-369", "CWE-400", "CWE-401", "CWE-404", "CWE-476", "CWE-617", "CWE-674", "CWE-770", "CWE-789", "CWE-834",
		"CWE-835", "CWE-1333"}},
}
