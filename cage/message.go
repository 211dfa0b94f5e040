package cage

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// Message is what parent and child say to each other: of a kind, and no longer than the
// one who hears it takes of that kind.
type Message struct {
	Kind byte
	Body []byte
}

// headLength is a kind and a length of four bytes.
const headLength = 5

// Send writes a message.
func Send(w io.Writer, kind byte, body []byte) error {
	head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body)))
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err := w.Write(body)
	return err
}

// Receive reads a message. A kind that is not among those taken, or more than is taken of
// it, is an error before any of it is read.
func Receive(r io.Reader, most map[byte]int) (Message, error) {
	var head [headLength]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return Message{}, err
	}
	m, length := Message{Kind: head[0]}, binary.BigEndian.Uint32(head[1:])
	bound, known := most[m.Kind]
	if !known || uint64(length) > uint64(bound) {
		return m, fmt.Errorf("have a message of kind %q and %d bytes, want at most %d", m.Kind, length, bound)
	}
	var body bytes.Buffer // which grows with what comes, not with what is promised
	if n, err := io.CopyN(&body, r, int64(length)); err != nil {
		if n > 0 || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return m, err
	}
	m.Body = body.Bytes()
	return m, nil
}
