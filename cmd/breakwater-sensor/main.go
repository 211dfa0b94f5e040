// Breakwater's sensor: what runs on every node and tells the server which
// programs start there.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

// exitCannot says that the sensor could not do its work.
const exitCannot = 2

// memory is what the Go runtime is asked to stay below: a node has better uses.
const memory = 40 << 20

func main() {
	debug.SetMemoryLimit(memory)
	os.Exit(run(os.Args[1:], streams{os.Stdout, os.Stderr}))
}

// streams are where a command writes: records to out, all else to err.
type streams struct{ out, err io.Writer }

func run(args []string, s streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot(s)
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(s.err, "breakwater-sensor:", err)
		return exitCannot
	}
	return 0
}

func newRoot(s streams) *cobra.Command {
	var c config
	cmd := &cobra.Command{
		Use:   "breakwater-sensor",
		Short: "See which programs start on a node, and tell the Breakwater server",
		Long: `See which programs start on a node and how they end, with their containers,
ancestors and privileges, and tell the Breakwater server. Nothing is stopped.

It needs a kernel of 5.11 or later with type information (BTF), and CAP_BPF and
CAP_PERFMON. It reads no environment of any process. Arguments of programs are
kept as they are: the server takes passwords out of what it shows.`,
		Example: "  breakwater-sensor --stdout\n  breakwater-sensor --check\n" +
			"  breakwater-sensor --server https://breakwater.example:7879 --ca ca.crt --token-file token",
		Args:         cobra.NoArgs,
		SilenceUsage: true, SilenceErrors: true,
		Version: version(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			log := slog.New(slog.NewTextHandler(s.err, nil))
			if c.check {
				return check(cmd.Context(), s, c)
			}
			return watch(cmd.Context(), s, c, log)
		},
	}
	cmd.SetOut(s.out)
	cmd.SetErr(s.err)
	c.flags(cmd)
	return cmd
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
