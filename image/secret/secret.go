// Package secret finds secrets in the text of one file of an image: private keys, tokens of well-known makers, passwords where
// programs keep them. What it tells of one is its kind, its line and a salted hash: never the secret, nor a part of it.
//
// What tokens look like is known to OSV-SCALIBR's detectors (veles), each a pattern over the whole text. They are not asked about every
// file: each names signs of which its secrets have one, all signs are looked for in one pass, and a detector sees no more than what is
// beside its signs. It knows no archive and no image.
package secret

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Found is a secret in a text.
type Found struct {
	// Kind says what it is, in the words of who issues such: "GitHub personal access token".
	Kind string `json:"kind"`
	// Line is where it begins; 0 where the place has no lines.
	Line int `json:"line,omitempty"`
	// Hash is the same wherever the same secret is, and of no use without the salt.
	Hash string `json:"hash"`
}

// Bounds of one text, and of all that one Searcher is asked about.
const (
	// Longest is the longest text that is searched: what people write by hand is shorter.
	Longest = 256 << 10
	// mostOfOne is how many secrets of one text are told.
	mostOfOne = 20
	// mostBeside is how many places of one text one detector is shown.
	mostBeside = 16
	// mostShown is how many bytes all detectors of one image are shown.
	mostShown = 64 << 20
)

// ErrMuch says that a text had more that looks like a secret than is looked into.
var ErrMuch = errors.New("more looks like secrets than is looked into")

// Searcher looks for secrets in one text after the other.
type Searcher struct {
	salt []byte
	left int
	hits [][]int // by detector, where its signs are
}

// New makes a Searcher that hashes with a salt. Two with the same salt tell the same secret by the same hash.
func New(salt []byte) *Searcher {
	return &Searcher{salt: salt, left: mostShown, hits: make([][]int, len(detectors))}
}

// Search looks into the text of a file, whose name says what programs keep there. What it found stands also beside an error.
func (s *Searcher) Search(name string, text []byte) (found []Found, err error) {
	if len(text) > Longest {
		text = text[:Longest]
		err = ErrMuch
	}
	for i := range s.hits {
		s.hits[i] = s.hits[i][:0]
	}
	much := searchSigns(text, func(detector, at int) bool {
		s.hits[detector] = append(s.hits[detector], at)
		return len(s.hits[detector]) < 16*mostBeside
	})
	if much {
		err = ErrMuch
	}
	for i := range detectors {
		if len(s.hits[i]) == 0 {
			continue
		}
		some, e := s.ask(&detectors[i], text, s.hits[i])
		found, err = append(found, some...), errors.Join(err, e)
	}
	found = append(found, s.kept(name, text)...)
	slices.SortStableFunc(found, func(a, b Found) int { return a.Line - b.Line })
	found = slices.CompactFunc(found, func(a, b Found) bool { return a == b })
	if len(found) > mostOfOne {
		found, err = found[:mostOfOne], ErrMuch
	}
	if err != nil {
		err = ErrMuch
	}
	return found, err
}

// ask shows a detector what is beside its signs.
func (s *Searcher) ask(d *detector, text []byte, signs []int) (found []Found, err error) {
	from, to, shown := -1, -1, 0
	look := func() {
		if from < 0 {
			return
		}
		if shown++; shown > mostBeside || to-from > s.left {
			err = ErrMuch
			return
		}
		s.left -= to - from
		secrets, at := d.detector.Detect(text[from:to:to])
		for i := range secrets {
			line := 0
			if i < len(at) && at[i] >= 0 && at[i] <= to-from {
				line = lineOf(text, from+at[i])
			}
			found = append(found, Found{Kind: d.kind, Line: line, Hash: s.Hash(d.kind, fmt.Sprintf("%T %+v", secrets[i], secrets[i]))})
		}
	}
	for _, at := range signs {
		begin, end := max(0, at-d.before), min(len(text), at+d.behind)
		if from >= 0 && begin <= to && end-from <= 4*(d.before+d.behind) {
			to = max(to, end)
			continue
		}
		look()
		from, to = begin, end
	}
	look()
	return found, err
}

