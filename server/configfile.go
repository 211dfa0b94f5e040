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
	Host         string   `yaml:"host"`
	Repositories []string `yaml:"repositories"`
	Tags         int      `yaml:"tags"`
	Insecure     bool     `yaml:"insecure"`
	Username     string   `yaml:"username"`
	PasswordFile string   `yaml:"passwordFile"`
	PasswordEnv  string   `yaml:"passwordEnv"`
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
	what, err = collect.Registry{Host: r.Host, Repositories: r.Repositories, Tags: r.Tags, Insecure: r.Insecure}.Valid()
	if err != nil {
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
	if login.PasswordFile != "" && !filepath.IsAbs(login.PasswordFile) {
		login.PasswordFile = filepath.Join(dir, login.PasswordFile)
	}
	return what, login, nil
}
