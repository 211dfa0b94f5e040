package collect

import "testing"

// FuzzAnnotation: whatever an annotation holds, each that we know says something of it or nothing.
func FuzzAnnotation(f *testing.F) {
	for _, a := range Annotations {
		for _, value := range []string{a.Value, "true", "false", "{}", `{"a":`, `{"load_balancer_type":"INTERNAL"}`, "null", `[[[[`} {
			f.Add(value)
		}
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, a := range Annotations {
			if got, says := a.In(map[string]string{a.Key: value}); got != value || says && value == "" {
				t.Errorf("%s: %q is %q, %v", a.Key, value, got, says)
			}
		}
	})
}
