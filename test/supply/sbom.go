package main

import (
	"debug/buildinfo"
	"fmt"
	"io"
	"path"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// billOf is the bill of materials of a binary of ours: the modules that the linker wrote into it, and, if it has the
// portal, the packages that are in that. Nothing in it depends on when or where it is made.
func billOf(binary, root string) (*cdx.BOM, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, fmt.Errorf("read what %s is built of: %w", binary, err)
	}
	parts := []part{{Name: standardLibrary, Version: strings.TrimPrefix(info.GoVersion, "go")}}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		parts = append(parts, part{Name: m.Path, Version: m.Version})
	}
	for _, s := range info.Settings {
		if s.Key == "-tags" && s.Value == "ui" && path.Base(info.Path) == "breakwater" {
			packages, err := bundledPackages(root)
			if err != nil {
				return nil, err
			}
			parts = append(parts, packages...)
		}
	}
	licences, err := licencesByName(root)
	if err != nil {
		return nil, err
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Component: &cdx.Component{Type: cdx.ComponentTypeApplication, BOMRef: info.Path, Name: path.Base(info.Path),
		Version: info.Main.Version, Licenses: &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}}}}
	var components []cdx.Component
	refs := []string{}
	for _, p := range parts {
		c := cdx.Component{Type: cdx.ComponentTypeLibrary, BOMRef: p.purl(), Name: p.Name, Version: p.Version, PackageURL: p.purl()}
		for _, id := range licences[p.Name] {
			if c.Licenses == nil {
				c.Licenses = &cdx.Licenses{}
			}
			*c.Licenses = append(*c.Licenses, cdx.LicenseChoice{License: &cdx.License{ID: id}})
		}
		components, refs = append(components, c), append(refs, c.BOMRef)
	}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: info.Path, Dependencies: &refs}}
	return bom, nil
}

func licencesByName(root string) (map[string][]string, error) {
	parts, err := linkedModules(root)
	if err != nil {
		return nil, err
	}
	packages, err := bundledPackages(root)
	if err == nil { // a binary without the portal has none
		parts = append(parts, packages...)
	}
	out := map[string][]string{}
	for _, p := range parts {
		if out[p.Name], _, err = p.licensed(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func writeBill(w io.Writer, bom *cdx.BOM) error {
	e := cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON)
	e.SetPretty(true)
	return e.Encode(bom)
}
