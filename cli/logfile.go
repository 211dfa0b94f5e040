package cli

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
)

// openLog opens a file, gzip or not.
func openLog(stdin io.Reader, file string) (in io.Reader, closed func() error, err error) {
	in, closed = stdin, func() error { return nil }
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, nil, err
		}
		in, closed = f, f.Close
	}
	b := bufio.NewReader(in)
	if mark, _ := b.Peek(3); string(mark) == "\ufeff" {
		_, _ = b.Discard(len(mark)) // they were read already
	}
	if magic, _ := b.Peek(2); string(magic) != "\x1f\x8b" {
		return b, closed, nil
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", file, err), closed())
	}
	return z, closed, nil
}
