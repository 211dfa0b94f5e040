package server

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/registry"
	"github.com/breakwater-sec/breakwater/egress"
	"github.com/breakwater-sec/breakwater/registries"
	"github.com/breakwater-sec/breakwater/strictyaml"
)

// configFile is what --config holds: what flags are too short for.
type configFile struct {
	Registries []configRegistry           `yaml:"registries"`
	Retention  map[string]configRetention `yaml:"retention"`
}

// configRegistry is a registry and, where docker's configuration has no account
// for it, where to find one. The password itself is never written here.
type configRegistry struct {
	Host         string        `yaml:"host"`
	Repositories []string      `yaml:"repositories"`
	TagNames     []string      `yaml:"tagNames"`
	Tags         int           `yaml:"tags"`
	MaxAge       string        `yaml:"maxAge"`
	Platforms    []string      `yaml:"platforms"`
	Every        string        `yaml:"every"`
	Hours        collect.Hours `yaml:"hours"`
	Insecure     bool          `yaml:"insecure"`
	Mirror       string        `yaml:"mirror"`
	Proxy        string        `yaml:"proxy"`
	CAFile       string        `yaml:"caFile"`
	Username     string        `yaml:"username"`
	PasswordFile string        `yaml:"passwordFile"`
	PasswordEnv  string        `yaml:"passwordEnv"`
}

// ReadConfig is strict: a key it does not know is an error with file and line.
func ReadConfig(name string) (connections []registries.Connection, logins map[string]registry.Login, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, fmt.Errorf("--config: %w", err)
	}
	defer f.Close()
	return parseConfig(name, f)
}

// decodeConfig reads the file; an empty one configures nothing.
func decodeConfig(name string, r io.Reader) (c configFile, source *strictyaml.Document, err error) {
	source, err = strictyaml.ReadFrom(name, r, &c)
	if errors.Is(err, strictyaml.ErrEmpty) {
		err = nil
	}
	return c, source, err
}

func parseConfig(name string, r io.Reader) ([]registries.Connection, map[string]registry.Login, error) {
	c, source, err := decodeConfig(name, r)
	if err != nil {
		return nil, nil, err
	}
	var connections []registries.Connection
	logins := map[string]registry.Login{}
	for i, r := range c.Registries {
		what, login, err := r.read(filepath.Dir(name))
		if err == nil && taken(connections, what.Host) {
			err = fmt.Errorf("registry %s is there twice", what.Host)
		}
		if err != nil {
			return nil, nil, source.Errorf(err, "registries", strconv.Itoa(i))
		}
		connections = append(connections, registries.Connection{Registry: what, From: registries.FromFile})
		if login != nil {
			at, err := registry.Parse(what.Host)
			if err != nil {
				return nil, nil, source.Errorf(err, "registries", strconv.Itoa(i))
			}
			logins[at.RegistryStr()] = *login
		}
	}
	return connections, logins, nil
}

func taken(list []registries.Connection, host string) bool {
	for _, c := range list {
		if c.Host == host {
			return true
		}
	}
	return false
}

// read checks one entry. A relative password file lies beside the configuration.
func (r configRegistry) read(dir string) (what collect.Registry, login *registry.Login, err error) {
	what = collect.Registry{Host: r.Host, Repositories: r.Repositories, TagNames: r.TagNames, Tags: r.Tags,
		Platforms: r.Platforms, Hours: r.Hours, Insecure: r.Insecure, Mirror: r.Mirror, Proxy: r.Proxy}
	for _, span := range []struct {
		key, text string
		to        *collect.Span
	}{{"maxAge", r.MaxAge, &what.MaxAge}, {"every", r.Every, &what.Every}} {
		if span.text == "" {
			continue
		}
		if *span.to, err = collect.ParseSpan(span.text); err != nil {
			return what, nil, fmt.Errorf("registry %s: %s: %w", r.Host, span.key, err)
		}
	}
	if r.CAFile != "" {
		if what.Authorities, err = readAuthorities(beside(dir, r.CAFile)); err != nil {
			return what, nil, fmt.Errorf("registry %s: caFile: %w", r.Host, err)
		}
	}
	if what, err = registry.Valid(what); err != nil {
		return what, nil, err
	}
	one := (r.PasswordFile == "") != (r.PasswordEnv == "")
	switch {
	case r.Username == "" && r.PasswordFile == "" && r.PasswordEnv == "":
		return what, nil, nil
	case r.Username == "" || !one:
		return what, nil, fmt.Errorf("registry %s: want username and one of passwordFile and passwordEnv, or none of them to "+
			"use docker's configuration", r.Host)
	}
	login = &registry.Login{Username: r.Username, PasswordFile: r.PasswordFile, PasswordEnv: r.PasswordEnv}
	if login.PasswordFile != "" {
		login.PasswordFile = beside(dir, login.PasswordFile)
	}
	return what, login, nil
}

// beside is a file that lies beside another unless its path is absolute.
func beside(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// readAuthorities reads certificates, no more than anybody needs.
func readAuthorities(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, egress.MaxAuthorities+1))
	return string(b), err
}
