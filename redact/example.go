package redact

import "strings"

// Planted is a text and the secret in it, for tests that look for it behind a door.
type Planted struct{ Of, Text, Secret string }

// Examples is one text for each line of the table, so that what is known at one door is tried at all.
func Examples() (out []Planted) {
	add := func(of string, examples []example) {
		for _, e := range examples {
			out = append(out, Planted{of, filled(e.Text), filled(e.Gone)})
		}
	}
	add("names", table.Names.Examples)
	add("programs", table.Examples)
	for _, s := range table.Shapes {
		add(s.Name, s.Examples)
	}
	add("runs", table.Runs.Examples)
	return out
}

// filled puts n characters in place of {n}, as machines make them.
func filled(s string) string {
	const letters = "aB3xK9mQ7zR2tY5vW8nP4cD6fG1hJ0kL"
	const hex = "0f3e9d7c1b5a8642"
	for {
		open := strings.IndexByte(s, '{')
		for open >= 0 && (open+1 >= len(s) || !digit(s[open+1])) {
			next := strings.IndexByte(s[open+1:], '{')
			if next < 0 {
				return s
			}
			open += 1 + next
		}
		if open < 0 {
			return s
		}
		end := strings.IndexByte(s[open:], '}') + open
		n, from := 0, letters
		for _, c := range s[open+1 : end] {
			if c >= '0' && c <= '9' {
				n = n*10 + int(c-'0')
			}
		}
		if strings.Contains(s[open:end], ":hex") {
			from = hex
		}
		s = s[:open] + strings.Repeat(from, n/len(from)+1)[:n] + s[end+1:]
	}
}
