package exception

import (
	"encoding/json"
	"errors"
	"fmt"
)

// longestStored bounds one that is stored: six lists of 100 values of 512 bytes, each of which JSON may write six times as long.
const longestStored = 2 << 20

// Encode writes an exception as Decode reads it.
func (e *Exception) Encode() (string, error) {
	b, err := json.Marshal(e)
	return string(b), err
}

// Decode reads one that somebody made in the portal or by command, as it is stored. Its id and its author are the store's to say.
func Decode(text, id, author string) (*Exception, error) {
	if len(text) > longestStored {
		return nil, fmt.Errorf("exception %s as it is stored: %w", id, errors.New("it is too long"))
	}
	var e Exception
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return nil, fmt.Errorf("exception %s as it is stored: %w", id, err)
	}
	e.Author = author
	out, err := New(e, Portal(id))
	if err != nil {
		return nil, fmt.Errorf("exception %s as it is stored: %w", id, err)
	}
	return out, nil
}
