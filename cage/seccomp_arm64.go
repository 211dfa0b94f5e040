//go:build linux

package cage

import "golang.org/x/sys/unix"

const (
	architecture = unix.AUDIT_ARCH_AARCH64
	compatible   = 0
)

var olderDenied []uint32
