package prove

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/graph"
)

// maxTries bounds the connections that are tried for one step.
const maxTries = 6

// talks tries a connection from the named pod, if it is one of those that send, to those
// that listen. One that is made shows the step; that none is, only of the pods tried.
func (p prover) talks(ctx context.Context, from, to graph.Node) (Verdict, string, error) {
	sender, ok := p.sends(from)
	if !ok {
		return Unproven, "no pod was named from which connections may be tried, or it is none of those that send", nil
	}
	why, tried, unknown := "nothing that listens was found", 0, 0
	for listens := range to.In("LISTENS_AS") {
		for runs := range listens.From.In("RUNS") {
			namespace, name := runs.From.Text("namespace"), runs.From.Text("name")
			if namespace+"/"+name == p.from {
				continue // each pod reaches itself
			}
			host, err := p.server.PodIP(ctx, namespace, name)
			switch {
			case apierrors.IsNotFound(err):
				continue
			case err != nil:
				why, unknown = err.Error(), unknown+1
				continue
			case host == "":
				why, unknown = fmt.Sprintf("pod %s/%s has no address yet", namespace, name), unknown+1
				continue
			}
			for _, port := range tcp(to.Value("ports").List()) {
				if tried == maxTries {
					return Unproven, "only some of what listens was tried: " + why, nil
				}
				tried++
				got, err := p.server.Connect(ctx, sender, host, port)
				if err != nil {
					return "", "", err
				}
				why = fmt.Sprintf("from pod %s/%s to port %d of pod %s: %s", sender.Namespace, sender.Pod, port, name, got.Why)
				switch {
				case got.Made:
					return Verified, why, nil
				case !got.Known:
					unknown++
				}
			}
		}
	}
	if tried == 0 || unknown > 0 {
		return Unproven, why, nil
	}
	return Refuted, why, nil
}

// sends is the container of the named pod whose packets are those of a class.
func (p prover) sends(class graph.Node) (kube.From, bool) {
	for e := range class.In("TALKS_AS") {
		for runs := range e.From.In("RUNS") {
			if pod := runs.From; p.from != "" && pod.Text("namespace")+"/"+pod.Text("name") == p.from {
				return kube.From{Namespace: pod.Text("namespace"), Pod: pod.Text("name"), Container: e.From.Text("name")}, true
			}
		}
	}
	return kube.From{}, false
}

// tcp are the ports of TCP among some such as 6379/TCP.
func tcp(ports []string) (out []int) {
	for _, text := range ports {
		number, protocol, _ := strings.Cut(text, "/")
		if n, err := strconv.Atoi(number); err == nil && cmp.Or(protocol, "TCP") == "TCP" {
			out = append(out, n)
		}
	}
	return out
}
