package store

import (
	"encoding/base64"
	"errors"
	"testing"
)

func TestACursorIsTakenOnlyByTheListThatGaveIt(t *testing.T) {
	s := open(t, t.TempDir()+"/db")
	lists := map[string]func(cursor string) error{
		"alerts": func(cursor string) error { _, _, err := s.Alerts(t.Context(), AlertFilter{}, cursor, 5); return err },
		"paths": func(cursor string) error {
			_, _, err := s.ResolvedPaths(t.Context(), PathFilter{}, cursor, 5)
			return err
		},
		"images": func(cursor string) error {
			_, _, _, err := s.RegistryImages(t.Context(), RegistryFilter{Host: "r"}, cursor, 5)
			return err
		},
	}
	own := map[string]string{
		"alerts": writeCursor(alertKey{1, "prod", "a"}),
		"paths":  writeCursor(pathKey{10, "a title\x00", "prod", "p"}),
		"images": writeCursor(registryKey{"web:1", "sha256:1"}),
	}
	none := []string{"?", "e", base64.RawURLEncoding.EncodeToString([]byte("{")), base64.RawURLEncoding.EncodeToString([]byte(`{"ID":1}`)),
		"eyJJRCI6IngifQ=="}
	for list, ask := range lists {
		for of, cursor := range own {
			if err := ask(cursor); (of == list) != (err == nil) || err != nil && !errors.Is(err, ErrCursor) {
				t.Errorf("%s asked with a cursor of %s: %v", list, of, err)
			}
		}
		for _, cursor := range none {
			if err := ask(cursor); !errors.Is(err, ErrCursor) {
				t.Errorf("%s asked with %q: %v", list, cursor, err)
			}
		}
	}
}
