package kubetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// process is one started command, its output in a file.
type process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{}
}

func (c *Cluster) run(command string, args ...string) (*process, error) {
	p := &process{log: filepath.Join(c.Dir, command+".log"), done: make(chan struct{})}
	f, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p.cmd = exec.Command(filepath.Join(c.bin, command), args...)
	p.cmd.Stdout, p.cmd.Stderr = f, f
	p.cmd.SysProcAttr = dieWithParent()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", command, err)
	}
	go func() { p.cmd.Wait(); close(p.done) }()
	return p, nil
}

func (p *process) stop() {
	if p != nil {
		p.cmd.Process.Kill()
		<-p.done
	}
}

func (p *process) tail() string {
	b, _ := os.ReadFile(p.log)
	return string(b[max(0, len(b)-2000):])
}
