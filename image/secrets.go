package image

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/breakwater-sec/breakwater/image/secret"
	"github.com/breakwater-sec/breakwater/redact"
)

// Secret is a secret that somebody left in an image. What it is, is told nowhere.
type Secret struct {
	secret.Found
	// File is where it is: a file, or a part of the image's configuration such as "ENV DB_PASSWORD".
	File string `json:"file"`
	// Layer is the digest of the layer that has it; empty for the configuration.
	Layer string `json:"layer,omitempty"`
	// Removed says that a layer above takes the file away, or puts another in its place: who has the image still has it.
	Removed bool `json:"removed,omitempty"`
	// Published says that the file is of a package that others have too, such as the key of a test.
	Published bool `json:"published,omitempty"`
}

// mostSecrets bounds what is told of one layer, and of one configuration.
const mostSecrets = 500

// ownSalt is the salt of this process.
var ownSalt = sync.OnceValue(func() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // it never fails: crypto/rand ends the program instead
	return b
})

// secrets looks for secrets in a file that is short enough, and no program. head is what was read of it.
func (k *keeper) secrets(name string, head []byte, size int64, r io.Reader) error {
	if k.budget.searcher == nil || len(head) == 0 || size > secret.Longest || head[0] == 0x7f {
		return nil
	}
	if len(k.content.Secrets) >= mostSecrets {
		k.content.Unsearched++
		return nil
	}
	k.text = append(k.text[:0], head...)
	rest := int(size) - len(head)
	k.text = slices.Grow(k.text, rest)[:len(head)+rest]
	if n, err := io.ReadFull(r, k.text[len(head):]); err != nil {
		return fmt.Errorf("after %d bytes: %w", len(head)+n, err)
	}
	found, err := k.budget.searcher.Search(name, k.text)
	if errors.Is(err, secret.ErrMuch) {
		k.content.Unsearched++
	}
	for _, f := range found {
		k.content.Secrets = append(k.content.Secrets, Secret{Found: f, File: name})
		if err := k.budget.keep(int64(len(name))); err != nil {
			return err
		}
	}
	return nil
}

// left notes the secrets of a layer, and which of those below it takes out of sight.
func (s *scan) left(c *Content, layer string) {
	if len(s.secrets) > 0 {
		hides := hiding(c)
		for i := range s.secrets {
			if f := &s.secrets[i]; f.Layer != "" && hides(f.File) {
				f.Removed = true
			}
		}
	}
	for _, f := range c.Secrets {
		f.Layer = layer
		s.secrets = append(s.secrets, f)
	}
	s.unsearched += c.Unsearched
}

// hiding says of a name whether a layer takes away, or replaces, what lower ones have there.
func hiding(c *Content) func(name string) bool {
	gone, opaque := map[string]bool{}, map[string]bool{}
	for _, name := range c.Removed {
		gone[name] = true
	}
	for _, name := range c.Opaque {
		opaque[name] = true
	}
	for _, change := range c.Changes {
		if change.Kind != aFolder {
			gone[change.Name] = true
		}
	}
	plain := map[[hashSize]byte]bool{}
	for rest := c.Plain; len(rest) >= hashSize; rest = rest[hashSize:] {
		plain[[hashSize]byte(rest[:hashSize])] = true
	}
	return func(name string) bool {
		for at := name; at != "." && at != "/"; at = path.Dir(at) {
			if gone[at] || plain[hashOf(at)] || at != name && opaque[at] {
				return true
			}
		}
		return opaque[""] || opaque["."]
	}
}

// keptSecrets are those that count, and those of packages that others have too. What a package of the distribution brought, and no
// layer above changed, everybody has.
func (s *scan) keptSecrets(own *brought) []Secret {
	var out []Secret
	for _, f := range s.secrets {
		if by := own.owner[f.File]; by != "" && !f.Removed && s.layerOf[by] == f.Layer {
			continue
		}
		f.Published = f.Layer != "" && !f.Removed && own.owner[f.File] == "" && own.has(f.File)
		out = append(out, f)
	}
	slices.SortStableFunc(out, func(a, b Secret) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Kind, b.Kind))
	})
	return out
}

// order puts what is everybody's last.
func order(s Secret) int {
	if s.Published {
		return 1
	}
	return 0
}

// configured looks for secrets in an image's configuration: variables, the command, and what built each layer.
func (s *scan) configured(c *v1.ConfigFile) {
	named := map[string]bool{}
	for _, v := range c.Config.Env {
		name, value, _ := strings.Cut(v, "=")
		named[name] = true
		s.inText("ENV "+name, value, redact.Value(name, value) != value, "secret in an environment variable")
	}
	for what, words := range map[string][]string{"ENTRYPOINT": c.Config.Entrypoint, "CMD": c.Config.Cmd} {
		text := strings.Join(words, " ")
		s.inText(what, text, redact.Text(text) != text, "secret in a command")
	}
	for i, h := range c.History {
		text := strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(h.CreatedBy, "/bin/sh -c"), " #(nop) "))
		if name, _, _ := strings.Cut(strings.TrimPrefix(text, "ENV "), "="); strings.HasPrefix(text, "ENV ") && named[strings.TrimSpace(name)] {
			continue // it is told already
		}
		s.inText(fmt.Sprintf("build command %d", i+1), h.CreatedBy, redact.Text(h.CreatedBy) != h.CreatedBy, "secret in a build command")
	}
}

// inText looks for secrets that are known by their looks; else there may be one that is known by its name.
func (s *scan) inText(where, text string, named bool, kind string) {
	found, err := s.budget.searcher.Search("", []byte(text))
	if errors.Is(err, secret.ErrMuch) {
		s.unsearched++
	}
	if len(found) == 0 && named {
		found = []secret.Found{{Kind: kind, Hash: s.budget.searcher.Hash(kind, text)}}
	}
	for _, f := range found {
		if len(s.secrets) >= mostSecrets {
			s.unsearched++
			return
		}
		f.Line = 0
		s.secrets = append(s.secrets, Secret{Found: f, File: oneLine(redact.Text(where), 200)})
	}
}
