package lang

import (
	"errors"
	"path"
	"strings"
)

func isComposerInstalled(dir, base string) bool {
	return base == "installed.json" && path.Base(dir) == "composer"
}

type composed struct {
	Name, Version string
	Path          string `json:"install-path"`
}

// readComposerInstalled reads what Composer installed: a list, since its version 2 in an object.
func readComposerInstalled(f File, c *Content) error {
	text, err := f.text(mostList)
	if err != nil {
		return err
	}
	var list []composed
	if strings.HasPrefix(strings.TrimSpace(string(text[:min(len(text), 64)])), "[") {
		err = unmarshal(text, &list)
	} else {
		var said struct{ Packages *[]composed }
		if err = unmarshal(text, &said); err == nil {
			if said.Packages == nil {
				return errors.New("want packages, have none")
			}
			list = *said.Packages
		}
	}
	if err != nil {
		return err
	}
	for _, p := range list {
		folder := path.Join(path.Dir(path.Dir(f.Name)), p.Name)
		if p.Path != "" {
			folder = path.Join(path.Dir(f.Name), p.Path)
		}
		c.own(folder + "/")
		if err := c.add(Package{Ecosystem: "Packagist", Name: strings.ToLower(p.Name), Version: p.Version}); err != nil {
			return err
		}
	}
	return nil
}
