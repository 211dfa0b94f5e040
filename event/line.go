package event

import (
	"bufio"
	"errors"
)

// Line reads to the end of a line, but keeps no more than most bytes of it, in the
// room of into. Of a longer one it says so. The error is that of the reader, io.EOF
// at its end.
func Line(r *bufio.Reader, into []byte, most int) (line []byte, long bool, err error) {
	line = into[:0]
	for {
		part, err := r.ReadSlice('\n')
		if long = long || len(line)+len(part) > most; !long {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, long, err
		}
	}
}
