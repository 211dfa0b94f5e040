package image

import (
	"errors"
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/breakwater-sec/breakwater/egress"
)

// plainly is an error of a registry without the addresses that clients write into it: redirects and token servers are text
// of others. What was asked for stays.
func plainly(err error) error {
	if err == nil {
		return nil
	}
	if ours := egress.Cause(err); ours != nil {
		return ours
	}
	text := err.Error()
	var refused *transport.Error
	if errors.As(err, &refused) && refused.Request != nil {
		bare := *refused
		bare.Request = nil
		text = strings.ReplaceAll(text, refused.Error(), asked(refused)+": "+bare.Error())
	}
	if text = addressed.ReplaceAllString(text, ""); text == err.Error() {
		return err
	}
	return worded{text, err}
}

// addressed is what package net/url writes before an error.
var addressed = regexp.MustCompile(`(?:Get|Head|Post|parse) "(?:[^"\\]|\\.)*": `)

// asked is the request that an answer led away from, as we made it.
func asked(refused *transport.Error) string {
	r := origin(refused.Request)
	if !strings.HasPrefix(r.URL.Path, "/v2/") {
		return r.Method + " " + r.URL.Scheme + "://" + r.URL.Host
	}
	u := *r.URL
	u.RawQuery = ""
	return r.Method + " " + u.Redacted()
}

type worded struct {
	text string
	err  error
}

func (w worded) Error() string { return w.text }
func (w worded) Unwrap() error { return w.err }
