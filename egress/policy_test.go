package egress

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestHostsAsPeopleWriteThem(t *testing.T) {
	longest := strings.Repeat("a.", 130) + "a" // 261
	for s, want := range map[string]Host{
		"r.example": {"r.example", false}, "R.Example:5000/": {"r.example:5000", false}, "http://r.example": {"r.example", true},
		"https://r.example": {"r.example", false}, "[fd12::1]:5000": {"[fd12::1]:5000", false}, longest: {longest, false},
		"docker.io": {"index.docker.io", false}, "registry-1.docker.io": {"index.docker.io", false},
		longest + "a": {}, "r.example/a": {}, "-r.example": {}, "r.example:": {}, "r.example:123456": {}, "": {}, "a@b": {},
	} {
		if got, err := ParseHost(s); got != want || (err == nil) != (want != Host{}) {
			t.Errorf("%.40q: %+v, %v, want %+v", s, got, err, want)
		}
	}
}

func TestWhereHostsAreConnectedTo(t *testing.T) {
	for h, want := range map[Host]string{
		{"r.example", false}: "r.example:443", {"r.example", true}: "r.example:80",
		{"r.example:5000", false}: "r.example:5000", {"r.example:5000", true}: "r.example:5000",
		{"[fd12::1]", false}: "[fd12::1]:443", {"[fd12::1]:5000", true}: "[fd12::1]:5000",
	} {
		if got := h.address(); got != want {
			t.Errorf("%+v: %s, want %s", h, got, want)
		}
	}
}

func TestMirrorsAndSitesAddUp(t *testing.T) {
	var p Policy
	want := map[string]Host{}
	for s, host := range map[string]Host{
		"a.example=m.example": {"m.example", false}, "b.example=http://m.example": {"m.example", true},
		"c.example=127.0.0.1:5000": {"127.0.0.1:5000", true}, "d.example=localhost:5000": {"localhost:5000", true},
		"e.example=[::1]:5000": {"[::1]:5000", true}, "f.example=10.0.0.1": {"10.0.0.1", false},
		"g.example=localhost.example": {"localhost.example", false}, "docker.io=m.example": {"m.example", false},
	} {
		if err := p.Mirror(s); err != nil {
			t.Fatal(err)
		}
		from, _, _ := strings.Cut(s, "=")
		want[canonical(from)] = host
	}
	if !maps.Equal(p.Mirrors, want) {
		t.Errorf("%v, want %v", p.Mirrors, want)
	}
	for _, s := range []string{"a.example=x.example:5000", "a.example=y.example", "docker.io=z.example"} {
		if err := p.Site(s); err != nil {
			t.Fatal(err)
		}
	}
	sites := map[string][]string{"a.example": {"x.example", "y.example"}, "index.docker.io": {"z.example"}}
	if !maps.EqualFunc(p.Sites, sites, slices.Equal) {
		t.Errorf("sites are %v, want %v", p.Sites, sites)
	}
	for _, bad := range []string{"a.example", "a.example=", "=a.example"} {
		if p.Mirror(bad) == nil || p.Site(bad) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestWhoSpeaksPlainHTTP(t *testing.T) {
	p := Policy{Named: []Host{{"r.example", true}, {"t.example", false}},
		Mirrors: map[string]Host{"a.example": {"m.example:5000", true}, "b.example": {"n.example:5000", false}}}
	for host, want := range map[string]bool{
		"r.example": true, "R.example:80": true, "r.example:443": false, "t.example": false, "m.example:5000": true, "m.example": false,
		"n.example:5000": false, "a.example": false, "localhost": true, "localhost:5000": true, "127.0.0.1:5000": true, "[::1]:5000": true,
		"[::ffff:127.0.0.1]": true, "localhost.example": false, "10.0.0.1": false, "128.0.0.1": false,
	} {
		if got := p.Plain(host); got != want || p.Transport().Plain(host) != want {
			t.Errorf("%s: %v, want %v", host, got, want)
		}
	}
}

func TestHostsAreSpokenWithoutThePortOfTheirScheme(t *testing.T) {
	for _, c := range []struct{ host, port, scheme, want string }{
		{"r.example", "", "https", "r.example"},
		{"r.example", "", "http", "r.example"},
		{"r.example", "443", "https", "r.example"},
		{"r.example", "443", "", "r.example"},
		{"r.example", "443", "http", "r.example:443"},
		{"r.example", "444", "https", "r.example:444"},
		{"r.example", "80", "http", "r.example"},
		{"r.example", "80", "https", "r.example:80"},
		{"r.example", "80", "", "r.example:80"},
		{"r.example", "81", "http", "r.example:81"},
		{"fd12::1", "443", "https", "[fd12::1]"},
		{"fd12::1", "5000", "https", "[fd12::1]:5000"},
	} {
		if got := spoken(c.host, c.port, c.scheme); got != c.want {
			t.Errorf("%v: %q, want %q", c, got, c.want)
		}
	}
}
