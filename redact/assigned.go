package redact

import "strings"

// assigned takes out values that follow a secret's name and a sign: NAME=value, "name": "value", Name: value,
// <name>value</name>.
func assigned(s string) string {
	if !strings.ContainsAny(s, "=:>") {
		return s
	}
	var spans []span
	lastEnd := strings.LastIndex(s, "</")
	for i := 0; i < len(s); i++ {
		if s[i] != '=' && s[i] != ':' && s[i] != '>' || !assigns(s, i) {
			continue
		}
		from, to := nameBefore(s, i)
		if s[i] == ':' && from > 0 && s[from-1] == ':' { // system:serviceaccount:auth:web, arn:aws:…:secret:web
			continue
		}
		if from == to || s[i] == '>' && (from == 0 || s[from-1] != '<' || i > lastEnd) || !secretName(s[from:to]) {
			continue
		}
		v := valueAfter(s, i, from, to)
		if !harmless(s[v.from:v.to]) && !opensNest(s[v.from]) {
			spans = append(spans, v)
			i = v.to - 1
		}
	}
	return without(s, spans)
}

// assigns says whether the sign at i gives a value to a name, and does not compare or begin an address.
func assigns(s string, i int) bool {
	after := s[i+1:]
	switch s[i] {
	case '=':
		return !strings.HasPrefix(after, "=") && !strings.HasPrefix(after, "~")
	case '>':
		return i > 0 && (named(s[i-1]) || quote(s[i-1])) && !strings.HasPrefix(after, "=")
	}
	return !strings.HasPrefix(after, ":") && !strings.HasPrefix(after, "//")
}

func opensNest(c byte) bool { return c == '{' || c == '[' || c == '*' }

// nameBefore is the name that ends before the sign at i.
func nameBefore(s string, i int) (from, to int) {
	to = i
	for n := 0; to > 0 && n < 4 && (s[to-1] == ' ' || s[to-1] == '\t'); n++ {
		to--
	}
	if s[i] == '=' && to > 0 && s[to-1] == ':' { // NAME := value
		to--
	}
	for to > 0 && (quote(s[to-1]) || s[to-1] == '\\' || s[to-1] == ']' && s[i] == '=') {
		to--
	}
	from = to
	for from > 0 && to-from <= maxName && named(s[from-1]) {
		from--
	}
	for from < to && s[from] == '-' {
		from++
	}
	return from, to
}

// valueAfter is the value behind the sign at i, for the name in s[from:to].
func valueAfter(s string, i, from, to int) span {
	at := i + 1
	if s[i] == '>' {
		return span{at, at + strings.Index(s[at:], "</")}
	}
	arrow := strings.HasPrefix(s[i:], "=>") // 'password' => 'value' of PHP and Ruby
	if arrow || strings.HasPrefix(s[i:], ":=") {
		at++
	}
	if arrow || s[i] == ':' || to < i {
		for at < len(s) && (s[at] == ' ' || s[at] == '\t') {
			at++
		}
	}
	if at >= len(s) || arrow && !quote(s[at]) && s[at] != '\\' { // token => f(token) is a function
		return span{at, at}
	}
	escaped := len(s[at:]) - len(strings.TrimLeft(s[at:], `\`)) // once for each text that it stands in
	switch {
	case escaped > 0 && at+escaped < len(s) && quote(s[at+escaped]):
		return until(s, at+escaped+1, s[at:at+escaped+1])
	case quote(s[at]):
		return closing(s, at+1, s[at])
	case s[i] == ':' && (s[at] == '|' || s[at] == '>'):
		return block(s, at, from)
	case s[i] == ':' && (from > 0 && quote(s[from-1]) && to == i): // the name's quote holds the value, too
		return closing(s, at, s[from-1])
	case s[i] == ':' && (first(s, from) || isHeader(s[from:to])):
		return span{at, at + upTo(s[at:], "\n\r")}
	case s[i] == ':':
		return span{at, at + scheme(s[at:]) + upTo(s[at+scheme(s[at:]):], " \t\r\n\"'`,;&}<>)")}
	}
	end := at + scheme(s[at:])
	return span{at, end + upTo(s[end:], " \t\r\n\"'`;&|<>")}
}

// upTo is how much of s stands before any of some characters.
func upTo(s, any string) int {
	if i := strings.IndexAny(s, any); i >= 0 {
		return i
	}
	return len(s)
}

func until(s string, at int, end string) span {
	if i := strings.Index(s[at:], end); i >= 0 {
		return span{at, at + i}
	}
	return span{at, len(s)}
}

// closing goes up to the quote that ends a value.
func closing(s string, at int, q byte) span {
	for i := at; i < len(s); i++ {
		switch s[i] {
		case q:
			return span{at, i}
		case '\\':
			i++
		}
	}
	return span{at, len(s)}
}

// block is a value of YAML on the lines below its name, which are further in.
func block(s string, at, from int) span {
	line := at + upTo(s[at:], "\n")
	margin := from - (strings.LastIndexByte(s[:from], '\n') + 1)
	end := line
	for end < len(s) {
		next := end + 1 + upTo(s[end+1:], "\n")
		text := strings.TrimLeft(s[end+1:next], " ")
		if text != "" && next-(end+1)-len(text) <= margin {
			break
		}
		end = next
	}
	if end == line {
		return span{at, line}
	}
	return span{line + 1 + margin, max(end, line+1+margin)}
}

// first says whether nothing but a list's dash or a comment's sign stands before the name on its line.
func first(s string, from int) bool {
	for from > 0 && (s[from-1] == ' ' || s[from-1] == '\t' || s[from-1] == '-' || s[from-1] == '#' || s[from-1] == '>') {
		from--
	}
	return from == 0 || s[from-1] == '\n' || s[from-1] == '\r'
}

// isHeader says whether a name is that of a header whose value is many words.
func isHeader(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, "cookie") || strings.HasSuffix(name, "authorization")
}

// maxScheme is longer than the words that scheme knows.
const maxScheme = 20

// scheme is the length of a word that says in which way the next one signs in.
func scheme(s string) int {
	word := upTo(s[:min(len(s), maxScheme)], " \t")
	switch strings.ToLower(s[:word]) {
	case "bearer", "basic", "token", "digest", "negotiate", "apikey", "splunk", "aws4-hmac-sha256":
		for word < len(s) && (s[word] == ' ' || s[word] == '\t') {
			word++
		}
		return word
	}
	return 0
}
