package egress_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/egress"
)

// marker is what internal services say; it must come out nowhere.
const marker = "planted-7f3a-of-an-internal-service"

// here are servers of this machine, by the names that a resolver of the test gives them.
func here(t *testing.T, p egress.Policy) *egress.Transport {
	tr := p.Transport()
	tr.Lookup = func(_ context.Context, host string) ([]netip.Addr, error) {
		switch {
		case strings.HasSuffix(host, ".private.example"):
			return []netip.Addr{netip.MustParseAddr("10.1.2.3")}, nil
		case strings.HasSuffix(host, ".meta.example"):
			return []netip.Addr{netip.MustParseAddr("169.254.169.254")}, nil
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	t.Cleanup(tr.CloseIdle)
	return tr
}

func serve(t *testing.T, h http.HandlerFunc) (address, port string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return s.Listener.Addr().String(), port
}

func get(t *testing.T, rt http.RoundTripper, url string) (string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer for-the-registry")
	r.Header.Set("Cookie", "a=b")
	resp, err := (&http.Client{Transport: rt}).Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return fmt.Sprintf("%d %s", resp.StatusCode, b), err
}

// TestAddressesBeyondTheInternetAreClosed connects to none: each is judged when it is about to be connected to.
func TestAddressesBeyondTheInternetAreClosed(t *testing.T) {
	for _, a := range []string{"127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
		"100.64.0.1", "100.127.255.255", "169.254.1.1", "169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "fe80::1",
		"fc00::1", "fd12::1", "fd00:ec2::254", "fd20:ce::254", "ff02::1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1",
		"198.18.0.1", "203.0.113.9", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe",
		"64:ff9b:1::1", "2002:a00:1::1", "2002:a9fe:a9fe::1", "2001::1", "2001:db8::1", "fec0::1", "::10.0.0.1", "2606:4700::5efe:a00:1",
		"2606:4700::200:5efe:a9fe:a9fe", "::ffff:0:10.0.0.1", "4000::1", "100::1"} {
		for _, name := range []string{"registry.example", "[" + netip.MustParseAddr(a).String() + "]"} {
			if strings.Contains(name, "[") && !strings.Contains(name, ":") {
				name = strings.Trim(name, "[]")
			}
			tr := egress.Policy{}.Transport()
			tr.Lookup = func(context.Context, string) ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr(a)}, nil }
			_, err := get(t, tr.For(name), "https://"+name+"/v2/")
			var refused *egress.Refused
			if !errors.As(err, &refused) {
				t.Errorf("%s as %s: %v, want a refusal", a, name, err)
			}
		}
	}
}

func TestANameIsJudgedByEveryAddressThatItLeadsToNow(t *testing.T) {
	address, port := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, marker) })
	leads := []string{"10.0.0.1", "169.254.169.254", "127.0.0.1"}
	asked := 0
	tr := egress.Policy{}.Transport()
	tr.Lookup = func(context.Context, string) ([]netip.Addr, error) { // another one each time
		asked++
		return []netip.Addr{netip.MustParseAddr(leads[asked%len(leads)]), netip.MustParseAddr("127.0.0.1")}, nil
	}
	for range 6 {
		said, err := get(t, tr.For("registry.example:"+port), "https://registry.example:"+port+"/v2/")
		if refused := (*egress.Refused)(nil); !errors.As(err, &refused) { // what was connected to may fail in other ways
			t.Errorf("%s answered %q, %v; want a refusal", address, said, err)
		}
	}
}

