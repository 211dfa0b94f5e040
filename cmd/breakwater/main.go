// Breakwater: a security graph of Kubernetes clusters and container images.
package main

import (
	"os"

	"github.com/breakwater-sec/breakwater/cli"
)

func main() { os.Exit(cli.Run(os.Args[1:])) }
