package server

import (
	"path/filepath"
	"strings"
	"testing"
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
