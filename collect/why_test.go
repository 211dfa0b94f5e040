package collect

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAReasonIsOneLineThatPeopleRead(t *testing.T) {
	page := "403:\n<html>\r\n" + strings.Repeat("ä", 60_000)
	why := Why(errors.New(page))
	if len(why) > maxWhy+10 || strings.ContainsAny(why, "\r\n") || !utf8.ValidString(why) || !strings.HasSuffix(why, " …") {
		t.Errorf("%d bytes: %.60q", len(why), why)
	}
	if why := Why(errors.New("no such image")); why != "no such image" {
		t.Error(why)
	}
}

func TestAPasswordInARegistrysNameIsNotToldAgain(t *testing.T) {
	for _, r := range []Registry{{Host: "user:hunter2@registry.example"},
		{Host: "registry.example", Repositories: []string{"user:hunter2@x"}}} {
		if _, err := r.Valid(); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Error(err)
		}
	}
}
