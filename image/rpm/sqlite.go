package rpm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// SQLite's file format, as far as it takes to read a table from its first row to the last:
// pages of one size, a tree of them for each table, rows that lie on in pages of their own.
const (
	sqliteMagic                = "SQLite format 3\x00"
	sqliteHead                 = 100
	sqliteInterior, sqliteLeaf = 0x05, 0x0d
	sqliteDeepest              = 20
	sqlitePackages             = "Packages"
)

type sqlite struct {
	*metered
	page, usable int64
}

// readSQLite hands on the blobs of the table Packages.
func readSQLite(m *metered, take func([]byte) error) error {
	head, err := m.at(0, sqliteHead)
	if err != nil {
		return err
	}
	s := sqlite{metered: m, page: int64(binary.BigEndian.Uint16(head[16:]))}
	if s.page == 1 {
		s.page = 64 << 10
	}
	s.usable = s.page - int64(head[20])
	if s.page < 512 || s.page&(s.page-1) != 0 || s.usable < 480 {
		return fmt.Errorf("want pages of 512 bytes to 64 KiB, have %d", s.page)
	}
	var root int64
	err = s.table(1, 0, func(row []byte) error {
		r, err := recordOf(row)
		if err != nil {
			return err
		}
		if kind, name := r.text(0), r.text(1); kind == "table" && name == sqlitePackages {
			root = r.number(3)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list its tables: %w", err)
	}
	if root == 0 {
		return errors.New("want a table Packages, have none")
	}
	return s.table(root, 0, func(row []byte) error {
		r, err := recordOf(row)
		if err != nil {
			return err
		}
		return take(r.bytes(1))
	})
}

// table hands on the rows of the tree below a page.
func (s sqlite) table(number int64, depth int, each func(row []byte) error) error {
	if depth > sqliteDeepest {
		return fmt.Errorf("want a tree of at most %d levels: %w", sqliteDeepest, errBound)
	}
	page, err := s.at((number-1)*s.page, s.page)
	if err != nil {
		return fmt.Errorf("page %d: %w", number, err)
	}
	b := page
	if number == 1 {
		b = page[sqliteHead:]
	}
	kind, cells, first := b[0], int(binary.BigEndian.Uint16(b[3:])), 8
	if kind == sqliteInterior {
		first = 12
	} else if kind != sqliteLeaf {
		return fmt.Errorf("page %d: want a page of a table, have type %d", number, kind)
	}
	if first+2*cells > len(b) {
		return fmt.Errorf("page %d: want at most %d cells, have %d", number, (len(b)-first)/2, cells)
	}
	for i := range cells {
		at := int(binary.BigEndian.Uint16(b[first+2*i:]))
		if at+4 > len(page) {
			return fmt.Errorf("page %d: want a cell within %d bytes, have it at %d", number, len(page), at)
		}
		if kind == sqliteInterior {
			err = s.table(int64(binary.BigEndian.Uint32(page[at:])), depth+1, each)
		} else {
			var row []byte
			if row, err = s.row(page[at:]); err == nil {
				err = each(row)
			}
		}
		if err != nil {
			return err
		}
	}
	if kind == sqliteInterior {
		return s.table(int64(binary.BigEndian.Uint32(b[8:])), depth+1, each)
	}
	return nil
}

// row is what a cell of a leaf holds: its length, its number, as much of it as belongs into
// the page, and where the rest is.
func (s sqlite) row(cell []byte) ([]byte, error) {
	length, n := varint(cell)
	_, m := varint(cell[n:])
	if n == 0 || m == 0 || length > mostHeader {
		return nil, fmt.Errorf("want a row of at most %d MiB, have %d bytes: %w", mostHeader>>20, length, errBound)
	}
	cell = cell[n+m:]
	here, whole := int64(length), int64(length)
	if most := s.usable - 35; whole > most {
		least := (s.usable-12)*32/255 - 23
		if here = least + (whole-least)%(s.usable-4); here > most {
			here = least
		}
	}
	if here > int64(len(cell)) || here < whole && here+4 > int64(len(cell)) {
		return nil, fmt.Errorf("want %d bytes of a row in its page, have %d", here, len(cell))
	}
	out := append([]byte(nil), cell[:here]...)
	if here == whole {
		return out, nil
	}
	for next := binary.BigEndian.Uint32(cell[here:]); int64(len(out)) < whole; {
		page, err := s.at((int64(next)-1)*s.page, s.page)
		if err != nil {
			return nil, fmt.Errorf("page %d: %w", next, err)
		}
		next = binary.BigEndian.Uint32(page)
		out = append(out, page[4:min(s.usable, 4+whole-int64(len(out)))]...)
	}
	return out, nil
}

// record is a row taken apart.
type record []column

type column struct {
	kind uint64
	data []byte
}

func recordOf(row []byte) (record, error) {
	head, n := varint(row)
	if n == 0 || head < uint64(n) || head > uint64(len(row)) {
		return nil, fmt.Errorf("want a row's head of at most %d bytes, have %d", len(row), head)
	}
	kinds, rest := row[n:head], row[head:]
	var out record
	for len(kinds) > 0 {
		kind, n := varint(kinds)
		if n == 0 {
			return nil, errors.New("want the type of a column, have its first bytes only")
		}
		kinds = kinds[n:]
		size := sizeOf(kind)
		if size > uint64(len(rest)) {
			return nil, fmt.Errorf("want a column of %d bytes, have %d", size, len(rest))
		}
		out, rest = append(out, column{kind, rest[:size]}), rest[size:]
	}
	return out, nil
}

// sizeOf is how many bytes a column of a type has.
func sizeOf(kind uint64) uint64 {
	switch {
	case kind >= 12:
		return (kind - 12) / 2
	case kind <= 4:
		return kind
	}
	return [...]uint64{5: 6, 6: 8, 7: 8, 8: 0, 9: 0, 10: 0, 11: 0}[kind]
}

func (r record) bytes(i int) []byte {
	if i >= len(r) || r[i].kind < 12 {
		return nil
	}
	return r[i].data
}

func (r record) text(i int) string { return strings.TrimRight(string(r.bytes(i)), "\x00") }

func (r record) number(i int) (n int64) {
	switch {
	case i >= len(r) || r[i].kind >= 12:
		return 0
	case r[i].kind == 9:
		return 1
	}
	for _, b := range r[i].data {
		n = n<<8 | int64(b)
	}
	return n
}

// varint is SQLite's: seven bits a byte from the highest on, at most nine bytes, of which the
// last has eight. It tells how many bytes it took, none if they end before it does.
func varint(b []byte) (v uint64, n int) {
	for i := range b {
		if i == 8 {
			return v<<8 | uint64(b[i]), 9
		}
		if v = v<<7 | uint64(b[i]&0x7f); b[i] < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}
