package image

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// inFront is a registry with something in front of it that pushes pass by, and the
// reference of what was pushed.
func inFront(t *testing.T, what any, front func(http.Handler) http.Handler) string {
	t.Helper()
	inner := registry.New(registry.Logger(discard))
	strange := front(inner)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.UserAgent(), "push") {
			inner.ServeHTTP(w, r)
			return
		}
		strange.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	ref, err := name.ParseReference(strings.TrimPrefix(s.URL, "http://") + "/shop/web:1")
	if err != nil {
		t.Fatal(err)
	}
	switch what := what.(type) {
	case v1.Image:
		err = remote.Write(ref, what, remote.WithUserAgent("push"))
	case v1.ImageIndex:
		err = remote.WriteIndex(ref, what, remote.WithUserAgent("push"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return ref.String()
}

// headers changes what a registry says beside its manifests.
func headers(change func(http.Header)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			said := httptest.NewRecorder()
			next.ServeHTTP(said, r)
			if strings.Contains(r.URL.Path, "/manifests/") {
				change(said.Header())
			}
			for k, v := range said.Header() {
				w.Header()[k] = v
			}
			if w.Header().Get("Content-Type") == "" {
				w.Header()["Content-Type"] = nil // or Go guesses one
			}
			w.WriteHeader(said.Code)
			_, _ = w.Write(said.Body.Bytes())
		})
	}
}

func debianImage(t testing.TB) v1.Image {
	t.Helper()
	return imageOf(t, tarOf(t, entry{name: "etc/os-release", content: debian}, entry{name: status, content: openssl}))
}

// builtAs is an index of builds for platforms.
func builtAs(builds map[string]v1.Image) v1.ImageIndex {
	var index v1.ImageIndex = empty.Index
	for platform, img := range builds {
		p, _ := v1.ParsePlatform(platform)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: p}})
	}
	return index
}

// TestAManifestIsWhatItsContentSays has registries that say it of no, another or a
// carelessly written media type.
func TestAManifestIsWhatItsContentSays(t *testing.T) {
	oci := mutate.ConfigMediaType(mutate.MediaType(debianImage(t), types.OCIManifestSchema1), types.OCIConfigJSON)
	what := map[string]any{"a Docker image": debianImage(t), "an OCI image": oci,
		"an index": builtAs(map[string]v1.Image{"linux/amd64": oci, "linux/arm64": debianImage(t)})}
	says := map[string]func(http.Header){
		"as it is":               func(http.Header) {},
		"with a parameter":       func(h http.Header) { h.Set("Content-Type", h.Get("Content-Type")+"; charset=utf-8") },
		"in capitals":            func(h http.Header) { h.Set("Content-Type", strings.ToUpper(h.Get("Content-Type"))) },
		"as JSON":                func(h http.Header) { h.Set("Content-Type", "application/json") },
		"as JSON with a charset": func(h http.Header) { h.Set("Content-Type", "application/json;charset=UTF-8") },
		"as bytes":               func(h http.Header) { h.Set("Content-Type", "application/octet-stream") },
		"not at all":             func(h http.Header) { h.Del("Content-Type") },
		"as another thing":       func(h http.Header) { h.Set("Content-Type", string(types.DockerManifestSchema2)) },
		"without a digest":       func(h http.Header) { h.Del("Docker-Content-Digest"); h.Set("Content-Type", "text/plain") },
	}
	for thing, pushed := range what {
		for how, change := range says {
			t.Run(thing+" served "+how, func(t *testing.T) {
				ref := inFront(t, pushed, headers(change))
				inv, err := scanOf(t.Context(), ref, Options{})
				if err != nil || len(inv.Packages) != 1 || inv.Packages[0].Name != "libssl3" || inv.Platform != "linux/amd64" {
					t.Fatalf("%+v, %v", inv, err)
				}
				if manifest, layers := Try(t.Context(), parsed(t, ref), Options{}); manifest != nil || layers != nil {
					t.Errorf("a scan reads it, and the check says %v, %v", manifest, layers)
				}
				if digest, err := Resolve(t.Context(), parsed(t, ref), Options{}); err != nil || digest != inv.Digest {
					t.Errorf("resolved to %s, %v; want %s", digest, err, inv.Digest)
				}
			})
		}
	}
}

