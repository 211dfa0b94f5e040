package kubetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// process is one started command, its output in a file.
type process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{}
}

// run starts one of the binaries that were built, or one of the machine's by its path.
func (c *Cluster) run(command string, args ...string) (*process, error) {
	if !filepath.IsAbs(command) {
		command = filepath.Join(c.bin, command)
	}
	p := &process{log: filepath.Join(c.Dir, filepath.Base(command)+".log"), done: make(chan struct{})}
	f, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p.cmd = exec.Command(command, args...)
	p.cmd.Stdout, p.cmd.Stderr = f, f
	p.cmd.SysProcAttr = dieWithParent()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", command, err)
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	return p, nil
}

func (p *process) stop() {
	if p != nil {
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// end asks a process to end, and kills it if it does not.
func (p *process) end() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-p.done:
	case <-time.After(15 * time.Second):
		p.stop()
	}
}

func (p *process) tail() string {
	b, _ := os.ReadFile(p.log)
	return string(b[max(0, len(b)-2000):])
}
