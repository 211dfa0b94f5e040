// Package queries holds the Explorer's templates as data: one YAML file each,
// with its tests. It knows no engine; query.LoadTemplates reads it.
package queries

import "embed"

// Files is the templates that come with the product. A user's folder is read
// the same way.
//
//go:embed *.yaml
var Files embed.FS