func TestWhatAPersonNamedIsOpenAndNothingBesideIt(t *testing.T) {
	ok := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }
	address, port := serve(t, ok)
	beside, besidePort := serve(t, ok)
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	plain := func(name string) egress.Policy {
		return egress.Policy{Named: []egress.Host{{Name: name, Plain: true}}}
	}
	for _, c := range []struct {
		name, ask string
		policy    egress.Policy
		fails     string
	}{
		{"nobody named it", address, egress.Policy{}, "--allow-private " + address},
		{"it was named", address, plain(address), ""},
		{"another port of the host was named", beside, plain(address), "nobody named it"},
		{"by a name", "registry.example:" + port, plain("registry.example:" + port), ""},
		{"by a name, another port", "registry.example:" + besidePort, plain("registry.example:" + port), "without TLS"},
		{"its network is open, and this machine's names speak plain HTTP", address, egress.Policy{Networks: loopback}, ""},
		{"its network is open, and a name speaks TLS", "registry.example:" + port, egress.Policy{Networks: loopback},
			"--allow-private http://registry.example:" + port},
		{"a private one, named without plain HTTP", "r.private.example:80",
			egress.Policy{Named: []egress.Host{{Name: "r.private.example:80"}}}, "without TLS"},
		{"a private one", "r.private.example", plain("x.example"), "without TLS"},
		{"a metadata service stays closed to a name", "r.meta.example", plain("r.meta.example"), "metadata service"},
		{"and to its name", "metadata.google.internal", plain("metadata.google.internal"), "metadata service"},
		{"and to its address", "169.254.169.254", plain("169.254.169.254"), "metadata service"},
		{"and to a network", "169.254.169.254", egress.Policy{Named: plain("169.254.169.254").Named,
			Networks: []netip.Prefix{netip.MustParsePrefix("169.254.0.0/16")}}, "metadata service"},
		{"a mirror is where a person said", "r.example", egress.Policy{Mirrors: map[string]egress.Host{"r.example": {address, true}}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			said, err := get(t, here(t, c.policy).For(c.ask), "http://"+c.ask+"/v2/")
			if c.fails == "" && (err != nil || said != "200 hello") || c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) {
				t.Errorf("%q, %v; want %q", said, err, c.fails)
			}
		})
	}
}

func TestAPolicyIsAValue(t *testing.T) {
	var p egress.Policy
	for _, err := range []error{p.Allow("http://r.corp.example:5000"), p.Allow("10.0.0.0/8"), p.Allow("fd12::1"),
		p.Mirror("docker.io=127.0.0.1:5000"), p.Site("r.example=auth.example")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(p)
	var back egress.Policy
	if err != nil || json.Unmarshal(text, &back) != nil || !reflect.DeepEqual(p, back) {
		t.Errorf("%s became %+v, %v", text, back, err)
	}
	for _, bad := range []string{"", "a b", "user:hunter2@r.example", "r.example/path", "10.0.0.0/99", "http://"} {
		if err := p.Allow(bad); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("--allow-private %q: %v", bad, err)
		}
		if p.Mirror(bad+"="+bad) == nil || p.Site(bad+"=x.example") == nil || p.Site("x.example="+bad) == nil {
			t.Errorf("%q is taken for a mirror or a site", bad)
		}
	}
}

// seen is what a server was asked with.
type seen struct{ path, authorization, cookie, referer, method string }

func watching(t *testing.T, answer string) (port string, asked *[]seen) {
	asked = &[]seen{}
	_, port = serve(t, func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, seen{r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Cookie"), r.Header.Get("Referer"), r.Method})
		fmt.Fprint(w, answer)
	})
	return port, asked
}

