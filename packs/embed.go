// Package packs holds Breakwater's own rules as data: attack techniques, path
// types and detections, each with its tests. A user's folder of the same layout
// goes the same way. The package knows no engine.
package packs

import "embed"

// FS is the built-in rules: attack/*.yaml, paths/*.yaml, detect/*/*.yaml and
// the events that tests of detections are run on.
//
//go:embed attack/*.yaml paths/*.yaml detect
var FS embed.FS
