package harborshop

import (
	"embed"
	"fmt"

	"sigs.k8s.io/yaml"
)

// bundle is an image of the estate: a distribution's layer, a layer of packages
// on top, and the program's own files.
type bundle struct {
	Name    string   // repository:tag
	Release string   // whose os-release is in distributions/; empty for a program alone
	Base    string   // whose packages are in distributions/
	Added   string   // packages, one to a line
	Files   []string // the first is the entrypoint
	User    string
	// Platforms makes an index of several builds; linux/amd64 alone if empty.
	Platforms []string
	// Distroless keeps each package's record in a file of its own.
	Distroless bool
	// Lost is an image that nodes still run and the registry no longer has.
	Lost bool
}

//go:embed images.yaml
var listed []byte

// distributions are their os-release files, and packages of their base images: one to a
// line, with name, version, source and files.
//
//go:embed distributions
var distributions embed.FS

// bundles are all images.
func bundles() (all []bundle, err error) {
	if err := yaml.UnmarshalStrict(listed, &all); err != nil {
		return nil, fmt.Errorf("read the sample's images: %w", err)
	}
	return all, nil
}

// distribution is what a file of distributions holds.
func distribution(name, what string) (string, error) {
	if name == "" {
		return "", nil
	}
	text, err := distributions.ReadFile("distributions/" + name + "." + what)
	return string(text), err
}