func TestARedirectStaysOnTheSiteAndTakesNoAccountAlong(t *testing.T) {
	port, asked := watching(t, "layer")
	for _, c := range []struct{ name, to, fails string }{
		{"the registry itself", "r.registry.example:PORT", ""},
		{"its site", "blobs.registry.example:PORT", ""},
		{"a store of objects", "bucket.s3.eu-west-1.amazonaws.com:PORT", ""},
		{"a place that a person named", "cdn.example:PORT", ""},
		{"another site", "evil.test:PORT", "--registry-site r.registry.example:PORT=evil.test"},
		{"a domain that many have a part of", "evil.github.io:PORT", "another site"},
		{"an address", "127.0.0.1:PORT", "another site"},
		{"a metadata service", "169.254.169.254", "metadata service"},
		{"no host", "", "none of HTTP"},
		{"a user", "a:b@r.registry.example:PORT", "none of HTTP"},
	} {
		t.Run(c.name, func(t *testing.T) {
			*asked = nil
			to := "http://" + strings.ReplaceAll(c.to, "PORT", port) + "/blob?" + marker
			_, from := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", to)
				w.WriteHeader(http.StatusTemporaryRedirect)
				fmt.Fprint(w, marker)
			})
			registry := "r.registry.example:" + from
			p := egress.Policy{Sites: map[string][]string{registry: {"cdn.example"}}}
			for _, h := range []string{"r.registry.example", "blobs.registry.example", "bucket.s3.eu-west-1.amazonaws.com",
				"cdn.example", "evil.test",
				"evil.github.io", "127.0.0.1"} {
				p = p.With(egress.Host{Name: h + ":" + port, Plain: true})
			}
			p = p.With(egress.Host{Name: registry, Plain: true})
			said, err := get(t, here(t, p).For(registry), "http://"+registry+"/v2/a/blobs/sha256:0")
			want := strings.NewReplacer("r.registry.example:PORT", registry).Replace(c.fails)
			switch {
			case c.fails == "" && (err != nil || said != "200 layer" || len(*asked) != 1):
				t.Errorf("%q, %v, asked %v", said, err, *asked)
			case c.fails == "" && ((*asked)[0].authorization != "" || (*asked)[0].cookie != "" || (*asked)[0].referer != ""):
				t.Errorf("an account went along: %+v", (*asked)[0])
			case c.fails != "" && (err == nil || !strings.Contains(err.Error(), want) || len(*asked) != 0):
				t.Errorf("%q, %v, asked %v; want %q", said, err, *asked, want)
			}
			if err != nil && strings.Contains(err.Error(), marker) {
				t.Errorf("the error tells what a foreign server said: %v", err)
			}
		})
	}
}

func TestATokenServerIsOfTheSiteAndItsAnswerATokenOrNothing(t *testing.T) {
	long := strings.Repeat("a", 20<<10)
	for _, c := range []struct{ name, at, answer, want, fails string }{
		{"a token", "auth.registry.example", `{"token":"abc.DEF-123_~+/==","expires_in":60,"note":"` + marker + `"}`,
			`200 {"expires_in":60,"token":"abc.DEF-123_~+/=="}`, ""},
		{"an access token", "auth.registry.example", `{"access_token":"abc"}`, `200 {"access_token":"abc"}`, ""},
		{"another site", "auth.evil.test", `{"token":"abc"}`, "", "has its token server on another site"},
		{"a document", "auth.registry.example", `{"Token":"` + marker + `","AccessKeyId":"a"}`, "", "what it answers is none"},
		{"a page", "auth.registry.example", "<html>" + marker, "", "what it answers is none"},
		{"a token with other characters", "auth.registry.example", `{"token":"a b ` + marker + `"}`, "", "what it answers is none"},
		{"a token too long", "auth.registry.example", `{"token":"` + long + `"}`, "", "what it answers is none"},
		{"an answer too long", "auth.registry.example", `{"token":"abc","x":"` + strings.Repeat("a", 70<<10) + `"}`, "",
			"what it answers is none"},
		{"nothing", "auth.registry.example", ``, "", "what it answers is none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			port, asked := watching(t, c.answer)
			registry := "r.registry.example:" + port
			p := egress.Policy{Named: []egress.Host{{registry, true}, {c.at + ":" + port, true}}}
			said, err := get(t, here(t, p).For(registry), "http://"+c.at+":"+port+"/token?service=x&scope=y")
			if c.fails == "" && (err != nil || said != c.want || (*asked)[0].authorization == "" || (*asked)[0].cookie != "") {
				t.Errorf("%q, %v, asked %+v; want %q", said, err, *asked, c.want)
			}
			if c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails) || strings.Contains(err.Error(), marker)) {
				t.Errorf("%q, %v; want %q", said, err, c.fails)
			}
		})
	}
}

