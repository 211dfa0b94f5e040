// Package cli is Breakwater's command line: each command in the file named for
// it, its flags, and how results are printed.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/sample"
	"github.com/breakwater-sec/breakwater/server"
	"github.com/breakwater-sec/breakwater/terminal"
	"github.com/spf13/cobra"
)

// Exit codes, part of the command line's contract.
const (
	exitFindings = 1 // findings at or above --fail-on, unknowns with --fail-on-unknown, or the answer no
	exitCannot   = 2 // could not do the work
)

// Run executes one command line and returns the exit code of the process.
func Run(args []string) int {
	if len(args) == 1 && args[0] == image.CagedCommand {
		return readCaged()
	}
	return runIn(asProgram(context.Background()), args, streams{os.Stdout, os.Stderr})
}

// run is Run with the streams of a test.
func run(args []string, s streams) int { return runIn(context.Background(), args, s) }

func runIn(ctx context.Context, args []string, s streams) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // who asks a second time is not asked to wait
	root := newRoot(s)
	root.SetArgs(args)
	err := unknownCommand(root, args)
	if err == nil {
		err = execute(ctx, root)
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFindings), errors.Is(err, errUnknown), errors.Is(err, errSecrets), errors.Is(err, errNo):
		fmt.Fprintln(s.err, "breakwater:", err)
		return exitFindings
	case ctx.Err() != nil:
		fmt.Fprintln(s.err, "breakwater: interrupted")
		return exitCannot
	default:
		fmt.Fprintln(s.err, "breakwater:", terminal.Lines(err.Error())) // it may quote what strangers wrote
		return exitCannot
	}
}

// lastWords is how long a command that was asked to end may take for it. What computes does not ask whether it is wanted
// any more, and leaves nothing half done that matters.
var lastWords = 5 * time.Second

// endsItself marks a command that has much to end, and does so.
const endsItself = "ends itself"

// execute runs a command until it ends, or until it does not though it was asked to.
func execute(ctx context.Context, root *cobra.Command) error {
	ended := make(chan error, 1)
	patient := make(chan struct{})
	root.PersistentPreRun = func(c *cobra.Command, _ []string) {
		if c.Annotations[endsItself] != "" {
			close(patient)
		}
	}
	go func() { ended <- root.ExecuteContext(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-ended:
		return err
	case <-patient:
		return <-ended
	case <-time.After(lastWords):
		return ctx.Err()
	}
}

// unknownCommand refuses a word behind a command of commands that is none of them: help with
// an exit code of success would say that the work was done.
func unknownCommand(root *cobra.Command, args []string) error {
	c, rest, err := root.Find(args)
	if err != nil || c.Runnable() || len(rest) == 0 || strings.HasPrefix(rest[0], "-") {
		return nil
	}
	return fmt.Errorf("unknown command %q for %q: want one of those that %s --help lists", rest[0], c.CommandPath(), c.CommandPath())
}

func newRoot(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "breakwater",
		Short: "Security graph, attack paths and vulnerabilities of Kubernetes clusters, without an agent",
		Long: `Breakwater reads Kubernetes clusters and container images without an agent, holds
what it saw in one security graph, answers questions over it and shows the
attacker's way in, with the evidence of every step.

Every analysis also works without a server: give it --from a kubeconfig context,
manifests or a dump.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       server.Version(),
	}
	root.SetOut(s.out)
	root.SetErr(s.err)
	for _, c := range []*cobra.Command{
		serveCommand(s), signInCommand(s), scanCommand(s), exceptionsCommand(s), alertsCommand(s), graphCommand(s), queryCommand(s),
		exposureCommand(s), pathsCommand(s), vulnerabilityCommand(s), recommendationsCommand(s), canCommand(s),
		leastPrivilegeCommand(s), detectCommand(s),
		connectCommand(s), tokensCommand(s), registryCommand(s), diffCommand(s), cutCommand(s), whatIfCommand(s), fixCommand(s),
		rulesCommand(s), dbCommand(s), storageCommand(s), backupCommand(s), restoreCommand(s), activityCommand(s), licensesCommand(s),
		dumpCommand(s), sample.ContainerCommand(),
	} {
		root.AddCommand(c)
	}
	return root
}
