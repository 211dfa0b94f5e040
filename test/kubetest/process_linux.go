package kubetest

import "syscall"

// dieWithParent ends the servers even if the tests are killed.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
