package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/breakwater-sec/breakwater/redact"
)

// From is a container of a running pod, from which a connection is tried.
type From struct{ Namespace, Pod, Container string }

// Attempt is what came of a connection that was tried. Unless Known, nothing is known.
type Attempt struct {
	Made, Known bool
	Why         string
}

// connecting is run in a container: it connects to a port, sends nothing, and hangs up.
// Who has neither bash nor an nc that only connects says so by a status of its own.
const connecting = `if command -v bash >/dev/null 2>&1; then timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$0" "$1"
elif command -v nc >/dev/null 2>&1; then nc -z -w 3 "$0" "$1"
else exit 97; fi`

const (
	noTool   = 97
	timedOut = 124 // of timeout(1)
)

// maxTry bounds one attempt.
const maxTry = 15 * time.Second

// Connect tries a TCP connection from a container to an address, by a command in it:
// the one thing that is done and not only asked. It sends nothing.
func (p *Prover) Connect(ctx context.Context, from From, host string, port int) (Attempt, error) {
	ctx, cancel := context.WithTimeout(ctx, maxTry)
	defer cancel()
	q := url.Values{"command": {"sh", "-c", connecting, host, strconv.Itoa(port)}, "container": {from.Container},
		"stdout": {"true"}, "stderr": {"true"}}
	target, err := url.Parse(p.cl.discover.RESTClient().Get().
		AbsPath("/api/v1/namespaces/" + from.Namespace + "/pods/" + from.Pod + "/exec").URL().String())
	if err != nil {
		return Attempt{}, err
	}
	target.RawQuery = q.Encode()
	said, err := runIn(ctx, p.cl.cfg, target.String())
	return attempt(err, said), nil
}

// attempt reads what a command said and how it ended.
func attempt(err error, said string) Attempt {
	var ended exitStatus
	said = redact.Text(strings.TrimSpace(said))
	low := strings.ToLower(said)
	switch {
	case err == nil:
		return Attempt{Made: true, Known: true, Why: "the connection was made"}
	case apierrors.IsForbidden(err):
		return Attempt{Why: ErrMayNotAsk.Error() + ": running a command in the pod is refused"}
	case !errors.As(err, &ended):
		return Attempt{Why: "no command could be run in the pod: " + err.Error()}
	case ended == noTool || strings.Contains(low, "usage:") || strings.Contains(low, "invalid option"):
		return Attempt{Why: "the container has no program that connects: neither bash nor an nc that only connects"}
	case strings.Contains(low, "refused"):
		return Attempt{Known: true, Why: "the connection was refused"}
	case ended == timedOut || strings.Contains(low, "timed out") || strings.Contains(low, "timeout"):
		return Attempt{Known: true, Why: "nothing answered in time"}
	case strings.Contains(low, "unreachable") || strings.Contains(low, "no route"):
		return Attempt{Known: true, Why: "the address is not reached"}
	}
	return Attempt{Why: fmt.Sprintf("the command ended with status %d: %s", ended, said)}
}

// PodIP is the address of a pod that runs; empty if it has none.
func (p *Prover) PodIP(ctx context.Context, namespace, name string) (string, error) {
	text, err := p.cl.discover.RESTClient().Get().AbsPath("/api/v1/namespaces/"+namespace+"/pods/"+name).
		SetHeader("Accept", "application/json").Do(ctx).Raw()
	if err != nil {
		return "", fmt.Errorf("read pod %s/%s: %w", namespace, name, err)
	}
	var pod corev1.Pod
	if err := json.Unmarshal(text, &pod); err != nil || net.ParseIP(pod.Status.PodIP) == nil {
		return "", err
	}
	return pod.Status.PodIP, nil
}
