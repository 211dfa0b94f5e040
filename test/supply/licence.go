package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// known are the licences that may be in a work under Apache-2.0, each with words that no other of them has.
// MPL-2.0 and EPL-2.0 ask for the source of their own files alone, which we do not change.
var known = []struct {
	id    string
	words []string
}{
	{"Apache-2.0", []string{"apache license", "version 2.0"}},
	{"MPL-2.0", []string{"mozilla public license", "2.0"}},
	{"EPL-2.0", []string{"eclipse public license - v 2.0"}},
	{"MIT", []string{"permission is hereby granted, free of charge, to any person obtaining a copy", "the software is provided \"as is\""}},
	{"BSD-3-Clause", []string{"redistribution and use in source and binary forms", "may be used to endorse or promote"}},
	{"BSD-2-Clause", []string{"redistribution and use in source and binary forms"}},
	{"ISC", []string{"permission to use, copy, modify, and/or distribute this software for any purpose " +
		"with or without fee is hereby granted, provided"}},
	{"ISC", []string{"permission to use, copy, modify, and distribute this software for any purpose " +
		"with or without fee is hereby granted, provided"}},
	{"0BSD", []string{"permission to use, copy, modify, and/or distribute this software for any purpose " +
		"with or without fee is hereby granted. the"}},
	{"Unlicense", []string{"this is free and unencumbered software released into the public domain"}},
	{"blessing", []string{"sqlite is public domain"}},
	{"CC0-1.0", []string{"cc0 1.0 universal"}},
}

// refused are words of licences that may not be, even beside a known one in the same file.
var refused = []string{"gnu general public license", "gnu affero", "gnu lesser general", "server side public license",
	"business source license",
	"commons clause", "elastic license"}

var space = regexp.MustCompile(`\s+`)

// licencesOf names the licences that a text states, more than one if it states several. A text that is no
// licence, such as a NOTICE of who wrote something, names none.
func licencesOf(text string) (ids []string, err error) {
	if id, ok := strings.CutPrefix(text, stated); ok {
		id, _, _ = strings.Cut(id, "\n")
		for _, k := range known {
			if k.id == id {
				return []string{id}, nil
			}
		}
		return nil, fmt.Errorf("it is under %s, which is not on the list", id)
	}
	t := space.ReplaceAllString(strings.ToLower(strings.NewReplacer("“", `"`, "‘", `"`, "’", `"`, "”", `"`, "'", `"`).Replace(text)), " ")
	for _, words := range refused {
		if strings.Contains(t, words) && !strings.Contains(t, "secondary licenses") && !strings.Contains(t, "secondary license") {
			return nil, fmt.Errorf("it speaks of the %s", words)
		}
	}
	for _, k := range known {
		all := !slices.ContainsFunc(k.words, func(w string) bool { return !strings.Contains(t, w) })
		if all && !slices.Contains(ids, k.id) && (k.id != "BSD-2-Clause" || !slices.Contains(ids, "BSD-3-Clause")) {
			ids = append(ids, k.id)
		}
	}
	return ids, nil
}

// licensed names the licences of a part: at least one, and each on the list.
func (p part) licensed() (ids, texts []string, err error) {
	if texts, err = p.licences(); err != nil {
		return nil, nil, err
	}
	for _, text := range texts {
		of, err := licencesOf(text)
		if err != nil {
			return nil, nil, fmt.Errorf("%s %s: %w:\n%s", p.Name, p.Version, err, text[:min(len(text), 400)])
		}
		ids = append(ids, of...)
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) == 0 {
		return nil, nil, fmt.Errorf("%s %s is under a licence that is not on the list:\n%s", p.Name, p.Version,
			texts[0][:min(len(texts[0]), 400)])
	}
	return ids, texts, nil
}
