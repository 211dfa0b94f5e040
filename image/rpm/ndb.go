package rpm

import (
	"encoding/binary"
	"fmt"
)

// rpm's own database: pages of slots that say where a package's header is, in blocks of 16 bytes.
const (
	ndbMagic                    = "RpmP"
	ndbSlotMagic, ndbBlobMagic  = "Slot", "BlbS"
	ndbPage, ndbSlot, ndbBlock  = 4096, 16, 16
	ndbHead, ndbBlobHead        = 32, 16
	ndbMostPages                = 16 << 10
	ndbVersionAt, ndbSlotsPages = 4, 12
)

func readNDB(m *metered, take func([]byte) error) error {
	head, err := m.at(0, ndbHead)
	if err != nil {
		return err
	}
	if v := binary.LittleEndian.Uint32(head[ndbVersionAt:]); v != 0 {
		return fmt.Errorf("want an ndb database of version 0, have %d", v)
	}
	pages := int64(binary.LittleEndian.Uint32(head[ndbSlotsPages:]))
	if pages == 0 || pages > ndbMostPages {
		return fmt.Errorf("want 1 to %d pages of slots, have %d: %w", ndbMostPages, pages, errBound)
	}
	slots, err := m.at(0, pages*ndbPage)
	if err != nil {
		return err
	}
	for at := ndbHead; at+ndbSlot <= len(slots); at += ndbSlot {
		slot := slots[at:]
		number, block, blocks := binary.LittleEndian.Uint32(slot[4:]), binary.LittleEndian.Uint32(slot[8:]), binary.LittleEndian.Uint32(slot[12:])
		if string(slot[:4]) != ndbSlotMagic {
			return fmt.Errorf("slot %d: want %q, have %q", at/ndbSlot, ndbSlotMagic, slot[:4])
		}
		if number == 0 || block == 0 {
			continue // free
		}
		header, err := ndbHeader(m, number, int64(block)*ndbBlock, int64(blocks)*ndbBlock)
		if err != nil {
			return fmt.Errorf("package %d: %w", number, err)
		}
		if err := take(header); err != nil {
			return err
		}
	}
	return nil
}

func ndbHeader(m *metered, number uint32, at, room int64) ([]byte, error) {
	head, err := m.at(at, ndbBlobHead)
	if err != nil {
		return nil, err
	}
	length := int64(binary.LittleEndian.Uint32(head[12:]))
	switch {
	case string(head[:4]) != ndbBlobMagic || binary.LittleEndian.Uint32(head[4:]) != number:
		return nil, fmt.Errorf("want its header at %d, have %q of %d", at, head[:4], binary.LittleEndian.Uint32(head[4:]))
	case length > mostHeader || length > room:
		return nil, fmt.Errorf("want a header of at most %d bytes, have %d: %w", min(room, mostHeader), length, errBound)
	}
	return m.at(at+ndbBlobHead, length)
}
