// Package packs holds Breakwater's own rules as data: attack techniques and path
// types, each with its tests. A user's folder of the same layout goes the same
// way. The package knows no engine.
package packs

import "embed"

// FS is the built-in rules: attack/*.yaml and paths/*.yaml.
//
//go:embed attack/*.yaml paths/*.yaml
var FS embed.FS