func TestTheKindOfAManifest(t *testing.T) {
	const image, index = `"config":{"digest":"x"},"layers":[]`, `"manifests":[]`
	for _, c := range []struct{ name, header, body, want, fails string }{
		{"its own media type counts", "application/json", `{"mediaType":"application/vnd.oci.image.manifest.v1+json",` + image + `}`,
			"application/vnd.oci.image.manifest.v1+json", ""},
		{"in any case, with parameters", "", `{"mediaType":"Application/Vnd.OCI.Image.Index.V1+JSON; q=1",` + index + `}`,
			"application/vnd.oci.image.index.v1+json", ""},
		{"then the header", "application/vnd.docker.distribution.manifest.list.v2+json", `{` + index + `}`,
			"application/vnd.docker.distribution.manifest.list.v2+json", ""},
		{"a header that its parts deny does not", "application/vnd.docker.distribution.manifest.v2+json", `{` + index + `}`,
			"application/vnd.oci.image.index.v1+json", ""},
		{"then its parts", "text/plain", `{` + image + `}`, "application/vnd.oci.image.manifest.v1+json", ""},
		{"a configuration alone is an image's", "", `{"config":{}}`, "application/vnd.oci.image.manifest.v1+json", ""},
		{"schema 1 has its own parts", "application/json", `{"schemaVersion":1,"fsLayers":[]}`,
			"application/vnd.docker.distribution.manifest.v1+json", ""},
		{"schema 1 may be signed", "application/vnd.docker.distribution.manifest.v1+prettyjws", `{"fsLayers":[]}`,
			"application/vnd.docker.distribution.manifest.v1+prettyjws", ""},
		{"what is both is read as neither", "application/vnd.oci.image.index.v1+json", `{` + image + `,` + index + `}`, "", "one that is both"},
		{"what says another thing than it is", "", `{"mediaType":"application/vnd.oci.image.index.v1+json",` + image + `}`, "",
			"has the parts of application/vnd.oci.image.manifest.v1+json"},
		{"an artifact says what it is", "application/json", `{"mediaType":"application/vnd.oci.artifact.manifest.v1+json"}`,
			"application/vnd.oci.artifact.manifest.v1+json", ""},
		{"without any part it is what the header says", "Text/Plain; charset=utf-8", `{}`, "text/plain", ""},
		{"a page is no manifest", "Text/HTML; charset=utf-8", `<html>`, "", `have "text/html" that is none`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := kindOf(c.header, []byte(c.body))
			if string(got) != c.want || (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%q, %v; want %q, %q", got, err, c.want, c.fails)
			}
		})
	}
}

func FuzzTheKindOfAManifestIsOneOfItsParts(f *testing.F) {
	f.Add("application/json", []byte(`{"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{}]}`))
	f.Add("a;b", []byte(`{"Config":null,"fslayers":[1]}`))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		kind, err := kindOf(header, body)
		if err == nil && kind != bare(string(kind)) {
			t.Errorf("%q is not bare", kind)
		}
	})
}

func TestAHugeManifestIsNotRead(t *testing.T) {
	ref := inFront(t, debianImage(t), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/manifests/") {
				_, _ = io.WriteString(w, `{"layers":"`+strings.Repeat("a", maxManifest)+`"}`)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	if _, err := scanOf(t.Context(), ref, Options{}); !errors.Is(err, errBound) {
		t.Error(err)
	}
}

// one is a keychain with one account.
type one struct{ user, password string }

func (o one) Resolve(authn.Resource) (authn.Authenticator, error) {
	return &authn.Basic{Username: o.user, Password: o.password}, nil
}

// guard wants a password, or a token that it gives for one, and says so as the test wants.
// On /v2/ it says what ping tells it to; nil wants nothing there.
func guard(bearer bool, ping, elsewhere []string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			user, password, _ := r.BasicAuth()
			signed := user == "reader" && password == "pw"
			if r.URL.Path == "/token" {
				if !signed {
					w.WriteHeader(http.StatusUnauthorized)
				} else if strings.Contains(r.URL.RawQuery, "pull") {
					fmt.Fprint(w, `{"access_token":"good"}`)
				} else {
					fmt.Fprint(w, `{"token":"good"}`)
				}
				return
			}
			if bearer {
				signed = r.Header.Get("Authorization") == "Bearer good"
			}
			offered := elsewhere
			if r.URL.Path == "/v2/" {
				offered = ping
			}
			if signed || offered == nil {
				next.ServeHTTP(w, r)
				return
			}
			for _, o := range offered {
				w.Header().Add("WWW-Authenticate", strings.ReplaceAll(o, "HOST", r.Host))
			}
			w.WriteHeader(http.StatusUnauthorized)
		})
	}
}

