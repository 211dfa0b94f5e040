package server

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/registry"
	"github.com/breakwater-sec/breakwater/egress"
	harborshop "github.com/breakwater-sec/breakwater/examples/harbor-shop"
	"github.com/breakwater-sec/breakwater/registries"
)

// NamedRegistries reads every --registry: [http://]HOST[/REPOSITORY]. What is said
// of one host comes together.
func NamedRegistries(flags []string) (out []registries.Connection, err error) {
	at := map[string]int{}
	for _, f := range flags {
		rest, insecure := strings.CutPrefix(f, "http://")
		host, repository, named := strings.Cut(strings.TrimPrefix(rest, "https://"), "/")
		what := collect.Registry{Host: host, Insecure: insecure}
		if named && repository != "" {
			what.Repositories = []string{repository}
		}
		if what, err = what.Valid(); err != nil {
			return nil, err // it names the registry, unless a password may be in it
		}
		i, known := at[what.Host]
		if !known {
			at[what.Host] = len(out)
			out = append(out, registries.Connection{Registry: what, From: registries.FromFlag})
			continue
		}
		have := &out[i].Registry
		if len(have.Repositories) == 0 || len(what.Repositories) == 0 {
			have.Repositories = nil // all of them
		} else {
			have.Repositories = append(have.Repositories, what.Repositories...)
		}
		have.Insecure = have.Insecure || insecure
	}
	return out, nil
}

// registryConfig is which registries to read from the start, and how.
func (v *Server) registryConfig() (registries.Config, registry.Reader, error) {
	reader := registry.Reader{Policy: v.egress, PerSecond: v.config.RegistryQPS, Outlines: v.Store}
	connect, err := NamedRegistries(v.config.Registries)
	if err != nil {
		return registries.Config{}, reader, err
	}
	if v.config.File != "" {
		more, logins, err := ReadConfig(v.config.File)
		if err != nil {
			return registries.Config{}, reader, err
		}
		for _, c := range more {
			if taken(connect, c.Host) {
				return registries.Config{}, reader, fmt.Errorf("registry %s is named by --registry and in %s: name it once", c.Host, v.config.File)
			}
		}
		connect, reader.Logins = append(connect, more...), logins
	}
	if v.config.NoImages && len(connect) > 0 {
		return registries.Config{}, reader, errors.New("--no-images reads no registries: leave it out, or those of --registry and --config")
	}
	if v.Estate != nil && !taken(connect, harborshop.Host) {
		connect = append(connect, registries.Connection{Registry: collect.Registry{Host: harborshop.Host}, From: registries.FromFlag})
	}
	if v.config.NoImages {
		return registries.Config{}, reader, nil
	}
	return registries.Config{Read: reader.Read, Check: reader.Check, Look: reader.Look, Wants: registry.Wants, Account: reader.Account,
		Valid: registry.Valid, Preview: reader.Preview,
		Every: v.config.RegistryEvery, Connect: connect}, reader, nil
}

// policy is what may be fetched from now: what flags and file say, and the registries that people connected.
func (v *Server) policy() egress.Policy {
	p := v.egress
	for _, r := range v.Registries.Registries() {
		if with, err := registry.Way(p, r.Connection.Registry); err == nil { // what is none was refused when it was connected
			p = with
		}
	}
	return p
}

// prefer says which builds of a registry's indexes are read, by the registry's own name.
func (v *Server) prefer(host string) []string {
	for _, r := range v.Registries.Registries() {
		if at, err := registry.Parse(r.Host); err == nil && (r.Host == host || at.RegistryStr() == host) {
			return r.Platforms
		}
	}
	return nil
}

// plainHTTP says which registries a person said to speak no TLS.
func (v *Server) plainHTTP(host string) bool { return v.policy().Plain(host) }

// uploaded keeps what a build said is in an image.
func (v *Server) uploaded(ctx context.Context, u assess.Upload) error {
	if err := v.disk.hasRoom(); err != nil {
		return err
	}
	if err := v.Store.PutUpload(ctx, u); err != nil {
		return err
	}
	return v.followUploads(ctx)
}

// followUploads tells which images builds told of: those that this and other servers were told of, and not those that
// were told of too long ago.
func (v *Server) followUploads(ctx context.Context) error {
	v.uploads.Lock() // who read the store later tells later
	defer v.uploads.Unlock()
	all, err := v.Store.Uploads(ctx)
	if err == nil {
		v.Images.Uploaded(all)
	}
	return err
}
