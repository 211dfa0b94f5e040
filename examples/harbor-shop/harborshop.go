// Package harborshop is the sample estate: a web shop on two clusters, harbor-prod
// and harbor-dev. Its images are real OCI images, built at run time from real
// distribution metadata and package databases and served by a registry inside
// the process; its manifests are those in clusters/, together with the pods that
// a live cluster would have made of them.
//
// The images hold no program: they can be scanned, not run. It needs no network,
// no Docker and no cluster.
package harborshop

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

//go:embed clusters
var clusters embed.FS

// Estate is the sample, running until it is closed.
type Estate struct {
	// Registry is host:port of the registry, which speaks plain HTTP on loopback.
	Registry string
	// Digests are what each image's reference ("127.0.0.1:4321/shop/checkout:5.0.3")
	// stands for: of the index where there is one.
	Digests  map[string]string
	Clusters []Cluster
	server   *http.Server
	served   chan error
}

// Cluster is one cluster of the estate.
type Cluster struct {
	Name string
	// Objects is what people apply, without nodes and pods.
	Objects fs.FS
	// Live is everything as the running cluster shows it, nodes and pods among it.
	Live fs.FS
}

// Open builds the images, starts the registry on a free loopback port, pushes
// them there and renders the manifests.
func Open(ctx context.Context) (*Estate, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
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
	for _, b := range bundles {
		if err := e.push(ctx, b); err != nil {
			return err
		}
	}
	for _, name := range []string{"harbor-prod", "harbor-dev"} {
		c, err := e.cluster(name)
		if err != nil {
			return err
		}
		e.Clusters = append(e.Clusters, c)
	}
	return nil
}

// Close stops the registry.
func (e *Estate) Close() error {
	err := e.server.Close()
	if served := <-e.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

func (e *Estate) push(ctx context.Context, b bundle) error {
	ref, err := name.NewTag(e.Registry + "/" + b.name)
	if err != nil {
		return fmt.Errorf("push %s: %w", b.name, err)
	}
	var digest v1.Hash
	if len(b.platforms) == 0 {
		img, err := b.image("linux/amd64")
		if err != nil {
			return err
		}
		if digest, err = img.Digest(); err != nil {
			return fmt.Errorf("push %s: %w", b.name, err)
		}
		err = remote.Write(ref, img, remote.WithContext(ctx))
		if err != nil {
			return fmt.Errorf("push %s: %w", b.name, err)
		}
	} else {
		index, err := b.index()
		if err != nil {
			return err
		}
		if digest, err = index.Digest(); err != nil {
			return fmt.Errorf("push %s: %w", b.name, err)
		}
		if err := remote.WriteIndex(ref, index, remote.WithContext(ctx)); err != nil {
			return fmt.Errorf("push %s: %w", b.name, err)
		}
	}
	e.Digests[ref.String()] = digest.String()
	return nil
}

// index is the bundle built for each of its platforms.
func (b bundle) index() (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range b.platforms {
		img, err := b.image(p)
		if err != nil {
			return nil, err
		}
		platform, err := v1.ParsePlatform(p)
		if err != nil {
			return nil, fmt.Errorf("build image %s: %w", b.name, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: platform}})
	}
	return index, nil
}
