package api

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// contract holds every answer a test gets against openapi.yaml.
func contract(t *testing.T, base string) routers.Router {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = openapi3.Servers{{URL: base + "/api/v1"}}
	r, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// hold checks one answer and puts its body back.
func hold(t *testing.T, r routers.Router, req *http.Request, resp *http.Response) {
	t.Helper()
	kind := resp.Header.Get("Content-Type")
	if !strings.Contains(kind, "json") || strings.Contains(req.URL.Path, "/report/") {
		return
	}
	route, params, err := r.FindRoute(req)
	if err != nil {
		if resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s %s is no page of openapi.yaml: %v", req.Method, req.URL, err)
		}
		return
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	in := &openapi3filter.ResponseValidationInput{RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req,
		PathParams: params, Route: route},
		Status: resp.StatusCode, Header: resp.Header, Options: &openapi3filter.Options{IncludeResponseStatus: true}}
	in.SetBodyBytes(body)
	if err := openapi3filter.ValidateResponse(t.Context(), in); err != nil {
		text := err.Error()
		t.Errorf("%s %s is not what openapi.yaml says: %s", req.Method, req.URL, text[:min(len(text), 1500)])
	}
}
