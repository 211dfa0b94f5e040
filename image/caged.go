package image

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/breakwater-sec/breakwater/cage"
	"github.com/breakwater-sec/breakwater/egress"
)

// CagedCommand is the argument with which a program runs ReadCaged and nothing else.
const CagedCommand = "read-image-in-cage"

// Caged reads images in child processes of this program, which must run ReadCaged when it
// is started with CagedCommand.
type Caged struct {
	// Options are those of Scan. Of them the child is told Platform, Salt, Limits, Backoff and
	// Patience, and the account of the one registry that it asks; Transport stays here: the
	// child has one of its own, under Policy.
	Options Options
	// Policy is what may be fetched from now. Unless set, who asks named the image's registry.
	Policy func() egress.Policy
	// Limits are CageLimits unless set.
	Limits cage.Limits

	ahead *cage.Ahead
}

// Ahead is the same with children that are started before they are wanted, for images of
// registries. End them.
func (c Caged) Ahead() (_ Caged, end func()) {
	c.ahead = cage.NewAhead(CagedCommand, c.limits())
	return c, c.ahead.End
}

func (c Caged) limits() cage.Limits {
	if c.Limits.Memory == 0 {
		return CageLimits
	}
	return c.Limits
}

// CageLimits are what reading one image may take: honest ones of any size stay far below.
var CageLimits = cage.Limits{Memory: 1 << 30, CPU: 20 * time.Minute, Wall: 30 * time.Minute, Files: 128}

// ErrEnded says that reading an image ended who read it.
var ErrEnded = errors.New("the reader was ended")

// Ended is ErrEnded for a reason.
func Ended(why string) error { return ended(why) }

type ended string

func (e ended) Error() string { return string(e) }
func (e ended) Unwrap() error { return ErrEnded }

// job is what a child is to do.
type job struct {
	Reference string           `json:"reference,omitempty"`
	Scheme    string           `json:"scheme,omitempty"` // of a file or folder on this machine
	Rest      string           `json:"rest,omitempty"`
	Platform  string           `json:"platform,omitempty"`
	Prefer    []string         `json:"prefer,omitempty"`
	Limits    Limits           `json:"limits"`
	Backoff   time.Duration    `json:"backoff"`
	Patience  time.Duration    `json:"patience"`
	Cached    bool             `json:"cached"`
	Insecure  bool             `json:"insecure"`
	Account   authn.AuthConfig `json:"account"`
	Policy    *egress.Policy   `json:"policy,omitempty"`
	Salt      []byte           `json:"salt"`
}

// refusal is an error on its way out of a cage.
type refusal struct {
	Text        string        `json:"text"`
	Unsupported bool          `json:"unsupported,omitempty"`
	Bound       bool          `json:"bound,omitempty"`
	Busy        string        `json:"busy,omitempty"` // the host
	BusyFor     time.Duration `json:"busyFor,omitempty"`
}

// Kinds of messages. A child asks and tells in capital letters.
const (
	toDo, isCached, isNot, isKept           = 'j', 'c', 'n', 'k'
	wantsLayer, keepsLayer, comes           = 'L', 'K', 'P'
	answers, refuses                        = 'A', 'E'
	mostKey, mostLayer, mostAnswer, mostJob = 1 << 10, 64 << 20, 160 << 20, 4 << 20
	mostWords                               = 64 << 10
)

// heardOfChild and heardOfParent are what each takes of the other.
var (
	heardOfChild = map[byte]int{wantsLayer: mostKey, keepsLayer: mostKey + mostLayer, comes: mostWords, answers: mostAnswer,
		refuses: mostWords}
	heardOfParent = map[byte]int{toDo: mostJob, isCached: mostLayer, isNot: 0, isKept: 0}
)

// Scan is Scan in a cage.
func (c Caged) Scan(ctx context.Context, ref Reference) (*Inventory, error) {
	o := c.Options.withDefaults()
	r, err := o.asked(ref)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	account, err := authn.Resolve(ctx, o.Keychain, r.Context())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	j := job{Reference: ref.String(), Prefer: o.prefers(ref.Registry()), Insecure: o.Insecure != nil && o.Insecure(r.Context().RegistryStr())}
	who, err := authn.Authorization(ctx, account)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	if j.Account = *who; c.Policy != nil {
		p := c.Policy().Of(r.Context().RegistryStr())
		j.Policy = &p
	}
	return c.do(ctx, j, nil)
}

// ScanLocal is ScanLocal in a cage.
func (c Caged) ScanLocal(ctx context.Context, l Local) (*Inventory, error) {
	return c.do(ctx, job{Scheme: l.scheme, Rest: l.rest}, []string{l.place()})
}

