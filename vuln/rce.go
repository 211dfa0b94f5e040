package vuln

import "strings"

// remoteCode is a first cut; see below.
func remoteCode(m Match) (bool, string) {
	text := strings.ToLower(m.Summary + " " + m.Details)
	if strings.Contains(text, "remote code execution") || strings.Contains(text, "arbitrary code") {
		return true, "the text says so"
	}
	return false, "nothing in the text says so"
}
