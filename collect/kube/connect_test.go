package kube

import (
	"errors"
	"testing"
)

func TestWhatATriedConnectionShows(t *testing.T) {
	ended := func(code int) error { return exitStatus(code) }
	for _, c := range []struct {
		name        string
		err         error
		said        string
		made, known bool
	}{
		{"it was made", nil, "", true, true},
		{"nothing listens", ended(1), "nc: can't connect to remote host (10.0.0.1): Connection refused", false, true},
		{"a policy drops the packets, nc says", ended(1), "nc: 10.0.0.1 (10.0.0.1:80): Operation timed out", false, true},
		{"a policy drops the packets, timeout ends it", ended(124), "", false, true},
		{"there is no way", ended(1), "nc: can't connect: No route to host", false, true},
		{"no program connects", ended(97), "", false, false},
		{"another nc", ended(1), "usage: nc [-46]", false, false},
		{"the image has no shell", errors.New(`exec: "sh": executable file not found`), "", false, false},
		{"something else", ended(2), "sh: syntax error", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := attempt(c.err, c.said); got.Made != c.made || got.Known != c.known || got.Why == "" {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestHowACommandEnded(t *testing.T) {
	for _, c := range []struct{ status, want string }{
		{`{"status":"Success"}`, ""},
		{`{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"97"}]}}`,
			"the command ended with status 97"},
		{`{"status":"Failure","message":"container not found"}`, "container not found"},
		{`{"status":"Failure","reason":"NonZeroExitCode","message":"it says no more"}`, "it says no more"},
		{`<html>`, "how the command ended cannot be read: invalid character '<' looking for beginning of value"},
	} {
		got := ""
		if err := ending([]byte(c.status)); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.status, got, c.want)
		}
	}
}
