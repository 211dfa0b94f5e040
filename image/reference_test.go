package image

import (
	"strings"
	"testing"
)

func TestAReferenceIsReadAsContainerRuntimesReadIt(t *testing.T) {
	sum := "@sha256:" + strings.Repeat("a", 64)
	for text, want := range map[string]string{
		"nginx":                                       "docker.io/library/nginx:latest",
		"nginx:1.27":                                  "docker.io/library/nginx:1.27",
		"grafana/grafana":                             "docker.io/grafana/grafana:latest",
		"index.docker.io/grafana/grafana:1":           "docker.io/grafana/grafana:1",
		"localhost/a":                                 "localhost/a:latest",
		"registry:5000/a/b":                           "registry:5000/a/b:latest",
		"GHCR.io/a/b:V1":                              "ghcr.io/a/b:V1",
		"ghcr.io/a/b:v1" + sum:                        "ghcr.io/a/b:v1" + sum,
		"ghcr.io/a/b" + sum:                           "ghcr.io/a/b" + sum,
		"[2001:db8::1]:5000/a_b/c__d-e:1":             "[2001:db8::1]:5000/a_b/c__d-e:1",
		"[::1]/a":                                     "[::1]/a:latest",
		"10.0.0.1:5000/a":                             "10.0.0.1:5000/a:latest",
		"rootfs:etc":                                  "docker.io/library/rootfs:etc", // an image of that name, and nothing else
		strings.Repeat("a", 255):                      "",
		"r.test/" + strings.Repeat("a", 255):          "r.test/" + strings.Repeat("a", 255) + ":latest",
		"r.test/" + strings.Repeat("a", 256):          "",
		"r.test/a:" + strings.Repeat("t", 128):        "r.test/a:" + strings.Repeat("t", 128),
		"r.test/a:" + strings.Repeat("t", 129):        "",
		"r.test/a@sha512:" + strings.Repeat("0f", 64): "r.test/a@sha512:" + strings.Repeat("0f", 64),
	} {
		r, err := ParseReference(text)
		if want == "" && err == nil || want != "" && (err != nil || r.String() != want) {
			t.Errorf("%s: %s, %v; want %q", text, r, err, want)
		}
	}
}

func TestTextThatIsNoReferenceIsRefusedWithAReason(t *testing.T) {
	sum := "@sha256:" + strings.Repeat("a", 64)
	for text, why := range map[string]string{
		"":                         "no repository",
		"rootfs:/" + sum:           "no port",
		"docker-archive:/dev/ptmx": "no port",
		"oci:../x/y:1":             "no port",
		"/etc/passwd":              "no repository",
		"./a":                      "no host",
		"../a":                     "no host",
		"r.test/../a":              "no repository",
		"r.test//a":                "no repository",
		"r.test/a/":                "no repository",
		"http://r.test/a":          "no port",
		"r.test/A":                 "no repository",
		"r.test/a b":               "no repository",
		"r.test/a\n":               "no repository",
		"r.test/a:":                "no tag",
		"r.test/a:1:2":             "no repository",
		"r.test/a:.1":              "no tag",
		"r.test/a@sha256:" + strings.Repeat("A", 64): "no digest",
		"r.test/a@sha256:aa":                         "no digest",
		"r.test/a@md5:" + strings.Repeat("a", 32):    "no digest",
		"r.test/a" + sum + sum:                       "no digest",
		"r.test:0/a":                                 "no port",
		"r.test:99999/a":                             "no port",
		"r.test:05/a":                                "no port",
		"r_x.test/a":                                 "no host",
		"r..test/a":                                  "no host",
		"r.test./a":                                  "no host",
		"-r.test/a":                                  "no host",
		"user:pw@r.test/a":                           "no digest",
		"[fe80::1%25eth0]/a":                         "no address",
		"[::1/a":                                     "no address",
		"[127.0.0.1]/a":                              "no address",
		"r.test/" + strings.Repeat("a/", 600) + "a": "at most 1024",
	} {
		if r, err := ParseReference(text); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v (%v), want that it says %q", text, r, err, why)
		}
	}
}

func TestAReferenceByDigestForgetsItsTag(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a", 64)
	if at, err := parsed(t, "r.test/a:1").At(digest); err != nil || at.String() != "r.test/a@"+digest {
		t.Errorf("%s, %v", at, err)
	}
	if at, err := parsed(t, "r.test/a:1").At("1"); err == nil {
		t.Errorf("%s is at no digest", at)
	}
}

// FuzzReference holds what every reference is: read again it is the same, the library
// reads it as the same, and nothing of it leads elsewhere in the address of a request.
func FuzzReference(f *testing.F) {
	for _, s := range []string{"nginx", "r.test:5000/a/b:1@sha256:" + strings.Repeat("a", 64), "[::1]:5000/a", "rootfs:/etc", "a@b",
		"index.docker.io/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseReference(text)
		if err != nil {
			return
		}
		if again, err := ParseReference(r.String()); err != nil || again != r {
			t.Fatalf("%q is %v, which is %v (%v)", text, r, again, err)
		}
		if strings.Contains(r.String(), "..") || strings.Contains(r.String(), "//") || strings.ContainsAny(r.String(), " ?#%\\\x00\n") {
			t.Fatalf("%q is %v", text, r)
		}
		n, err := r.named()
		if err != nil {
			t.Fatal(err)
		}
		if at := n.Context().RegistryStr(); at != r.Registry() && r.Registry() != dockerHub {
			t.Fatalf("%q asks %s", text, at)
		}
		if n.Context().RepositoryStr() != r.Repository() && r.Registry() != dockerHub {
			t.Fatalf("%q asks for %s", text, n.Context().RepositoryStr())
		}
	})
}
