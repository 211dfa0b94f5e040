package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/breakwater-sec/breakwater/sensor/process"
)

// check tries everything the sensor needs and says what came of it.
func check(ctx context.Context, s streams, c config) error {
	failed := false
	say := func(what string, err error) {
		if err != nil {
			failed = true
			fmt.Fprintf(s.out, "no   %s: %v\n", what, err)
			return
		}
		fmt.Fprintf(s.out, "yes  %s\n", what)
	}
	say("kernel "+kernel()+" tells its types (/sys/kernel/btf/vmlinux)", readable("/sys/kernel/btf/vmlinux"))
	say("CAP_BPF", held(unix.CAP_BPF))
	say("CAP_PERFMON", held(unix.CAP_PERFMON))
	say("programs start and end within sight", sight())
	if c.server != "" {
		say("server "+c.server+" lets this node join and takes a status", c.reach(ctx))
	}
	if failed {
		return errors.New("this node cannot be watched as asked")
	}
	return nil
}

func readable(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	return f.Close()
}

// sight opens the probe and closes it.
func sight() error {
	p, err := process.Open()
	if err != nil {
		return err
	}
	return p.Close()
}

// reach sends the server a status of a sensor that ended. It leaves no certificate that
// was not there before.
func (c *config) reach(ctx context.Context) error {
	sc, err := c.sensor(nil)
	if err != nil {
		return err
	}
	err = sayOff(ctx, sc, "only a check")
	if err == nil && sc.Link.Joined() { // the sensor that follows has a key of its own
		err = sc.Link.Leave(ctx)
	}
	return err
}

// held says whether we have a capability. A capability that is held in another
// user namespace than the node's does not help: loading says so then.
func held(capability int) error {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if set, ok := strings.CutPrefix(lines.Text(), "CapEff:"); ok {
			n, err := strconv.ParseUint(strings.TrimSpace(set), 16, 64)
			if err == nil && n&(1<<capability) == 0 {
				return errors.New("not held")
			}
			return err
		}
	}
	return errors.New("/proc/self/status does not say")
}

// explain adds to the kernel's own error what is missing, if that is plain.
func explain(err error) error {
	var missing []string
	for _, c := range []struct {
		name   string
		number int
	}{{"CAP_BPF", unix.CAP_BPF}, {"CAP_PERFMON", unix.CAP_PERFMON}} {
		if held(c.number) != nil {
			missing = append(missing, c.name)
		}
	}
	switch {
	case len(missing) > 0:
		return fmt.Errorf("%w\nThis process lacks %s: run it as root or with these capabilities (CAP_SYS_ADMIN is not needed)",
			err, strings.Join(missing, " and "))
	case readable("/sys/kernel/btf/vmlinux") != nil:
		return fmt.Errorf("%w\nThis kernel tells no types (CONFIG_DEBUG_INFO_BTF), without which the programs do not know where to read", err)
	}
	return err
}
