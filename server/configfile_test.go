package server

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
)

func TestTheConfigurationFileIsReadStrictly(t *testing.T) {
	tests := []struct{ name, text, wrong string }{
		{"all of it", "registries:\n  - host: registry.example:5000\n    repositories: [shop/*]\n    tags: 50\n    username: reader\n" +
			"    passwordFile: secret\n", ""},
		{"nothing", "", ""},
		{"an unknown key", "registries:\n  - host: registry.example\n    pasword: x\n", `breakwater.yaml:3: unknown key "pasword"`},
		{"a password in the file", "registries:\n  - host: registry.example\n    username: a\n    password: x\n",
			`breakwater.yaml:4: unknown key "password"`},
		{"a scheme", "registries:\n  - host: a.example\n  - host: https://b.example\n", "breakwater.yaml:3: registry"},
		{"half an account", "registries:\n  - host: registry.example\n    username: reader\n", "want username and one of"},
		{"two passwords", "registries:\n  - host: registry.example\n    username: a\n    passwordEnv: A\n    passwordFile: b\n",
			"want username and one of"},
		{"one twice", "registries:\n  - host: registry.example\n  - host: Registry.example\n",
			"breakwater.yaml:3: registry registry.example is there twice"},
		{"a policy that is none", "registries:\n  - host: registry.example\n    maxAge: soon\n",
			"breakwater.yaml:2: registry registry.example: maxAge"},
		{"hours that are none", "registries:\n  - host: registry.example\n    hours: [noon]\n",
			"breakwater.yaml:2: registry registry.example: hours"},
		{"a proxy that is none", "registries:\n  - host: registry.example\n    proxy: ftp://p\n",
			"breakwater.yaml:2: registry registry.example: proxy"},
		{"a file of authorities that is not there", "registries:\n  - host: registry.example\n    caFile: none.pem\n",
			"breakwater.yaml:2: registry registry.example: caFile"},
		{"a bad pattern", "registries:\n  - host: registry.example\n    repositories: ['[']\n", "breakwater.yaml:2:"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			list, logins, err := parseConfig("breakwater.yaml", strings.NewReader(test.text))
			if test.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), test.wrong) {
					t.Errorf("%v, want %s", err, test.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 1 && (list[0].Tags != 50 || logins["registry.example:5000"].PasswordFile != "secret") {
				t.Errorf("%+v, %+v", list, logins)
			}
		})
	}
	_, logins, err := parseConfig(filepath.Join("/etc", "breakwater.yaml"), strings.NewReader(tests[0].text))
	if err != nil || logins["registry.example:5000"].PasswordFile != "/etc/secret" {
		t.Errorf("%+v, %v", logins, err)
	}
}

func TestAPolicyStandsInTheConfigurationFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "none.pem"), []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	const text = `registries:
- host: registry.example
  repositories: [shop/*, '!shop/old-*']
  tagNames: [v*, '!*-debug']
  maxAge: 90d
  platforms: [linux/arm64, linux/amd64]
  every: 6h
  hours: ["22:00-06:00", sat-sun 00:00-24:00]
  mirror: http://mirror.example:5000
  proxy: http://proxy.example:3128
`
	list, _, err := parseConfig(filepath.Join(dir, "breakwater.yaml"), strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := collect.Registry{Host: "registry.example", Repositories: []string{"shop/*", "!shop/old-*"}, TagNames: []string{"v*", "!*-debug"},
		MaxAge: collect.Span(90 * 24 * time.Hour), Platforms: []string{"linux/arm64", "linux/amd64"}, Every: collect.Span(6 * time.Hour),
		Hours: collect.Hours{"22:00-06:00", "sat-sun 00:00-24:00"}, Mirror: "http://mirror.example:5000", Proxy: "http://proxy.example:3128"}
	if !reflect.DeepEqual(list[0].Registry, want) {
		t.Errorf("%+v, want %+v", list[0].Registry, want)
	}
	if _, _, err = parseConfig(filepath.Join(dir, "breakwater.yaml"), strings.NewReader(text+"  caFile: none.pem\n")); err == nil ||
		!strings.Contains(err.Error(), "want a certificate as PEM") {
		t.Errorf("a file without a certificate: %v", err)
	}
}

func TestFlagsSayHowARegistryIsReached(t *testing.T) {
	file := filepath.Join(t.TempDir(), "none.pem")
	if err := os.WriteFile(file, []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := Egress{Proxies: []string{"registry.example=http://proxy.example:3128", "docker.io=none"}}.Policy()
	if err != nil || p.Proxies["registry.example"] != "http://proxy.example:3128" || p.Proxies["index.docker.io"] != "none" {
		t.Errorf("%v, %v", p, err)
	}
	for want, e := range map[string]Egress{"--registry-proxy": {Proxies: []string{"registry.example"}},
		"--registry-ca want a certificate": {Authorities: []string{"registry.example=" + file}},
		"--registry-ca open":               {Authorities: []string{"registry.example=" + file + ".none"}}} {
		if _, err := e.Policy(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestRegistryFlagsOfOneHostComeTogether(t *testing.T) {
	list, err := NamedRegistries([]string{"registry.example/shop/web", "http://10.0.0.1:5000", "registry.example/edge/*",
		"index.docker.io/library/debian"})
	if err != nil || len(list) != 3 || strings.Join(list[0].Repositories, " ") != "shop/web edge/*" || !list[1].Insecure ||
		list[2].Host != "docker.io" {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err = NamedRegistries([]string{"registry.example/shop/web", "registry.example"}); err != nil || len(list[0].Repositories) != 0 {
		t.Errorf("all of it was asked for: %+v, %v", list, err)
	}
	if _, err := NamedRegistries([]string{"plain"}); err == nil {
		t.Error("a name without a dot is no registry")
	}
}

func FuzzConfigFile(f *testing.F) {
	f.Add("registries:\n  - host: registry.example\n")
	f.Add("a: &a [*a]\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, _, err := parseConfig("f.yaml", strings.NewReader(text))
		for _, c := range list {
			if _, again := c.Registry.Valid(); err == nil && again != nil {
				t.Errorf("%+v: %v", c, again)
			}
		}
	})
}
