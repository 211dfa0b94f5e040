package vuln

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

const ofImage = "sha256:aa"

// attested wraps a document in a statement of in-toto about a digest.
func attested(digest, predicate string) string {
	return fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","subject":[
		{"name":"x","digest":{"sha256":"bb"}},{"digest":{"sha256":"%s"}}],
		"predicateType":"https://openvex.dev/ns/v0.2.0","predicate":%s}`, strings.TrimPrefix(digest, "sha256:"), predicate)
}

func enveloped(statement string) string {
	return fmt.Sprintf(`{"payloadType":"application/vnd.in-toto+json","payload":"%s","signatures":[{"sig":"MEUCIQ=="}]}`,
		base64.StdEncoding.EncodeToString([]byte(statement)))
}

func TestWhatIsBesideAnImageCountsWhereNobodyElseSaysAnything(t *testing.T) {
	says := openVEXOf(`["pkg:npm/left"]`, NotAffected)
	const dismissed = "Vendor says that it is not affected: vulnerable_code_not_present (registry r, sha256:1; no signature is verified)"
	for _, c := range []struct{ name, body, want, unread string }{
		{"OpenVEX", says, dismissed, ""},
		{"CycloneDX", cyclone("not_affected", "c1"), "Vendor says that it is not affected: code_not_reachable (registry r", ""},
		{"fixed", openVEXOf(`["pkg:npm/left"]`, Fixed), "Vendor says that it is fixed (registry r", ""},
		{"affected", openVEXOf(`["pkg:npm/left"]`, Affected), "", ""},
		{"of another package", openVEXOf(`["pkg:npm/right"]`, NotAffected), "", ""},
		{"a bill of materials", `{"bomFormat":"CycloneDX","vulnerabilities":[{"id":"CVE-2024-0001"}]}`, "", ""},
		{"an attestation", attested(ofImage, says), dismissed, ""},
		{"in an envelope", enveloped(attested(ofImage, says)), dismissed, ""},
		{"in a bundle", `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":` + enveloped(attested(ofImage,
			cyclone("not_affected", "c1"))) + `}`,
			"code_not_reachable (registry r", ""},
		{"an attestation of another image", attested("sha256:cc", says), "", "an attestation of something else"},
		{"an attestation of nothing", strings.Replace(attested(ofImage, says), `"subject"`, `"x"`, 1), "", "an attestation of something else"},
		{"an envelope of something else", enveloped(says), "", "want an envelope with a statement"},
		{"an envelope of noise", `{"payload":"%%"}`, "", "want an envelope with a statement"},
		{"an advisory", strings.Replace(oneRecord, "CVE-2024-0001", "CVE-2024-9999", 1), "", "want an OpenVEX document"},
		{"no JSON", "x", "", "want JSON"},
		{"a status that is none", openVEXOf(`["pkg:npm/left"]`, "maybe"), "", "want a status"},
		{"too much", `{"x":"` + strings.Repeat("x", mostAttested) + `"}`, "", "at most 8 MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			db, err := Read(t.Context(), fstest.MapFS{"a.json": {Data: []byte(oneRecord)}})
			if err != nil {
				t.Fatal(err)
			}
			with, _, unread := db.Beside(t.Context(), []string{ofImage, "sha256:dd"}, Document{"registry r, sha256:1", []byte(c.body)})
			found, gaps := with.Examine(left())
			if len(found) != 1 || len(gaps) > 0 || !strings.Contains(found[0].Dismissed, c.want) || (found[0].Dismissed == "") != (c.want == "") {
				t.Errorf("%+v, %v, want %q", found, gaps, c.want)
			}
			if c.want != "" && found[0].Said.Found != "registry r, sha256:1" {
				t.Errorf("found at %q", found[0].Said.Found)
			}
			if (len(unread) > 0) != (c.unread != "") || c.unread != "" && !strings.Contains(unread[0].Error(), c.unread) {
				t.Errorf("unread %v, want %q", unread, c.unread)
			}
			if len(db.Match(left())) != 1 {
				t.Error("what is beside one image counts for all")
			}
		})
	}
}

