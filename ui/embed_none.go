//go:build !ui

// Package ui is the portal as files to serve. It knows nothing about requests.
package ui

import (
	"io/fs"
	"testing/fstest"
)

const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Breakwater</title>
<body><h1>This program was built without the portal</h1>
<p>The API and the command line work. To build the portal as well: <code>npm --prefix ui ci</code>,
<code>npm --prefix ui run build</code>, <code>go build -tags ui ./cmd/breakwater</code>.</p></body></html>
`

// Assets is a page that says how to build the portal; ok says that it is not it.
func Assets() (files fs.FS, ok bool) {
	return fstest.MapFS{"index.html": {Data: []byte(page), Mode: 0o444}}, false
}
