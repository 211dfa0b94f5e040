package cli

import (
	"strings"
	"testing"
)

func TestTheProgramCarriesTheLicencesOfWhatItContains(t *testing.T) {
	out, _, code := command(t, "licenses")
	for _, want := range []string{"k8s.io/client-go v", "npm react ", "Go's standard library", "Apache License",
		"Permission is hereby granted"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in it", want)
		}
	}
	if code != 0 {
		t.Error(code)
	}
}
