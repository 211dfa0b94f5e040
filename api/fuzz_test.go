package api

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
)

// taking are the operations that take a body; /session takes one of people who are not signed in.
var taking = []struct{ method, path string }{
	{"POST", "/api/v1/session"}, {"POST", "/api/v1/sign-in-links"}, {"POST", "/api/v1/query"}, {"POST", "/api/v1/query/check"},
	{"POST", "/api/v1/query/values"}, {"POST", "/api/v1/query/facets"}, {"POST", "/api/v1/report/query"}, {"POST", "/api/v1/what-if"},
	{"PUT", "/api/v1/alerts"}, {"POST", "/api/v1/registries"}, {"POST", "/api/v1/registries/check"},
}

// FuzzBody: whatever is sent to an operation, it is an answer or an error of the sender.
func FuzzBody(f *testing.F) {
	for i, body := range []string{
		`{"token":"x"}`, `{"person":"alice"}`, `{"text":"MATCH (p:Pod) RETURN p"}`,
		`{"query":{"find":{"kinds":["Pod"],"where":{"prop":"name","op":"IN","value":["a",1]}}}}`, `{"of":"Pod","prop":"name","contains":"a"}`,
		`{"query":{"find":{"as":"p","kinds":["Pod"]}},"of":"p","prop":"name"}`, `{"text":"MATCH (p:Pod) RETURN p","limit":1}`,
		`{"fixes":["a"],"assume":"b"}`, `{"status":"dismissed","reason":"x"}`, `{"registry":"r.example","repositories":["a/*"]}`, `null`,
	} {
		f.Add(uint8(i), []byte(body))
	}
	s := serveNothing(f, Config{})
	mine := s.asAlice(f)["Authorization"]
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		to := taking[int(which)%len(taking)]
		r := httptest.NewRequest(to.method, s.url+to.path, bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", mine)
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r.WithContext(t.Context()))
		if w.Code >= http.StatusInternalServerError && w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s %s of %q: %d %s", to.method, to.path, body, w.Code, w.Body)
		}
	})
}

func TestABodyBeyondTheBoundIsSaidToBeTooLarge(t *testing.T) {
	s := serveNothing(t, Config{})
	body := `{"text":"` + string(bytes.Repeat([]byte("a"), maxBody)) + `"}`
	for _, path := range []string{"/api/v1/query", "/api/v1/report/query"} {
		r := httptest.NewRequest("POST", s.url+path, bytes.NewReader([]byte(body)))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", s.asAlice(t)["Authorization"])
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if w.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}
