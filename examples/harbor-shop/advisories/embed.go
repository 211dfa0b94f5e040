// Package advisories holds the few advisories that the sample estate needs. It
// is no vulnerability database: a package without a record here is not clean.
package advisories

import "embed"

// FS holds OSV records, an excerpt of CISA's catalogue and synthetic EPSS scores.
//
//go:embed alpine cve debian maven ubuntu pypi kev.json epss.csv
var FS embed.FS
