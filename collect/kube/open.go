package kube

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
)

// Cluster is a live cluster that "context:NAME" or "in-cluster" names; ok is
// false for anything else.
func Cluster(from string) (cfg Config, ok bool, err error) {
	if name, is := strings.CutPrefix(from, "context:"); is {
		cfg, err = FromContext("", name)
		return cfg, true, err
	}
	if from == "in-cluster" {
		cfg, err = InCluster("in-cluster")
		return cfg, true, err
	}
	return Config{}, false, nil
}

// Open reads a cluster once: a live one ("context:NAME", "in-cluster") until it
// was listed whole, a folder or file of manifests, a dump, or manifests from the
// standard input ("-").
func Open(ctx context.Context, from string) (*collect.Facts, error) {
	cfg, live, err := Cluster(from)
	if err != nil {
		return nil, err
	}
	if live {
		return Once(ctx, cfg)
	}
	if from == "-" {
		return readStream("standard input", os.Stdin)
	}
	if info, err := os.Stat(from); err != nil {
		return nil, fmt.Errorf("want context:NAME, in-cluster, a file, a folder or -: %w", err)
	} else if !info.IsDir() && isDump(from) {
		return loadFile(from)
	}
	f, err := Read(from)
	if err != nil {
		return nil, err
	}
	if abs, err := filepath.Abs(from); err == nil {
		f.Cluster.Name = strings.TrimSuffix(filepath.Base(abs), filepath.Ext(abs))
	}
	return f, nil
}

// readStream reads the manifests that another command writes.
func readStream(name string, r io.Reader) (*collect.Facts, error) {
	b, err := bounded(r)
	if err != nil {
		return nil, fmt.Errorf("read manifests from the %s: %w", name, err)
	}
	m := newManifests()
	m.content(name, b)
	return m.finish(name)
}

func loadFile(name string) (*collect.Facts, error) {
	r, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, err := Load(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// unanswered is how long a server that does not answer is waited for.
const unanswered = 30 * time.Second

// Once lists a live cluster and returns when every kind has been listed or
// refused. A server that does not answer is an error, with its own words.
func Once(ctx context.Context, cfg Config) (*collect.Facts, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f := collect.NewFacts()
	whole := false
	gaveUp := time.AfterFunc(unanswered, cancel)
	defer gaveUp.Stop()
	err := Watch(ctx, cfg, func(c collect.Change) {
		if whole {
			return
		}
		f.Apply(c)
		if c.Op == collect.Put || c.Op == collect.Resynced {
			gaveUp.Stop() // it answers: listing may take as long as it takes
		}
		if c.Op == collect.Synced {
			whole = true
			cancel()
		}
	})
	if whole {
		return f, nil
	}
	if g, down := f.Gaps[collect.GapKey{Source: "api", What: connection}]; down {
		return nil, fmt.Errorf("read cluster %s at %s: %s", cfg.Name, cfg.REST.Host, g.Why)
	}
	return nil, fmt.Errorf("read cluster %s: %w", cfg.Name, err)
}
