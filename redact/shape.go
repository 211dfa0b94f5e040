package redact

import (
	"encoding/base64"
	mathbits "math/bits"
	"strings"
	"unicode/utf8"
)

// known takes out secrets that are known by their own look.
func known(s string, _ int) string {
	has := charactersOf(s)
	var found uint64 // shapes by their place in the table
	for w := range has {
		for bits := has[w] & table.rare[w]; bits != 0; bits &= bits - 1 {
			for _, sign := range table.signs[64*w+mathbits.TrailingZeros64(bits)] {
				if found&sign.shape == 0 && has.all(sign.characters) && strings.Contains(s, sign.text) {
					found |= sign.shape
				}
			}
		}
	}
	for i := 0; found != 0; i, found = i+1, found>>1 {
		if found&1 != 0 {
			s = table.Shapes[i].without(s)
		}
	}
	return s
}

// sign is a part of every text that has one of some shapes. It is looked for where its rarest character is.
type sign struct {
	text string
	characters
	shape uint64
}

// rarest is the character of a sign that fewest texts have: letters of words come last.
func rarest(text string) byte {
	for _, group := range []string{"@$?&{}_=", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", "xqzjkvyw", ":"} {
		if i := strings.IndexAny(text, group); i >= 0 {
			return text[i]
		}
	}
	return text[0]
}

// characters is a set of bytes.
type characters [4]uint64

func charactersOf(s string) (c characters) {
	for i := range len(s) {
		c[s[i]>>6] |= 1 << (s[i] & 63)
	}
	return c
}

func (c characters) all(of characters) bool {
	return c[0]&of[0] == of[0] && c[1]&of[1] == of[1] && c[2]&of[2] == of[2] && c[3]&of[3] == of[3]
}

func (p *shape) without(s string) string {
	var spans []span
	for _, m := range p.expression.FindAllStringSubmatchIndex(s, -1) {
		for _, g := range p.groups {
			if from, to := m[2*g], m[2*g+1]; to > from && !strings.HasPrefix(s[from:to], Mark) && !harmless(s[from:to]) {
				spans = append(spans, span{from, to})
			}
		}
	}
	return without(s, spans)
}

const (
	minEncoded = 16 // of base64
	minRun     = 20
	minOneCase = 32
	maxNested  = 2 // base64 in base64
)

// runs takes out long runs of letters and digits that machines made.
func runs(s string, depth int) string {
	if len(s) < minEncoded {
		return s
	}
	var spans []span
	for i := 0; i < len(s); {
		if !encodes(s[i]) {
			i++
			continue
		}
		end := i
		for end < len(s) && encodes(s[end]) {
			end++
		}
		for end < len(s) && s[end] == '=' {
			end++
		}
		if end-i >= minEncoded && !digested(s[:i]) {
			spans = append(spans, judged(s, span{i, end}, depth)...)
		}
		i = end
	}
	return without(s, spans)
}

// encodes says whether a character is one of base64, in either alphabet.
func encodes(c byte) bool {
	return letter(c) || digit(c) || c == '+' || c == '/' || c == '-' || c == '_'
}

// digested says whether what follows is said to be a digest.
func digested(before string) bool {
	for _, d := range []string{"sha256:", "sha512:", "sha384:", "sha1:", "md5:", "SHA256:"} {
		if strings.HasSuffix(before, d) {
			return true
		}
	}
	return false
}

// judged is what of a run is a secret.
func judged(s string, run span, depth int) []span {
	text := s[run.from:run.to]
	if strings.HasPrefix(text, "sha256-") || strings.HasPrefix(text, "sha384-") || strings.HasPrefix(text, "sha512-") {
		return nil // of subresource integrity
	}
	if depth < maxNested && hidesSecret(text, depth) {
		return []span{run}
	}
	if encoded(text) && random(text) {
		return []span{run}
	}
	var out []span
	for i := run.from; i < run.to; {
		end := i
		for end < run.to && (letter(s[end]) || digit(s[end])) {
			end++
		}
		if end-i >= minRun && random(s[i:end]) {
			out = append(out, span{i, end})
		}
		i = max(end, i+1)
	}
	return out
}

// encoded says whether a run may be base64 of bytes, and is no path: a key of AWS has 40 characters.
func encoded(run string) bool {
	if len(run) < 40 || strings.ContainsAny(run, "-_") {
		return false
	}
	return strings.Contains(run, "+") || strings.HasSuffix(run, "=") || len(run) == 40 && run[0] != '/'
}

// random says whether a run changes between kinds of characters as chance does. Words, also those that are written
// together with a capital each, have few parts of one letter.
func random(run string) bool {
	run = strings.TrimRight(run, "=")
	parts, single, length := 0, 0, 0
	var has [4]bool
	hex, last := true, other
	for i := range len(run) {
		c := run[i]
		k := kindOf(c)
		has[k] = true
		hex = hex && (digit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F')
		if i > 0 && (k == last || k == small && last == capital && length == 1) {
			length++
		} else {
			if length == 1 {
				single++
			}
			parts, length = parts+1, 1
		}
		last = k
	}
	if length == 1 {
		single++
	}
	switch {
	case !has[figure] || !has[small] && !has[capital]:
		return false
	case hex && !(has[small] && has[capital]):
		return len(run) > 64 && len(run) != 96 && len(run) != 128
	case has[small] && has[capital]:
		return 10*parts >= 3*len(run) && 3*single >= parts && single > 2
	}
	return len(run) >= minOneCase && 4*parts >= len(run)
}

// The kinds of characters in a run.
const (
	other = iota
	figure
	small
	capital
)

func kindOf(c byte) int {
	switch {
	case digit(c):
		return figure
	case lower(c):
		return small
	case upper(c):
		return capital
	}
	return other
}

// hidesSecret says whether a run is base64 of a text in which there is a secret.
func hidesSecret(run string, depth int) bool {
	bare := strings.TrimRight(run, "=")
	if len(bare)%4 == 1 || len(bare) < 12 {
		return false
	}
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(bare, "-_") {
		if encoding = base64.RawURLEncoding; strings.ContainsAny(bare, "+/") {
			return false // of two alphabets
		}
	}
	var begins [9]byte
	if n, err := encoding.Decode(begins[:], []byte(bare[:12])); err != nil || !readable(begins[:max(n-3, 0)]) {
		return false
	}
	text, err := encoding.DecodeString(bare)
	if err != nil || !readable(text) {
		return false
	}
	return all(string(text), depth+1) != string(text)
}

// readable says whether bytes are text that people write.
func readable(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	for _, c := range b {
		if c < ' ' && !space(c) || c == 0x7f {
			return false
		}
	}
	return true
}
