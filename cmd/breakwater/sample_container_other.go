//go:build !linux

package main

import (
	"context"
	"errors"
	"syscall"
)

func dieWithParent() *syscall.SysProcAttr { return nil }

func runInContainer(context.Context, string, string) error {
	return errors.New("containers need Linux")
}
