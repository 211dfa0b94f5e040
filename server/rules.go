package server

import (
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/detect/builtin"
	"github.com/breakwater-sec/breakwater/rule"
)

// SplitFrom takes NAME=SOURCE apart; a path may contain "=" behind a "/".
func SplitFrom(s string) (name, source string) {
	if n, rest, ok := strings.Cut(s, "="); ok && n != "" && !strings.ContainsAny(n, "/:.") {
		return n, rest
	}
	return "", s
}

// LoadRules is the built-in rules and, if given, a folder of more.
func LoadRules(folder string) (*analyse.Rules, error) {
	if folder != "" {
		if err := wholeFolder(folder); err != nil {
			return nil, err
		}
	}
	return analyse.Load(folder)
}

// Prefixes reads the values of --trusted-proxy.
func Prefixes(texts []string) (out []netip.Prefix, err error) {
	for _, t := range texts {
		p, err := netip.ParsePrefix(t)
		if err != nil {
			return nil, fmt.Errorf("--trusted-proxy: %w", err)
		}
		out = append(out, p)
	}
	return out, nil
}

// LoadDetections reads the built-in detections and, if named, those of a folder.
func LoadDetections(folder string) (*detect.Rules, error) {
	if folder == "" {
		return builtin.Load()
	}
	if err := wholeFolder(folder); err != nil {
		return nil, err
	}
	return builtin.Load(os.DirFS(folder))
}

// wholeFolder refuses a folder from which no engine would load a rule.
func wholeFolder(folder string) error {
	root, part, err := rule.Find(folder)
	if err == nil && part != "." {
		err = fmt.Errorf("%s is a part of a folder of rules: want %s", folder, root)
	}
	if err != nil {
		return fmt.Errorf("load rules: %w", err)
	}
	return nil
}
