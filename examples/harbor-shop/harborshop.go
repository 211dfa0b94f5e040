// Package harborshop is the sample estate: a chandler's web shop on two clusters,
// harbor-prod and harbor-dev. Its images are real OCI images, built at run time
// from real distribution metadata and package databases and served by a registry
// inside the process; its manifests are those in clusters/, together with the
// pods that a live cluster would have made of them.
//
// The images hold no program: they can be scanned, not run. It needs no network,
// no Docker and no cluster, and knows nothing of what others find in it.
package harborshop

import (
	"context"
	_ "embed" // the recordings
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

// Host is the registry's name in every manifest. The port that the registry
// really has changes from run to run, and what is said of an image should not:
// Estate.Transport leads from the one to the other.
const Host = "registry.harbor-shop.example"

// Estate is the sample, running until it is closed.
type Estate struct {
	// Registry is host:port of the registry, which speaks plain HTTP on loopback.
	Registry string
	// Digests are what each reference ("registry.harbor-shop.example/shop/web:1.4.2")
	// stands for: of the index where there is one. They are the same in every run.
	Digests  map[string]string
	Clusters []Cluster
	server   *http.Server
	served   chan error
}

// Cluster is one cluster of the estate.
type Cluster struct {
	Name string
	// Manifests is everything as the running cluster shows it, nodes and pods
	// among it.
	Manifests fs.FS
	// Applied is the part that people apply: without system.yaml, which holds
	// what a cluster has by itself, and without pods.
	Applied fs.FS
	// Audit is what a real API server's audit log said when people made two of
	// the workloads, as JSON Lines; empty where nothing was recorded.
	Audit []byte
	// Runtime is what a real sensor said of real containers that ran under the names
	// of this cluster's, as JSON Lines; empty where nothing was recorded.
	Runtime []byte
}

//go:embed audit/harbor-prod.jsonl
var auditOfProd []byte

//go:embed runtime/harbor-prod.jsonl
var runtimeOfProd []byte

// Open builds the images, starts the registry on a loopback address ("" is a free
// port of 127.0.0.1), pushes them there and renders the manifests.
func Open(ctx context.Context, addr string) (*Estate, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("start the sample registry: %w", err)
	}
	e := &Estate{Registry: listener.Addr().String(), Digests: map[string]string{}, served: make(chan error, 1),
		server: &http.Server{Handler: registry.New(registry.Logger(log.New(io.Discard, "", 0))), ReadHeaderTimeout: 10 * time.Second}}
	go func() { e.served <- e.server.Serve(listener) }()
	if err := e.fill(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func (e *Estate) fill(ctx context.Context) error {
	all, err := bundles()
	if err != nil {
		return err
	}
	for _, b := range all {
		if err := e.push(ctx, b); err != nil {
			return fmt.Errorf("push %s: %w", b.Name, err)
		}
	}
	for _, name := range []string{"harbor-prod", "harbor-dev"} {
		c, err := e.cluster(name)
		if err != nil {
			return err
		}
		if name == "harbor-prod" {
			c.Audit, c.Runtime = auditOfProd, runtimeOfProd
		}
		e.Clusters = append(e.Clusters, c)
	}
	return nil
}

// ImageID is what a node would say that a reference ("registry.harbor-shop.example/
// shop/web:1.4.2") was when it pulled it; empty if there never was such an image.
func (e *Estate) ImageID(reference string) string {
	digest := e.Digests[reference]
	if digest == "" {
		return ""
	}
	return reference[:strings.LastIndex(reference, ":")] + "@" + digest
}

// Close stops the registry.
func (e *Estate) Close() error {
	err := e.server.Close()
	if served := <-e.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