func TestTheChallengeThatCanBeAnsweredIs(t *testing.T) {
	const basic, token = `Basic realm="a, b"`, `Bearer realm="http://HOST/token",service="reg",scope="repository:shop/web:pull"`
	for _, c := range []struct {
		name            string
		bearer          bool
		ping, elsewhere []string
	}{
		{"a password", false, []string{basic}, []string{basic}},
		{"a token", true, []string{token}, []string{token}},
		{"two headers, the password first", true, []string{basic, token}, []string{basic, token}},
		{"two headers, the token first", true, []string{token, basic}, []string{token, basic}},
		{"two in one header, the password first", true, []string{basic + ", " + token}, []string{basic + ", " + token}},
		{"two in one header, the token first", true, []string{token + "," + basic}, []string{token + "," + basic}},
		{"one that nobody knows before them", true, []string{"Negotiate", "AWS4 abc/de==", token}, []string{`NTLM, ` + token}},
		{"a parameter that says nothing", true, []string{`Bearer service="",realm="http://HOST/token"`}, []string{token}},
		{"a realm without quotes", true, []string{`bearer REALM=http://HOST/token,service=reg`}, []string{token}},
		{"a token from nobody, and a password", false, []string{`Bearer realm="Company"`, basic}, []string{basic}},
		{"a token at first, a password later", false, []string{token}, []string{basic}},
		{"a password at first, a token later", true, []string{basic}, []string{token}},
		{"nothing at first, a token later", true, nil, []string{token}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ref := inFront(t, debianImage(t), guard(c.bearer, c.ping, c.elsewhere))
			if inv, err := scanOf(t.Context(), ref, Options{Keychain: one{"reader", "pw"}}); err != nil || !inv.Understood {
				t.Fatalf("%+v, %v", inv, err)
			}
			if manifest, layers := Try(t.Context(), parsed(t, ref), Options{Keychain: one{"reader", "pw"}}); manifest != nil || layers != nil {
				t.Errorf("a scan reads it, and the check says %v, %v", manifest, layers)
			}
			for _, keychain := range []authn.Keychain{one{"reader", "wrong"}, authn.NewMultiKeychain()} {
				_, err := scanOf(t.Context(), ref, Options{Keychain: keychain, Backoff: time.Millisecond})
				manifest, _ := Try(t.Context(), parsed(t, ref), Options{Keychain: keychain, Backoff: time.Millisecond})
				if err == nil || manifest == nil || !strings.Contains(err.Error(), "docker login") {
					t.Errorf("another account: %v; the check says %v", err, manifest)
				}
			}
		})
	}
}

func TestChallengesAreRead(t *testing.T) {
	for _, c := range []struct{ header, want string }{
		{``, ""}, {`, ,`, ""}, {`Basic`, "basic"}, {`Basic realm="x"`, `basic realm="x"`},
		{`Basic realm="a \"b\" \\c"`, `basic realm="a \"b\" \\c"`},
		{`Basic realm=""`, "basic"},
		{`Negotiate, Basic realm=x`, `negotiate|basic realm="x"`},
		{`Negotiate abc==, Basic realm=x`, `negotiate|basic realm="x"`},
		{`Negotiate a/b+c, Basic realm=x`, `negotiate|basic realm="x"`},
		{`Bearer realm="https://a/t" , service = "s" ,scope="p q",other=1 Basic`, `bearer realm="https://a/t",service="s",scope="p q"|basic`},
		{`Basic realm="open`, `basic realm="open"`},
		{`"quoted" Basic`, ""},
		{`Bearer realm="x\`, `bearer realm="x\\"`},
	} {
		var got []string
		for _, each := range challenges([]string{c.header}) {
			got = append(got, each.String())
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%s: %s, want %s", c.header, strings.Join(got, "|"), c.want)
		}
	}
}

func FuzzAChallengeReadsAsItWasWritten(f *testing.F) {
	f.Add(`Basic realm="a", Bearer realm="https://a/t",service=b`)
	f.Add(`Negotiate abc==,,x y="\`)
	f.Fuzz(func(t *testing.T, header string) {
		for _, c := range challenges([]string{header}) {
			again := challenges([]string{c.String()})
			if len(again) != 1 || again[0].String() != c.String() {
				t.Errorf("%q is read as %q and that as %v", header, c, again)
			}
		}
	})
}

// TestTheAccountGoesToItsRegistryAlone has a registry that sends to another host for its
// layers, which asks for a password.
func TestTheAccountGoesToItsRegistryAlone(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a := r.Header.Get("Authorization"); a != "" {
			t.Errorf("another host was told %q", a)
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="give it to me"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer elsewhere.Close()
	there := strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1)
	for _, bearer := range []bool{true, false} {
		challenge := `Basic realm="x"`
		if bearer {
			challenge = `Bearer realm="http://HOST/token"`
		}
		ref := inFront(t, debianImage(t), func(next http.Handler) http.Handler {
			return guard(bearer, []string{challenge}, []string{challenge})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "/blobs/") {
					http.Redirect(w, r, there+r.URL.Path, http.StatusTemporaryRedirect)
					return
				}
				next.ServeHTTP(w, r)
			}))
		})
		if _, err := scanOf(t.Context(), ref, Options{Keychain: one{"reader", "pw"}}); err == nil {
			t.Error("it was read, from nowhere")
		}
		if manifest, layers := Try(t.Context(), parsed(t, ref), Options{Keychain: one{"reader", "pw"}}); manifest != nil || layers == nil {
			t.Errorf("a scan cannot read the layers, and the check says %v, %v", manifest, layers)
		}
	}
}
