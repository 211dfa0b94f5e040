package store

import (
	"bytes"
	"testing"
)

func TestSecretsAreHashedWithTheSameSaltEverAfter(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		first, err := s.Salt(t.Context())
		if err != nil || len(first) != 32 || bytes.Count(first, []byte{0}) > 16 {
			t.Fatalf("%x, %v", first, err)
		}
		if again, err := s.Salt(t.Context()); err != nil || !bytes.Equal(again, first) {
			t.Errorf("then %x, %v", again, err)
		}
	})
}