func TestOfAnErrorStayStatusLengthAndKnownWords(t *testing.T) {
	for _, c := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"a known code", `{"errors":[{"code":"DENIED","message":"` + marker + `","detail":"` + marker + `"}]}`, 403,
			`403 {"errors":[{"code":"DENIED","message":"403 Forbidden, with 125 bytes that are not shown"}]}`},
		{"another code", `{"errors":[{"code":"` + marker + `"}]}`, 404, "404 59 bytes that are not shown"},
		{"a page", "<html>" + marker, 500, "500 41 bytes that are not shown"},
		{"nothing", "", 502, "502 "},
		{"another success", marker, 202, "202 35 bytes that are not shown"},
		{"much", strings.Repeat("x", 100<<10), 400, "400 65537 bytes that are not shown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			address, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(c.status); fmt.Fprint(w, c.body) })
			p := egress.Policy{Named: []egress.Host{{Name: address}}}
			if said, err := get(t, p.Transport().For(address), "http://"+address+"/v2/a/manifests/b"); err != nil || said != c.want {
				t.Errorf("%q, %v; want %q", said, err, c.want)
			}
		})
	}
}

// TestWhatIsNoHTTPIsSaidInOurWords has servers that answer with text which the standard library puts into its errors.
func TestWhatIsNoHTTPIsSaidInOurWords(t *testing.T) {
	for _, answer := range []string{marker + "\r\n\r\n", "HTTP/1.1 " + marker + "\r\n\r\n", "HTTP/1.1 200 OK\r\n" + marker + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: " + marker + "\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + marker + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + marker + "\r\n", "HTTP/1.1 307 X\r\nLocation: http://%zz" +
			marker + "\r\n\r\n", ""} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = c.Read(make([]byte, 1024))
				_, _ = c.Write([]byte(answer))
				_ = c.Close()
			}
		}()
		address := l.Addr().String()
		p := egress.Policy{Named: []egress.Host{{Name: address}}}
		for _, scheme := range []string{"http", "https"} {
			_, err = get(t, p.Transport().For(address), scheme+"://"+address+"/v2/")
			if err == nil || strings.Contains(err.Error(), marker) {
				t.Errorf("%s, %q: %v", scheme, answer, err)
			}
		}
		_ = l.Close()
	}
}

// TestAProxyOfTheEnvironmentIsAPersonsWord has a proxy that knows names this machine does not.
func TestAProxyOfTheEnvironmentIsAPersonsWord(t *testing.T) {
	var asked []string
	address, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
		fmt.Fprint(w, "through the proxy")
	})
	t.Setenv("HTTP_PROXY", "http://"+address)
	t.Setenv("http_proxy", "http://"+address)
	t.Setenv("NO_PROXY", "")
	t.Setenv("no_proxy", "")
	tr := egress.Policy{Named: []egress.Host{{"r.example", true}, {"metadata.goog", true}}}.Transport()
	if said, err := get(t, tr.For("r.example"), "http://r.example/v2/"); err != nil || said != "200 through the proxy" {
		t.Errorf("%q, %v", said, err)
	}
	for _, closed := range []string{"169.254.169.254", "metadata.goog", "10.0.0.1", "other.example"} {
		if said, err := get(t, tr.For(closed), "http://"+closed+"/v2/"); err == nil {
			t.Errorf("%s: %q", closed, said)
		}
	}
	if len(asked) != 1 {
		t.Errorf("the proxy was asked %v", asked)
	}
}

func TestWhoAsksAServerStaysWithIt(t *testing.T) {
	elsewhere, asked := watching(t, marker)
	to := ""
	address, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/there" {
			fmt.Fprint(w, "there")
			return
		}
		http.Redirect(w, r, to, http.StatusFound)
	})
	c := &http.Client{CheckRedirect: egress.SameHost}
	for _, next := range []struct{ to, fails string }{{"/there", ""}, {"http://127.0.0.1:" + elsewhere + "/", "another host"},
		{"https://" + address + "/there", "another host"}, {"/again", "circles"}} {
		to = next.to
		resp, err := c.Get("http://" + address + "/")
		if err == nil {
			_ = resp.Body.Close()
		}
		if next.fails == "" && err != nil || next.fails != "" && (err == nil || !strings.Contains(err.Error(), next.fails)) {
			t.Errorf("%s: %v, want %q", next.to, err, next.fails)
		}
	}
	if len(*asked) > 0 {
		t.Errorf("elsewhere was asked %+v", *asked)
	}
}
