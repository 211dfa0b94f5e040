package image

import (
	"errors"
	"fmt"
	"io"
)

// held is a file as a whole, for formats that are read from their end. One after the other
// takes the same memory, in blocks, so that the largest file alone says how much that is.
type held struct {
	blocks [][]byte
	size   int64
}

const heldBlock = 1 << 20

// fill reads a file to its end.
func (h *held) fill(r io.Reader, size, most int64) error {
	h.size = 0
	if size > most {
		return fmt.Errorf("want a file of at most %d MiB, have one of %d", most>>20, size>>20)
	}
	for h.size < size {
		i := int(h.size / heldBlock)
		if i == len(h.blocks) {
			h.blocks = append(h.blocks, make([]byte, heldBlock))
		}
		n, err := io.ReadFull(r, h.blocks[i][:min(heldBlock, size-h.size)])
		h.size += int64(n)
		if err != nil {
			return errors.Join(fmt.Errorf("want a file of %d bytes, have %d", size, h.size), err)
		}
	}
	return nil
}

// ReadAt implements io.ReaderAt.
func (h *held) ReadAt(p []byte, at int64) (n int, err error) {
	if at < 0 {
		return 0, errors.New("want a place in a file, have one before it")
	}
	for n < len(p) && at < h.size {
		block := h.blocks[at/heldBlock][:min(heldBlock, h.size-at/heldBlock*heldBlock)]
		more := copy(p[n:], block[at%heldBlock:])
		n, at = n+more, at+int64(more)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
