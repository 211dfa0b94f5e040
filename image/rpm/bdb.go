package rpm

import (
	"encoding/binary"
	"fmt"
)

// Berkeley DB's hash, as its db_page.h lays it out: pages of one size, of which those of the
// table hold keys and values by turns, and a long value lies in pages of its own.
const (
	bdbHashMagic               = 0x061561
	bdbPageHeader              = 26
	bdbUnsorted, bdbHash       = 2, 13
	bdbOverflow                = 7
	bdbInline, bdbOffPage      = 1, 3
	bdbSmallest, bdbLargest    = 512, 64 << 10
	bdbOffPageEntry            = 12
	bdbTypeAt, bdbMetaPageSize = 25, 20
	bdbLastPage                = 32
)

// bdbOrder is the order of bytes of the machine that wrote the database, nil if it is none.
func bdbOrder(head []byte) binary.ByteOrder {
	switch {
	case binary.LittleEndian.Uint32(head[12:]) == bdbHashMagic:
		return binary.LittleEndian
	case binary.BigEndian.Uint32(head[12:]) == bdbHashMagic:
		return binary.BigEndian
	}
	return nil
}

type bdb struct {
	*metered
	order binary.ByteOrder
	page  int64
}

func readBDB(m *metered, order binary.ByteOrder, take func([]byte) error) error {
	meta, err := m.at(0, bdbSmallest)
	if err != nil {
		return err
	}
	b := bdb{m, order, int64(order.Uint32(meta[bdbMetaPageSize:]))}
	if b.page < bdbSmallest || b.page > bdbLargest || b.page&(b.page-1) != 0 {
		return fmt.Errorf("want pages of 512 bytes to 64 KiB, have %d", b.page)
	}
	if meta[24] != 0 {
		return fmt.Errorf("want a database in the clear, have one that is encrypted")
	}
	if last := int64(order.Uint32(meta[bdbLastPage:])); (last+1)*b.page > m.size {
		return fmt.Errorf("want %d pages of %d bytes, have %d bytes", last+1, b.page, m.size)
	}
	for at := b.page; at+b.page <= m.size; at += b.page {
		page, err := b.at(at, b.page)
		if err != nil {
			return err
		}
		if kind := page[bdbTypeAt]; kind != bdbUnsorted && kind != bdbHash {
			continue
		}
		if err := b.entries(page, take); err != nil {
			return fmt.Errorf("page %d: %w", at/b.page, err)
		}
	}
	return nil
}

// entries hands on the values of a page: every second entry.
func (b bdb) entries(page []byte, take func([]byte) error) error {
	n := int(b.order.Uint16(page[20:]))
	if bdbPageHeader+2*n > len(page) {
		return fmt.Errorf("want entries of at most %d bytes, have %d", len(page), n)
	}
	end := len(page)
	for i := range n {
		at := int(b.order.Uint16(page[bdbPageHeader+2*i:]))
		if at < bdbPageHeader || at >= end {
			return fmt.Errorf("entry %d: want it before %d, have it at %d", i, end, at)
		}
		entry := page[at:end]
		if end = at; i%2 == 0 {
			continue
		}
		var value []byte
		switch {
		case entry[0] == bdbOffPage && len(entry) >= bdbOffPageEntry:
			var err error
			if value, err = b.overflow(int64(b.order.Uint32(entry[4:])), int64(b.order.Uint32(entry[8:]))); err != nil {
				return err
			}
		case entry[0] == bdbInline && len(entry) > 8: // of four bytes is the number of the last package
			value = entry[1:]
		default:
			continue
		}
		if err := take(value); err != nil {
			return err
		}
	}
	return nil
}

// overflow is a long value, which lies in pages that name the next.
func (b bdb) overflow(page, length int64) ([]byte, error) {
	if length > mostHeader {
		return nil, fmt.Errorf("want a header of at most %d MiB, have %d bytes: %w", mostHeader>>20, length, errBound)
	}
	var out []byte
	for int64(len(out)) < length && page != 0 {
		p, err := b.at(page*b.page, b.page)
		if err != nil {
			return nil, err
		}
		used := int(b.order.Uint16(p[22:]))
		if p[bdbTypeAt] != bdbOverflow || used == 0 || bdbPageHeader+used > len(p) {
			return nil, fmt.Errorf("page %d: want a page of a long value, have type %d and %d bytes", page, p[bdbTypeAt], used)
		}
		out = append(out, p[bdbPageHeader:bdbPageHeader+used]...)
		page = int64(b.order.Uint32(p[16:]))
	}
	if int64(len(out)) != length {
		return nil, fmt.Errorf("want a header of %d bytes, have %d", length, len(out))
	}
	return out, nil
}
