package main

import (
	"cmp"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/sensor"
)

// config is what the flags say.
type config struct {
	server, ca, tokenFile, node, buffer, identity string
	bufferSize                                    size
	stdout, check, leave                          bool
	interval                                      time.Duration
}

func (c *config) flags(cmd *cobra.Command) {
	c.bufferSize = 64 << 20
	f := cmd.Flags()
	f.StringVar(&c.server, "server", "", "https `URL` of the server's endpoint for events")
	f.StringVar(&c.ca, "ca", "", "`FILE` with the certificates that vouch for the server (default: those the system trusts)")
	f.StringVar(&c.tokenFile, "token-file", "", "`FILE` with the cluster's join token; read whenever the sensor has to join")
	f.StringVar(&c.node, "node", "", "`NAME` of the node in its cluster (default: the environment's NODE_NAME, or the host's name)")
	f.StringVar(&c.buffer, "buffer", "/var/lib/breakwater-sensor", "`DIR` for records that the server does not have yet")
	f.StringVar(&c.identity, "identity", "", "`DIR` for this node's key and certificate (default: identity in the folder of --buffer)")
	f.BoolVar(&c.leave, "leave", false, "give the certificate back at the end: where --identity does not outlive this sensor")
	f.Var(&c.bufferSize, "buffer-size", "`SIZE` that the buffer may have, such as 64MiB; what comes beyond is lost, and counted")
	f.BoolVar(&c.stdout, "stdout", false, "print each record as a line of JSON")
	f.BoolVar(&c.check, "check", false, "say what works on this node, and end")
	f.DurationVar(&c.interval, "status-interval", 30*time.Second, "time between two statuses to the server")
}

// link is the way to the server, nil if none is named.
func (c *config) link() (*sensor.Link, error) {
	if c.server == "" {
		return nil, nil
	}
	server, err := url.Parse(c.server)
	if err != nil {
		return nil, fmt.Errorf("--server: %w", err)
	}
	if c.tokenFile == "" {
		return nil, errors.New("--token-file is missing: `breakwater connect` on the server makes a join token")
	}
	if _, err := c.token(); err != nil {
		return nil, fmt.Errorf("--token-file: %w", err)
	}
	var trusted *x509.CertPool
	if c.ca != "" {
		if trusted, err = roots(c.ca); err != nil {
			return nil, fmt.Errorf("--ca: %w", err)
		}
	}
	node, err := c.nodeName()
	if err != nil {
		return nil, err
	}
	l, err := sensor.NewLink(server, trusted, sensor.Identity{Node: node, Pod: os.Getenv("POD_UID"), Token: c.token,
		Dir: cmp.Or(c.identity, filepath.Join(c.buffer, "identity"))})
	if err != nil {
		return nil, fmt.Errorf("--server: %w", err)
	}
	return l, nil
}

func (c *config) token() (string, error) {
	b, err := os.ReadFile(c.tokenFile)
	if err == nil && len(strings.TrimSpace(string(b))) == 0 {
		err = fmt.Errorf("%s is empty", c.tokenFile)
	}
	return string(b), err
}

func roots(file string) (*x509.CertPool, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("no certificate in %s", file)
	}
	return pool, nil
}

// nodeName is what the cluster calls this node.
func (c *config) nodeName() (string, error) {
	name := c.node
	if name == "" {
		name = os.Getenv("NODE_NAME")
	}
	if name == "" {
		host, err := os.Hostname()
		if err != nil {
			return "", fmt.Errorf("--node is missing, and the host's name is not known: %w", err)
		}
		name = host
	}
	if len(name) > 253 || strings.ContainsAny(name, "/ \t\r\n") {
		return "", fmt.Errorf("--node %q: not a node's name", name)
	}
	return name, nil
}

// thisRun tells this run of the sensor from every other.
func thisRun() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("read the kernel's boot id: %w", err)
	}
	return strings.TrimSpace(string(b)) + "-" + strings.ToLower(rand.Text()[:8]), nil
}

// size is a number of bytes as people write it.
type size int64

var units = []struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}}

func (s *size) Type() string { return "size" }

func (s *size) String() string {
	for _, u := range units {
		if int64(*s)%u.bytes == 0 {
			return strconv.FormatInt(int64(*s)/u.bytes, 10) + u.name
		}
	}
	return ""
}

func (s *size) Set(text string) error {
	for _, u := range units {
		if number, ok := strings.CutSuffix(text, u.name); ok {
			n, err := strconv.ParseInt(number, 10, 64)
			if err != nil || n <= 0 || n > 1<<50/u.bytes {
				break
			}
			*s = size(n * u.bytes)
			return nil
		}
	}
	return errors.New("want a size such as 64MiB")
}
