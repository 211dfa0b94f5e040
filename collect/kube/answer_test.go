package kube

import (
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
)

// FuzzAnswer: whatever an API server answers to what is asked beside lists, it is read or refused.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"kind":"Table","metadata":{"continue":"x"},"columnDefinitions":[{"name":"Name"},{"name":"Type"},{"name":"Data"}],` +
			`"rows":[{"cells":["a","Opaque",1]}]}`,
		`{"kind":"Table","columnDefinitions":[{"name":"Name"},{"name":"Type"}],"rows":[{"cells":["a"]}]}`,
		`{"kind":"Table","columnDefinitions":[{"name":"Name"}],"rows":[{"cells":null},{}]}`,
		`{"kind":"PartialObjectMetadataList","items":[{"metadata":{"name":"a","annotations":{"kubernetes.io/service-account.name":"b"}}}]}`,
		`{"gitVersion":"v1.37.2"}`, `{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}`,
		`{"kind":"Endpoints","apiVersion":"v1","metadata":{"name":"a"},"subsets":[{"addresses":[{"ip":"10.0.0.1"}],"ports":[{"port":80}]}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if v, err := gitVersion(raw); (v == "") == (err == nil) {
			t.Errorf("the version is %q, %v", v, err)
		}
		_ = ending(raw)
		secrets, _, err := secretsIn("n", raw)
		if err != nil && secrets != nil {
			t.Error("what is no table has rows")
		}
		tokens := map[string]*collect.Secret{"a": {}}
		for _, s := range secrets {
			if s.Name == "" || s.Namespace != "n" {
				t.Errorf("a Secret is called %+v", s.Key)
			}
			tokens[s.Name] = s
		}
		if err := accountsIn(raw, tokens); err != nil && tokens["a"].Account != "" {
			t.Error("what is no list of metadata says whose a token is")
		}
	})
}
