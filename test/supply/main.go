// Supply says what others wrote of what we hand out: the notice of licences that the binary carries, and the bill
// of materials of a binary. Its tests hold both to what is linked, and the imports to a budget.
//
//	supply notice FILE   writes the notice
//	supply sbom BINARY   prints the bill of materials (CycloneDX) of a binary of ours
package main

import (
	"errors"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "supply:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("want notice FILE or sbom BINARY")
	}
	switch args[0] {
	case "notice":
		text, err := makeNotice(".")
		if err != nil {
			return err
		}
		return os.WriteFile(args[1], text, 0o644)
	case "sbom":
		bom, err := billOf(args[1], ".")
		if err != nil {
			return err
		}
		return writeBill(os.Stdout, bom)
	}
	return fmt.Errorf("%s: want notice or sbom", args[0])
}
