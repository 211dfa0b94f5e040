package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/registry"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/rule"
)

// maxConfig bounds the file of --config.
const maxConfig = 1 << 20

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

// readConfig is strict: a key it does not know is an error with file and line.
func readConfig(name string) (connections []live.Connection, logins map[string]registry.Login, err error) {
	text, err := configText(name)
	if err != nil {
		return nil, nil, err
	}
	return parseConfig(name, text)
}

func configText(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return nil, fmt.Errorf("--config %s: %w", name, err)
	}
	if len(text) > maxConfig {
		return nil, fmt.Errorf("--config %s: longer than the %d bytes allowed", name, maxConfig)
	}
	return text, nil
}

func decodeConfig(name string, text []byte) (c configFile, err error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return c, rule.Placed(name, err)
	}
	return c, nil
}

func parseConfig(name string, text []byte) ([]live.Connection, map[string]registry.Login, error) {
	c, err := decodeConfig(name, text)
	if err != nil {
		return nil, nil, err
	}
	lines := registryLines(text)
	var connections []live.Connection
	logins := map[string]registry.Login{}
	for i, r := range c.Registries {
		what, login, err := r.read(filepath.Dir(name))
		if err == nil && taken(connections, what.Host) {
			err = fmt.Errorf("registry %s is there twice", what.Host)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s:%d: %w", name, lines[i], err)
		}
		connections = append(connections, live.Connection{Registry: what, From: live.FromFile})
		if login != nil {
			at, err := registry.Parse(what.Host)
			if err != nil {
				return nil, nil, fmt.Errorf("%s:%d: %w", name, lines[i], err)
			}
			logins[at.RegistryStr()] = *login
		}
	}
	return connections, logins, nil
}

func taken(list []live.Connection, host string) bool {
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
		return what, nil, fmt.Errorf("registry %s: want username and one of passwordFile and passwordEnv, or none of them to use docker's configuration", r.Host)
	}
	login = &registry.Login{Username: r.Username, PasswordFile: r.PasswordFile, PasswordEnv: r.PasswordEnv}
	if login.PasswordFile != "" && !filepath.IsAbs(login.PasswordFile) {
		login.PasswordFile = filepath.Join(dir, login.PasswordFile)
	}
	return what, login, nil
}

// registryLines is where each registry begins. It is asked of a text that decodes.
func registryLines(text []byte) map[int]int {
	lines := map[int]int{}
	var doc struct {
		Registries []yaml.Node `yaml:"registries"`
	}
	if yaml.Unmarshal(text, &doc) == nil {
		for i, n := range doc.Registries {
			lines[i] = n.Line
		}
	}
	return lines
}
