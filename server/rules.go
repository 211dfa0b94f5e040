package server

import (
	"fmt"
	"os"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/detect/builtin"
	"github.com/breakwater-sec/breakwater/rule"
)

// LoadRules is the built-in rules and, if given, a folder of more.
func LoadRules(folder string) (*analyse.Rules, error) {
	if folder != "" {
		if err := wholeFolder(folder); err != nil {
			return nil, err
		}
	}
	return analyse.Load(folder)
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
