package registry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
)

// Login is an account at one registry. The password is where the file or the
// variable says, and nowhere else.
type Login struct {
	Username     string
	PasswordFile string
	PasswordEnv  string
}

func (l Login) password() (string, error) {
	if l.PasswordEnv != "" {
		p, set := os.LookupEnv(l.PasswordEnv)
		if !set {
			return "", fmt.Errorf("environment variable %s is not set", l.PasswordEnv)
		}
		return p, nil
	}
	b, err := os.ReadFile(l.PasswordFile)
	return strings.TrimRight(string(b), "\r\n"), err
}

// Keychain finds the account for a registry: Logins first, then what docker login
// and podman login left behind.
func (r Reader) Keychain() authn.Keychain {
	return authn.NewMultiKeychain(logins(r.Logins), authn.DefaultKeychain)
}

type logins map[string]Login

// Resolve implements authn.Keychain.
func (l logins) Resolve(at authn.Resource) (authn.Authenticator, error) {
	login, known := l[at.RegistryStr()]
	if !known {
		return authn.Anonymous, nil
	}
	password, err := login.password()
	if err != nil {
		return nil, err
	}
	return &authn.Basic{Username: login.Username, Password: password}, nil
}

// Account is whom the reader signs in to a registry as, empty for nobody, and
// where it has that from.
func (r Reader) Account(ctx context.Context, host string) (who, from string, err error) {
	h, err := Parse(host)
	if err != nil {
		return "", "", err
	}
	if l, known := r.Logins[h.RegistryStr()]; known {
		return l.Username, "the server's configuration file", nil
	}
	a, err := authn.Resolve(ctx, authn.DefaultKeychain, h)
	var c *authn.AuthConfig
	if err == nil {
		c, err = authn.Authorization(ctx, a)
	}
	switch {
	case err != nil:
		return "", "", errors.Join(fmt.Errorf("find the account for registry %s", host), err)
	case c.Username != "":
		return c.Username, fromDocker, nil
	case c.RegistryToken != "" || c.IdentityToken != "":
		return "a token", fromDocker, nil
	}
	return "", fromDocker + ", which has none for this registry", nil
}

const fromDocker = "docker's configuration on the server"
