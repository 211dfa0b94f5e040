package harborshop_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	harborshop "github.com/breakwater-sec/breakwater/examples/harbor-shop"
)

// elsewhere answers nothing and remembers who was asked.
type elsewhere struct{ asked []string }

var errElsewhere = errors.New("asked elsewhere")

func (e *elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	e.asked = append(e.asked, r.URL.Scheme+"://"+r.URL.Host)
	return nil, errElsewhere
}

func TestTheTransportLeadsOneHostToTheRegistryAndLeavesTheOthers(t *testing.T) {
	e := open(t)
	tests := []struct{ name, ask, want string }{
		{"over HTTPS", "https://" + harborshop.Host + "/v2/", "http://" + e.Registry},
		{"over HTTP", "http://" + harborshop.Host + "/v2/", "http://" + e.Registry},
		{"with a port", "https://" + harborshop.Host + ":5000/v2/", "http://" + e.Registry},
		{"in capitals", "https://" + strings.ToUpper(harborshop.Host) + "/v2/", "http://" + e.Registry},
		{"another host", "https://ghcr.io/v2/", "https://ghcr.io"},
		{"a host that ends alike", "https://evil" + harborshop.Host + "/v2/", "https://evil" + harborshop.Host},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			base := &elsewhere{}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.ask, nil)
			if err != nil {
				t.Fatal(err)
			}
			before := r.URL.String()
			if _, err := e.Transport(base).RoundTrip(r); !errors.Is(err, errElsewhere) {
				t.Error(err)
			}
			if len(base.asked) != 1 || base.asked[0] != c.want || r.URL.String() != before {
				t.Errorf("asked %v, want %s; the request is now for %s", base.asked, c.want, r.URL)
			}
		})
	}
}

// Digests are ids in what people store and share: a new release of Go or of a
// library must not change them unnoticed.
func TestDigestsAreThoseOfTheLastRelease(t *testing.T) {
	e := open(t)
	for name, want := range map[string]string{
		"shop/web:1.4.2":        "sha256:efcf3ecb1dadd0cd5c78249f2aea652da7f46029d75d426fdbf2d254195f1d96",
		"payments/ledger:4.2.0": "sha256:2de8b10d7a63398288029a03962d4cf968b2b8bbcf88c197804fc7b6b7dbb37b",
	} {
		if got := e.Digests[harborshop.Host+"/"+name]; got != want {
			t.Errorf("%s is %s, was %s", name, got, want)
		}
	}
}

func TestAnAddressInUseIsSaidSo(t *testing.T) {
	e := open(t)
	second, err := harborshop.Open(t.Context(), e.Registry)
	if err == nil {
		_ = second.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "start the sample registry") || !strings.Contains(err.Error(), e.Registry) {
		t.Errorf("%v, want that the sample registry could not start at %s", err, e.Registry)
	}
}
