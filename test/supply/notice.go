package main

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const noticeHead = `What others wrote and Breakwater carries: the modules of Go that the binaries contain, and the packages of npm
that the portal contains, each with its licences. Their texts follow, each once, with the names of what is under it.
Made by: go run ./test/supply notice notice/third-party.txt

`

const rule = "\n--------------------------------------------------------------------------------\n"

// makeNotice is the notice of all that is in the binaries and the portal.
func makeNotice(root string) ([]byte, error) {
	parts, err := allParts(root)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteString(noticeHead)
	users := map[string][]string{}
	for _, p := range parts {
		ids, texts, err := p.licensed()
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&out, "%-70s %s\n", p.title(), strings.Join(ids, ", "))
		for _, text := range texts {
			users[text] = append(users[text], p.title())
		}
	}
	type used struct {
		text string
		by   []string
	}
	var all []used
	for text, by := range users {
		all = append(all, used{text, by})
	}
	slices.SortFunc(all, func(a, b used) int {
		return cmp.Or(cmp.Compare(len(b.by), len(a.by)), cmp.Compare(a.by[0], b.by[0]), cmp.Compare(a.text, b.text))
	})
	for _, u := range all {
		fmt.Fprintf(&out, "%s%s\n\n%s", rule, strings.Join(u.by, "\n"), u.text)
	}
	return out.Bytes(), nil
}

func allParts(root string) ([]part, error) {
	modules, err := linkedModules(root)
	if err != nil {
		return nil, err
	}
	packages, err := bundledPackages(root)
	return append(modules, packages...), err
}

// title is how the notice names a part. The standard library is that of whatever builds the binary.
func (p part) title() string {
	switch {
	case p.Name == standardLibrary:
		return "Go's standard library and runtime"
	case p.npm:
		return "npm " + p.Name + " " + p.Version
	}
	return p.Name + " " + p.Version
}
