// Package notice is the licences of what others wrote and Breakwater carries, as a text. It is made from what is
// linked: test/supply.
package notice

import _ "embed"

// Text names every module and package that the binaries and the portal contain, with its licences in full.
//
//go:embed third-party.txt
var Text string
