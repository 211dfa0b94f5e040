package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/notice"
)

// licensesCommand prints what the binary owes to others.
func licensesCommand(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "licenses",
		Short: "The modules and packages that this program contains, and their licences",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := io.WriteString(s.out, notice.Text)
			return err
		},
	}
}
