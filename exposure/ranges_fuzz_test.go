package exposure

import "testing"

// FuzzListOf reads ranges of addresses in annotations: what is not read is never taken for nobody, or for everybody.
func FuzzListOf(f *testing.F) {
	for _, seed := range []string{"10.0.0.0/8, 192.0.2.1", "::/0", "ip:192.0.2.1 cidr:2001:db8::/32", "10.0.0.0/33", "", ",",
		"0.0.0.0/0\n::/0", "::ffff:1.2.3.4/96"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := listOf(text)
		if ok != (len(got) > 0) {
			t.Errorf("%q: %v, %v", text, got, ok)
		}
	})
}

// FuzzLinodeClients reads the rules of a firewall that an annotation holds as JSON.
func FuzzLinodeClients(f *testing.F) {
	for _, seed := range []string{`{"allowList":{"ipv4":["10.0.0.0/8"]}}`, `{"denyList":{"ipv6":["::/0"]}}`,
		`{"allowList":{},"denyList":{}}`, `{`, `[]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if let, kept, ok := linodeClients(text); ok && len(let)+len(kept) == 0 {
			t.Errorf("%q lets in nobody and keeps out nobody", text)
		}
	})
}
