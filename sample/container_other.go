//go:build !linux

package sample

import (
	"context"
	"errors"
	"syscall"

	"github.com/spf13/cobra"
)

func dieWithParent() *syscall.SysProcAttr { return nil }

func runInContainer(context.Context, string, string) error {
	return errors.New("containers need Linux")
}

func ContainerCommand() *cobra.Command {
	return &cobra.Command{Use: "sample-container", Hidden: true}
}
