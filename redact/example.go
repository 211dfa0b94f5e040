package redact

import "strings"

// Planted is a text and the secret in it, for tests that look for it behind a door.
type Planted struct{ Of, Text, Secret string }

// Examples is one text for each line of the table, so that what is known at one door is tried at all.
func Examples() []Planted { return examples(filled) }

// Fresh is Examples with secrets that no program holds, where the secret is a word or is made of what {n} stands for: word, such as a1b2c3,
// is in place of hunter2.
func Fresh(word string) (out []Planted) {
	const letters, hex = "Lk0Jh1Gf6Dc4Pn8Wv5Yt2Rz7Qm9Kx3Ba", "e86a2d0f3c5b7194"
	old := examples(filled)
	for i, p := range examples(func(s string) string {
		return strings.NewReplacer("hunter2", word, "hunter3", word).Replace(filledWith(s, letters, hex))
	}) {
		if p.Secret != old[i].Secret {
			out = append(out, p)
		}
	}
	return out
}

func examples(filled func(string) string) (out []Planted) {
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
	return filledWith(s, "aB3xK9mQ7zR2tY5vW8nP4cD6fG1hJ0kL", "0f3e9d7c1b5a8642")
}

func filledWith(s, letters, hex string) string {
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
		for i := open + 1; i < end; i++ {
			if digit(s[i]) {
				n = n*10 + int(s[i]-'0')
			}
		}
		if strings.Contains(s[open:end], ":hex") {
			from = hex
		}
		s = s[:open] + strings.Repeat(from, n)[:n] + s[end+1:]
	}
}
