//go:build ui

// Package ui is the portal as files to serve. It knows nothing about requests.
package ui

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Assets is the built portal; ok says whether there is one.
func Assets() (files fs.FS, ok bool) {
	files, err := fs.Sub(dist, "dist")
	return files, err == nil
}