// Held is what holds a child of this program here.
func (c Caged) Held(ctx context.Context) (cage.Held, error) {
	limits := c.limits()
	limits.Wall = time.Minute
	return cage.Probe(ctx, CagedCommand, limits)
}

// do has one image read.
func (c Caged) do(ctx context.Context, j job, read []string) (*Inventory, error) {
	inv, err := c.talk(ctx, j, read)
	var end *cage.Ended
	if errors.As(err, &end) {
		return nil, Ended(end.Why)
	}
	return inv, err
}

func (c Caged) talk(ctx context.Context, j job, read []string) (inv *Inventory, err error) {
	o := c.Options.withDefaults()
	j.Platform, j.Limits, j.Backoff, j.Patience, j.Cached, j.Salt = o.Platform, o.Limits, o.Backoff, o.Patience, o.Cache != nil, o.Salt
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	err = c.run(ctx, read, func(in io.Writer, out io.Reader) error {
		if err := cage.Send(in, toDo, text); err != nil {
			return err
		}
		k := keeping{cache: o.Cache, of: j.source(), missed: map[string]bool{}}
		for r := bufio.NewReader(out); ; {
			m, err := cage.Receive(r, heardOfChild)
			if err != nil {
				return fmt.Errorf("hear of a reader: %w", err)
			}
			switch m.Kind {
			case wantsLayer:
				err = k.look(ctx, in, string(m.Body))
			case keepsLayer:
				err = k.put(ctx, in, m.Body)
			case comes:
				var p Progress
				if err = json.Unmarshal(m.Body, &p); err == nil {
					o.Progress(p)
				}
			case answers:
				inv, err = inventoryFrom(m.Body)
				return err
			case refuses:
				return refusedWith(m.Body)
			}
			if err != nil {
				return err
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return inv, nil
}

// run talks to a child that may read those files of this machine.
func (c Caged) run(ctx context.Context, read []string, talk func(in io.Writer, out io.Reader) error) error {
	if c.ahead != nil && len(read) == 0 {
		return c.ahead.Run(ctx, talk)
	}
	limits := c.limits()
	limits.Read = read
	return cage.Run(ctx, CagedCommand, limits, talk)
}

// source is where a child reads: a repository, or a place on this machine.
func (j job) source() string {
	if ref, err := ParseReference(j.Reference); err == nil {
		return ref.Registry() + "/" + ref.Repository()
	}
	return j.Scheme + ":" + j.Rest
}

// keeping is what a parent does with the cache for one child. What a child has not asked
// for, or was given, it cannot replace. What it says of a layer is its word, whatever the digest: an image may take over
// who reads it, and name the layers of others. So it is believed for images of the same repository alone, whose owner
// decides what they are anyway.
type keeping struct {
	cache  Cache
	of     string
	missed map[string]bool
}

// at is the key of a layer in the cache that all children share.
func (k keeping) at(key string) string {
	sum := sha256.Sum256([]byte(k.of))
	return key + "@" + hex.EncodeToString(sum[:16])
}

func (k keeping) look(ctx context.Context, in io.Writer, key string) error {
	if k.cache != nil && strings.HasPrefix(key, "content-") {
		if b, err := k.cache.Layer(ctx, k.at(key)); err == nil && len(b) <= mostLayer {
			return cage.Send(in, isCached, b)
		}
	}
	k.missed[key] = true
	return cage.Send(in, isNot, nil)
}

func (k keeping) put(ctx context.Context, in io.Writer, body []byte) error {
	key, content, _ := bytes.Cut(body, []byte{0})
	if !k.missed[string(key)] {
		return fmt.Errorf("a reader keeps %q and never asked for it", key)
	}
	delete(k.missed, string(key))
	if k.cache != nil {
		if err := k.cache.PutLayer(ctx, k.at(string(key)), content); err != nil {
			return fmt.Errorf("keep what was read: %w", err)
		}
	}
	return cage.Send(in, isKept, nil)
}

// Bounds of what an inventory is made of: text of few bytes becomes many in memory.
const (
	maxObjects       = 300_000
	maxValuesOfAll   = 8_000_000
	maxDepthOfAnswer = 8
)

// inventoryFrom reads what a child answered, as what a stranger wrote.
func inventoryFrom(text []byte) (*Inventory, error) {
	if err := bounded(text, maxDepthOfAnswer, maxObjects, maxValuesOfAll); err != nil {
		return nil, fmt.Errorf("read a reader's answer: %w", err)
	}
	inv := &Inventory{}
	if err := json.Unmarshal(text, inv); err != nil {
		return nil, fmt.Errorf("read a reader's answer: %w", err)
	}
	names := []string{inv.Digest, inv.Manifest, inv.Config}
	for _, b := range inv.Builds {
		names = append(names, b.Digest)
	}
	for _, d := range names {
		if d == "" {
			continue
		}
		if err := Digest(d); err != nil {
			return nil, fmt.Errorf("read a reader's answer: %w", err)
		}
	}
	return inv, nil
}

// carried is an error that came out of a cage.
type carried struct {
	text string
	is   error
}

func (c carried) Error() string { return c.text }
func (c carried) Unwrap() error { return c.is }

func refusedWith(text []byte) error {
	var r refusal
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("read why a reader refuses: %w", err)
	}
	switch {
	case r.Busy != "":
		return carried{r.Text, &Busy{r.Busy, r.BusyFor}}
	case r.Unsupported:
		return carried{r.Text, ErrUnsupported}
	case r.Bound:
		return carried{r.Text, errBound}
	}
	return carried{text: r.Text}
}

// ReadCaged is the life of a child: it limits itself, does what it is told over in, and
// answers over out.
func ReadCaged(in io.Reader, out io.Writer) error {
	if _, err := cage.Enter(in, out); err != nil {
		return err
	}
	go func() { _, _ = x509.SystemCertPool() }() // most of what a first connection costs
	m, err := cage.Receive(in, heardOfParent)
	if errors.Is(err, io.EOF) {
		return nil // nothing was wanted of it
	}
	if err != nil {
		return err
	}
	var j job
	if err := json.Unmarshal(m.Body, &j); err != nil {
		return err
	}
	inv, err := j.read(in, out)
	return answer(out, inv, err)
}

// read does the work.
func (j job) read(in io.Reader, out io.Writer) (*Inventory, error) {
	ctx := context.Background()
	o := Options{Platform: j.Platform, Salt: j.Salt, Limits: j.Limits, Backoff: j.Backoff, Patience: j.Patience,
		Keychain: accounted{j.Account},
		Insecure: func(string) bool { return j.Insecure }, Prefer: func(string) []string { return j.Prefer }, Progress: func(p Progress) {
			if text, err := json.Marshal(p); err == nil {
				_ = cage.Send(out, comes, text) // a parent that is gone ends this process
			}
		}}
	if j.Cached {
		o.Cache = outside{in, out}
	}
	if j.Scheme != "" {
		return ScanLocal(ctx, Local{j.Scheme, j.Rest}, o)
	}
	ref, err := ParseReference(j.Reference)
	if err != nil {
		return nil, err
	}
	if j.Policy != nil {
		o.Transport = j.Policy.Transport()
	}
	return Scan(ctx, ref, o)
}

// accounted is the account that a child was given.
type accounted struct{ account authn.AuthConfig }

// Resolve implements authn.Keychain.
func (t accounted) Resolve(authn.Resource) (authn.Authenticator, error) {
	return authn.FromConfig(t.account), nil
}

// outside is the cache of the parent.
type outside struct {
	in  io.Reader
	out io.Writer
}

func (o outside) ask(kind byte, body []byte) (cage.Message, error) {
	if err := cage.Send(o.out, kind, body); err != nil {
		return cage.Message{}, err
	}
	return cage.Receive(o.in, heardOfParent)
}

// Layer implements Cache.
func (o outside) Layer(_ context.Context, key string) ([]byte, error) {
	m, err := o.ask(wantsLayer, []byte(key))
	if err == nil && m.Kind != isCached {
		err = errors.New("it is not there")
	}
	return m.Body, err
}

// PutLayer implements Cache. What is too much for it is read again next time.
func (o outside) PutLayer(_ context.Context, key string, content []byte) error {
	if len(content) > mostLayer {
		return nil
	}
	_, err := o.ask(keepsLayer, append(append([]byte(key), 0), content...))
	return err
}

// answer is a child's last word.
func answer(out io.Writer, inv *Inventory, err error) error {
	if err != nil {
		r := refusal{Text: oneLine(err.Error(), 4<<10), Unsupported: errors.Is(err, ErrUnsupported), Bound: errors.Is(err, errBound)}
		var busy *Busy
		if errors.As(err, &busy) {
			r.Busy, r.BusyFor = busy.Host, busy.For
		}
		text, err := json.Marshal(r)
		if err != nil {
			return err
		}
		return cage.Send(out, refuses, text)
	}
	text, err := json.Marshal(inv)
	if err != nil {
		return err
	}
	return cage.Send(out, answers, text)
}