// Hash is what is told in place of a secret.
func (s *Searcher) Hash(kind, value string) string {
	h := hmac.New(sha256.New, s.salt)
	h.Write([]byte(kind))
	h.Write([]byte{0})
	h.Write([]byte(value))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func lineOf(text []byte, at int) int { return 1 + bytes.Count(text[:at], []byte("\n")) }

// place is a file in which a program keeps secrets, by the end of its name, and the values there.
type place struct {
	ends, kind string
	values     func(text string) []keptValue
}

type keptValue struct {
	at    int
	value string
}

// places are read with rules of ours: no look tells these values from others, only where they stand.
var places = []place{
	{"etc/shadow", "password hash", shadowValues},
	{".docker/config.json", "account of a container registry", afterKey(`"auth"`, `"identitytoken"`, `"registrytoken"`)},
	{".dockercfg", "account of a container registry", afterKey(`"auth"`)},
	{"containers/auth.json", "account of a container registry", afterKey(`"auth"`, `"identitytoken"`)},
	{".netrc", "password of a server", afterWord("password")},
	{".npmrc", "account of an npm registry", afterAssignment("_authToken", "_auth", "_password")},
	{".pypirc", "account of a Python package index", afterAssignment("password")},
	{".git-credentials", "account of a Git server", addressPasswords},
	{".pgpass", "password of a PostgreSQL server", pgpassValues},
}

// kept are the secrets of a file that is known by its name.
func (s *Searcher) kept(name string, text []byte) (found []Found) {
	for _, p := range places {
		if name != p.ends && !strings.HasSuffix(name, "/"+p.ends) {
			continue
		}
		for _, v := range p.values(string(text)) {
			if len(found) > mostOfOne {
				break
			}
			found = append(found, Found{Kind: p.kind, Line: lineOf(text, v.at), Hash: s.Hash(p.kind, v.value)})
		}
	}
	return found
}

// lines calls each with a line and where it begins.
func lines(text string, each func(at int, line string)) {
	at := 0
	for line := range strings.Lines(text) {
		each(at, strings.TrimRight(line, "\r\n"))
		at += len(line)
	}
}

// placeholder says that a value stands for one that is put there later, or is none.
func placeholder(value string) bool {
	return value == "" || strings.ContainsAny(value, "${}<>*%") || strings.Trim(value, "xX.") == ""
}

func shadowValues(text string) (out []keptValue) {
	lines(text, func(at int, line string) {
		if parts := strings.Split(line, ":"); len(parts) > 2 && strings.HasPrefix(parts[1], "$") && len(parts[1]) > 8 {
			out = append(out, keptValue{at, parts[1]})
		}
	})
	return out
}

func pgpassValues(text string) (out []keptValue) {
	lines(text, func(at int, line string) {
		if parts := strings.Split(line, ":"); len(parts) == 5 && !strings.HasPrefix(line, "#") && !placeholder(parts[4]) {
			out = append(out, keptValue{at, parts[4]})
		}
	})
	return out
}

func addressPasswords(text string) (out []keptValue) {
	lines(text, func(at int, line string) {
		_, rest, ok := strings.Cut(line, "://")
		account, _, is := strings.Cut(rest, "@")
		if _, password, has := strings.Cut(account, ":"); ok && is && has && !placeholder(password) {
			out = append(out, keptValue{at, account})
		}
	})
	return out
}

// afterKey finds the texts behind keys of JSON.
func afterKey(keys ...string) func(string) []keptValue {
	return func(text string) (out []keptValue) {
		for _, key := range keys {
			for at := 0; ; {
				i := strings.Index(text[at:], key)
				if i < 0 {
					break
				}
				at += i + len(key)
				rest, ok := strings.CutPrefix(strings.TrimLeft(text[at:], " \t\r\n"), ":")
				rest, quoted := strings.CutPrefix(strings.TrimLeft(rest, " \t\r\n"), `"`)
				if value, _, ends := strings.Cut(rest, `"`); ok && quoted && ends && !placeholder(value) {
					out = append(out, keptValue{at, value})
				}
			}
		}
		return out
	}
}

// afterWord finds the words behind a word.
func afterWord(word string) func(string) []keptValue {
	return func(text string) (out []keptValue) {
		lines(text, func(at int, line string) {
			fields := strings.Fields(line)
			for i, f := range fields {
				if f == word && i+1 < len(fields) && !placeholder(fields[i+1]) {
					out = append(out, keptValue{at, fields[i+1]})
				}
			}
		})
		return out
	}
}

// afterAssignment finds what names that end so are set to.
func afterAssignment(names ...string) func(string) []keptValue {
	return func(text string) (out []keptValue) {
		lines(text, func(at int, line string) {
			name, value, ok := strings.Cut(line, "=")
			value = strings.Trim(strings.TrimSpace(value), `"'`)
			for _, n := range names {
				if ok && strings.HasSuffix(strings.TrimSpace(name), n) && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, ";") &&
					!placeholder(value) {
					out = append(out, keptValue{at, value})
					break
				}
			}
		})
		return out
	}
}
