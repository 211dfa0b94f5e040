// Package builtin loads the detections that Breakwater ships, and those of
// others beside them. It knows every log that a rule can be about.
package builtin

import (
	"io/fs"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event/audit"
	"github.com/breakwater-sec/breakwater/event/identity"
	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/packs"
)

// Logs are what rules can be about. Their decoders are for the rules' own tests.
func Logs() []detect.Log {
	a, r, i := &audit.Decoder{Cluster: "test"}, &runtime.Decoder{Cluster: "test"}, &identity.Decoder{Cluster: "test"}
	return []detect.Log{{Source: audit.Source, Fields: audit.Fields, Index: audit.Index, Decode: a.All,
		Excuse: audit.Excuse, Excused: audit.Excused, Level: audit.Level, Least: audit.MetadataLevel, Forms: audit.Forms, Aliases: audit.Aliases, Says: audit.Says},
		{Source: runtime.Source, Fields: runtime.Fields, Index: runtime.Index, Decode: r.All, Says: runtime.Says},
		{Source: identity.Source, Fields: identity.Fields, Index: identity.Index, Decode: i.All, Says: identity.Says}}
}

// Load reads the built-in rules, and those below detect/ of each folder.
func Load(more ...fs.FS) (*detect.Rules, error) {
	return LoadFS(append([]fs.FS{packs.FS}, more...)...)
}

// LoadFS reads the rules below detect/ of each folder, and no others.
func LoadFS(from ...fs.FS) (*detect.Rules, error) { return detect.Load(Logs(), from...) }
