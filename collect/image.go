package collect

import "strings"

// ImageIs says whether the container's image comes from a repository of that
// name, in any registry and folder: "quay.io/calico/node:v3" is
// "calico/node" and "node".
func (c ContainerShape) ImageIs(name string) bool {
	repo, _, _ := strings.Cut(c.Image, "@")
	if i := strings.LastIndex(repo, ":"); i > strings.LastIndex(repo, "/") {
		repo = repo[:i]
	}
	return repo == name || strings.HasSuffix(repo, "/"+name)
}
