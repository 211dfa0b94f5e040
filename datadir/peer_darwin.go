package datadir

import "golang.org/x/sys/unix"

// peer asks who was at the other end when it connected or began to listen.
func peer(fd int) (Peer, error) {
	c, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return Peer{}, err
	}
	pid, err := unix.GetsockoptInt(fd, unix.SOL_LOCAL, unix.LOCAL_PEERPID)
	return Peer{UID: int(c.Uid), PID: pid}, err
}
