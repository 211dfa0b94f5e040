package store

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
)

// ErrCursor says that a cursor is none that a list gave out.
var ErrCursor = errors.New("not a cursor of this list")

// writeCursor is where a list goes on, after the row of that key.
func writeCursor(key any) string {
	b, _ := json.Marshal(key) // texts and numbers are never refused
	return base64.RawURLEncoding.EncodeToString(b)
}

func readCursor[K any](cursor string) (key K, err error) {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return key, ErrCursor
	}
	read := json.NewDecoder(bytes.NewReader(b))
	read.DisallowUnknownFields() // as those of another list's keys
	if err := read.Decode(&key); err != nil {
		return key, ErrCursor
	}
	return key, nil
}
