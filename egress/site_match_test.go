package egress

import "testing"

func TestPatternsOfHosts(t *testing.T) {
	for _, c := range []struct {
		pattern, host string
		want          bool
	}{
		{"quay.io", "quay.io", true},
		{"quay.io", "evil.quay.io", false},
		{"quay.io", "quay.io.evil", false},
		{"*.quay.io", "a.quay.io", true},
		{"*.quay.io", "a.b.c.quay.io", true},
		{"*.quay.io", "quay.io", false},
		{"*.quay.io", "quay.io.evil", false},
		{"*.quay.io", "evilquay.io", false},
		{"s3.*.amazonaws.com", "s3.eu-west-1.amazonaws.com", true},
		{"s3.*.amazonaws.com", "s3.a.b.amazonaws.com", false},
		{"s3.*.amazonaws.com", "x.s3.a.amazonaws.com", false},
		{"*.oss-*.aliyuncs.com", "b.oss-cn-1.aliyuncs.com", true},
		{"*.oss-*.aliyuncs.com", "b.other.aliyuncs.com", false},
		{"*.[.com", "a.[.com", false},
	} {
		if got := matches(c.pattern, c.host); got != c.want {
			t.Errorf("%s is %s: %v, want %v", c.host, c.pattern, got, c.want)
		}
	}
}

func TestWhichHostsAreOneOperators(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"r.example.com", "auth.example.com", true},
		{"example.com", "a.b.example.com", true},
		{"r.example.com", "r.example.org", false},
		{"a.co.uk", "b.co.uk", false},
		{"co.uk", "co.uk", true},
		{"co.uk", "com", false},
		{"a.github.io", "b.github.io", false}, // many people's
		{"x.a.github.io", "y.a.github.io", true},
		{"registry", "registry", true}, // of a network of one's own
		{"registry", "auth", false},
		{"r.corp", "auth.corp", false},
		{"r.team.corp", "auth.team.corp", true},
		{"r.one.team.corp", "r.two.team.corp", false},
		{"10.0.0.1", "10.0.0.1", true},
		{"10.0.0.1", "11.0.0.1", false},
		{"10.0.0.1", "x.0.0.1", false},
		{"::1", "::1", true},
		{"::1", "::2", false},
	} {
		if sameSite(c.a, c.b) != c.want || sameSite(c.b, c.a) != c.want {
			t.Errorf("%s and %s: want one site %v", c.a, c.b, c.want)
		}
	}
}