// TestWhatIsBesideAnImageOverrulesNobody: neither what somebody imported, nor the distribution.
func TestWhatIsBesideAnImageOverrulesNobody(t *testing.T) {
	doc := Document{"registry r", []byte(openVEXOf(`["pkg:npm/left"]`, NotAffected))}
	long := strings.Replace(openVEXOf(`["pkg:npm/left"]`, Affected), "2024-03-01", "2014-03-01", 1)
	imported, err := Read(t.Context(), fstest.MapFS{"a.json": {Data: []byte(oneRecord)},
		"v.json": {Data: []byte(long)}})
	if err != nil {
		t.Fatal(err)
	}
	with, counted, _ := imported.Beside(t.Context(), []string{ofImage}, doc)
	found, _ := with.Examine(left())
	if counted != 1 || found[0].Dismissed != "" || found[0].Said == nil || found[0].Said.Found != "" || found[0].Said.Status != Affected {
		t.Errorf("a statement that was imported: %+v", found[0])
	}
	older := Document{"older", []byte(long)}
	plain, err := Read(t.Context(), fstest.MapFS{"a.json": {Data: []byte(oneRecord)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, documents := range [][]Document{{doc, older}, {older, doc}} {
		both, _, _ := plain.Beside(t.Context(), []string{ofImage}, documents...)
		if found, _ := both.Examine(left()); found[0].Said.Found != "registry r" || found[0].Dismissed == "" {
			t.Errorf("of two documents the older one speaks: %+v", found[0])
		}
	}
	gone := Match{ID: "CVE-2024-0001", Package: left(), Dismissed: "not affected: package not imported"}
	if err := with.hear(&gone); err != nil || gone.Said != nil || gone.Dismissed != "not affected: package not imported" {
		t.Errorf("what does not count anyway: %+v, %v", gone, err)
	}
	m := Match{ID: "CVE-2024-0001", Package: left(), Vendor: "will not fix"}
	if err := with.hear(&m); err != nil || m.Dismissed != "" || m.Said == nil || m.Said.Found != "registry r" {
		t.Errorf("the distribution's word: %+v, %v", m, err)
	}
}

func TestAnAttestationIsOfSoManyThingsAtMost(t *testing.T) {
	for n, fits := range map[int]bool{mostSubjects - 2: true, mostSubjects - 1: false} {
		text := strings.Replace(attested(ofImage, openVEXOf(`["pkg:npm/left"]`, NotAffected)), `"subject":[`,
			`"subject":[`+strings.Repeat(`{"name":"y"},`, n), 1)
		if _, counted, unread := (&DB{}).Beside(t.Context(), []string{ofImage}, Document{"r", []byte(text)}); (counted == 1) != fits {
			t.Errorf("%d things beside it: %d count, %v", n, counted, unread)
		}
	}
}

func FuzzBeside(f *testing.F) {
	says := openVEXOf(`["pkg:npm/left"]`, NotAffected)
	for _, seed := range []string{says, attested(ofImage, says), enveloped(attested(ofImage, says)), cyclone("not_affected", "c1"),
		`{"dsseEnvelope":{"payload":"e30="}}`, `{"payload":7}`, `[]`} {
		f.Add([]byte(seed))
	}
	db, err := Read(f.Context(), fstest.MapFS{"a.json": {Data: []byte(oneRecord)}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		with, counted, unread := db.Beside(t.Context(), []string{ofImage}, Document{"r", body})
		found, _ := with.Examine(left())
		if len(found) != 1 || counted+len(unread) > 1 || found[0].Dismissed != "" && counted != 1 {
			t.Errorf("%+v, %d, %v", found, counted, unread)
		}
	})
}
