package rpm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// metering reads bytes as often as a test allows.
func metering(data []byte, left int64) *metered {
	return &metered{r: bytes.NewReader(data), size: int64(len(data)), left: left}
}

func patched(data []byte, at int, with ...byte) []byte {
	out := slices.Clone(data)
	copy(out[at:], with)
	return out
}

func le32(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }
func be16(n int) []byte    { return binary.BigEndian.AppendUint16(nil, uint16(n)) }
func be32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

var aPackage = []any{tagName, "a", tagVersion, "1", tagRelease, "2"}

func TestWhatIsReadIsWithinTheDatabaseAndOnce(t *testing.T) {
	data := []byte("0123456789")
	for _, c := range []struct {
		at, n, left int64
		want        string
	}{
		{0, 10, 10, ""}, {9, 0, 10, ""}, {9, 1, 10, ""}, {4, 3, 3, ""},
		{0, 11, 99, "want 11 bytes at 0, the database has 10"}, {10, 1, 99, "want 1 bytes at 10"}, {11, 0, 99, "want 0 bytes at 11"},
		{-1, 1, 99, "want 1 bytes at -1"}, {0, -1, 99, "want -1 bytes at 0"}, {1 << 62, 1 << 62, 1 << 62, "the database has 10"},
		{0, 4, 3, "each part is used once"},
	} {
		m := metering(data, c.left)
		got, err := m.at(c.at, c.n)
		if c.want == "" && (err != nil || string(got) != string(data[c.at:c.at+c.n]) || m.left != c.left-c.n) {
			t.Errorf("%d bytes at %d: %q, %v, %d are left", c.n, c.at, got, err, m.left)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%d bytes at %d: %v, want %s", c.n, c.at, err, c.want)
		}
	}
	m := &metered{r: readerAt{iotest.ErrReader(errors.New("it is torn"))}, size: 10, left: 10}
	if got, err := m.at(0, 1); err == nil || got != nil {
		t.Errorf("what is torn reads as %q", got)
	}
}

// readerAt reads from anywhere what its reader says next.
type readerAt struct {
	r interface{ Read([]byte) (int, error) }
}

func (r readerAt) ReadAt(p []byte, _ int64) (int, error) { return r.r.Read(p) }

func TestVersionsOfPackagesAndOfTheirSources(t *testing.T) {
	for _, c := range []struct {
		p               Package
		evr, name, from string
	}{
		{Package{Version: "1", Release: "2"}, "1-2", "", ""},
		{Package{Version: "1", Release: "2", Source: "a-1-2.src.rpm"}, "1-2", "a", "1-2"},
		{Package{Epoch: 3, Version: "1", Release: "2", Source: "a-b-4-5.src.rpm"}, "3:1-2", "a-b", "3:4-5"},
		{Package{Version: "1", Release: "2", Source: "a-1-2.nosrc.rpm"}, "1-2", "a", "1-2"},
		{Package{Version: "1", Release: "2", Source: "1-2.src.rpm"}, "1-2", "", ""},
	} {
		name, from := c.p.SourceEVR()
		if c.p.EVR() != c.evr || name != c.name || from != c.from {
			t.Errorf("%+v: %s of %s %s, want %s of %s %s", c.p, c.p.EVR(), name, from, c.evr, c.name, c.from)
		}
	}
	p := Package{Folders: []string{"/a"}, Files: []File{{0, "b"}, {1, "c"}}}
	if got := p.Paths(); len(got) != 1 || got[0] != "/a/b" {
		t.Errorf("files in folders that there are: %v", got)
	}
}

func TestAHeaderIsHeldToItsBounds(t *testing.T) {
	with := func(tags ...any) []byte { return headerFor(append(slices.Clone(aPackage), tags...)...) }
	kind := func(header []byte, entry int, kind uint32) []byte {
		return patched(header, 8+entry*indexEntry+4, be32(kind)...)
	}
	at := func(header []byte, entry int, offset uint32) []byte {
		return patched(header, 8+entry*indexEntry+8, be32(offset)...)
	}
	count := func(header []byte, entry int, n uint32) []byte {
		return patched(header, 8+entry*indexEntry+12, be32(n)...)
	}
	foldersLast := with(tagBaseNames, []string{"x"}, tagDirIndexes, []int{0}, tagDirNames, []string{"/b/"})
	filed := with(tagBaseNames, []string{"x"}, tagDirNames, []string{"/b/"}, tagDirIndexes, []int{0})
	long := strings.Repeat("a", longestText)
	tests := []struct {
		name   string
		header []byte
		want   string
	}{
		{"eight bytes of nothing", make([]byte, 8), `package "": want a name, a version and a release, have "" ""`},
		{"seven", make([]byte, 7), "want a header, have less than its first 8 bytes"},
		{"an epoch", with(tagEpoch, []int{3}), "a 3:1-2 []"},
		{"two epochs", with(tagEpoch, []int{3, 4}), `package "a": tag 1003: want at most 1 numbers`},
		{"an epoch that is text", with(tagEpoch, "12345"),
			`package "a": tag 1003: want at most 1 numbers within 12 bytes, have 1 of type 6 at 6`},
		{"numbers of which the last is beyond", count(filed, 5, 2), "have 2 of type 4"},
		{"numbers beyond the values", at(with(tagEpoch, []int{3}), 3, 9), "have 1 of type 4 at 9"},
		{"numbers that end with the values", with(tagEpoch, []int{3}), "a 3:1-2 []"},
		{"the first of the same tag counts", with(tagName, "b"), "a 1-2 []"},
		{"text of several", with(tagArch, []string{"x", "y"}), "a 1-2 []"},
		{"text of several languages", kind(headerFor(aPackage...), 0, typeI18N), "a 1-2 []"},
		{"text that is of another type", kind(headerFor(aPackage...), 1, 7), `package "a": tag 1001: want text, have type 7`},
		{"no texts", count(headerFor(aPackage...), 2, 0), `package "a": want a name, a version and a release, have "1" ""`},
		{"text where the values end", at(headerFor(aPackage...), 2, 6), `tag 1002: want 1 texts in 0 bytes`},
		{"text beyond the values", at(headerFor(aPackage...), 2, 7), `tag 1002: want a value within 6 bytes, have it at 7`},
		{"text without an end", patched(headerFor(aPackage...), len(headerFor(aPackage...))-1, 'x'), `tag 1002: want 1 texts, have 0`},
		{"fewer texts than it says", count(foldersLast, 5, 4), `tag 1118: want 4 texts, have 1`},
		{"more texts than there are bytes", count(filed, 3, 1000), `tag 1117: want 1000 texts in`},
		{"the longest text", with(tagSource, long), "a 1-2 []"},
		{"text that is longer", with(tagSource, long+"a"), `tag 1044: want text of at most 1024 bytes, have 1025`},
		{"a key of a repository", headerFor(tagName, "gpg-pubkey", tagVersion, "1"), "gpg-pubkey 1- []"},
		{"no release", headerFor(tagName, "a", tagVersion, "1"), `package "a": want a name, a version and a release, have "1" ""`},
		{"no name", headerFor(tagVersion, "1", tagRelease, "2"), `package "": want a name, a version and a release, have "1" "2"`},
		{"folders and no files", with(tagDirNames, []string{"/b/"}), "a 1-2 []"},
		{"a file in a folder below none", with(tagBaseNames, []string{"x"}, tagDirNames, []string{"/b/"}, tagDirIndexes, []int{-1}),
			`file "x": want one of 1 folders, have the number 4294967295`},
		{"files before those of old", with(tagBaseNames, []string{"x"}, tagDirNames, []string{"/b/"}, tagDirIndexes, []int{0}, tagOldFiles,
			[]string{"/c"}), "a 1-2 [/b/x]"},
		{"files of old that have no end", count(with(tagOldFiles, []string{"/c"}), 3, 2), `tag 1027: want 2 texts, have 1`},
		{"folders of old files", with(tagOldFiles, []string{"/c", "/d/e"}), "a 1-2 [/c /d/e]"},
		{"too many tags", append(be32(mostTags+1), make([]byte, 8+(mostTags+1)*indexEntry)...), "want a header of 65537 tags and 0 bytes"},
		{"as many tags as may be", append(be32(mostTags), make([]byte, 4+mostTags*indexEntry)...), `package "": want a name`},
		{"one byte less than it says", headerFor(aPackage...)[:8+3*indexEntry+5], "want a header of 3 tags and 6 bytes of values, have 61 bytes"},
		{"bytes behind it", append(headerFor(aPackage...), 1, 2, 3), "a 1-2 []"},
	}
	for _, test := range tests {
		p, err := parse(test.header)
		got := fmt.Sprintf("%s %s %v", p.Name, p.EVR(), p.Paths())
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, test.want) {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

func TestADatabaseIsToldByItsBeginning(t *testing.T) {
	for name, data := range map[string][]byte{"nothing": nil, "31 bytes": make([]byte, 31), "32 bytes of nothing": make([]byte, 32),
		"a text": []byte(strings.Repeat("text ", 20))} {
		if found, _, err := Read(bytes.NewReader(data), int64(len(data))); !errors.Is(err, errForm) || found != nil {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
	// What is damaged in one package is a fault of it, a key is no package, and neither hides the others.
	data := ndbOf(headerFor(tagName, "a"), headerFor(tagName, "gpg-pubkey", tagVersion, "1"), headerFor(aPackage...))
	found, faults, err := Read(bytes.NewReader(data), int64(len(data)))
	if err != nil || len(found) != 1 || found[0].Name != "a" || len(faults) != 1 || !strings.Contains(faults[0], "want a name, a version") {
		t.Errorf("%+v, %v, %v", found, faults, err)
	}
}

func TestADatabaseOfNDBIsHeldToItsBounds(t *testing.T) {
	whole := ndbOf(headerFor(aPackage...), headerFor(tagName, "b", tagVersion, "1", tagRelease, "2"))
	const first, second = ndbHead + ndbSlot, ndbHead + 2*ndbSlot // the slots that are used
	blob := ndbPage                                              // of the first
	room := int(binary.LittleEndian.Uint32(whole[first+12:])) * ndbBlock
	for _, c := range []struct {
		name, want string
		packages   int
		data       []byte
	}{
		{"as it is", "", 2, whole},
		{"another version", "want an ndb database of version 0, have 1", 0, patched(whole, ndbVersionAt, 1)},
		{"no pages", "want 1 to 16384 pages of slots, have 0", 0, patched(whole, ndbSlotsPages, 0)},
		{"the most pages, which are not there", "want 67108864 bytes at 0", 0, patched(whole, ndbSlotsPages, le32(ndbMostPages)...)},
		{"more pages", "want 1 to 16384 pages of slots, have 16385", 0, patched(whole, ndbSlotsPages, le32(ndbMostPages+1)...)},
		{"no slot", `slot 4: want "Slot", have "Slox"`, 1, patched(whole, second+3, 'x')},
		{"a slot without a number is free", "", 1, patched(whole, first+4, 0)},
		{"a slot without a block is free", "", 1, patched(whole, first+8, le32(0)...)},
		{"a header elsewhere", `package 1: want its header at 4096, have "xlbS" of 1`, 0, patched(whole, blob, 'x')},
		{"the header of another", `package 1: want its header at 4096, have "BlbS" of 9`, 0, patched(whole, blob+4, 9)},
		{"a header beyond its room", "package 1: want a header of at most", 0, patched(whole, blob+12, le32(uint32(room+1))...)},
		{"a header beyond the database", "package 2: want 16 bytes at 1048576", 1, patched(whole, second+8, le32(1<<16)...)},
		{"the last slot of a page", "", 3, func() []byte {
			out := slices.Clone(whole)
			copy(out[ndbPage-ndbSlot:ndbPage], whole[first:first+ndbSlot])
			return out
		}()},
		{"a head that is cut", "want 32 bytes at 0", 0, whole[:31]},
	} {
		n := 0
		err := readNDB(metering(c.data, 1<<40), func([]byte) error { n++; return nil })
		if n != c.packages || c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %d packages, %v, want %d and %q", c.name, n, err, c.packages, c.want)
		}
	}
	// A header may fill its room.
	full := patched(whole, blob+12, le32(uint32(room))...)
	if err := readNDB(metering(full, 1<<40), func([]byte) error { return nil }); err != nil {
		t.Errorf("a header as long as its room: %v", err)
	}
	huge := patched(whole, first+12, le32(1<<28)...)
	for length, want := range map[uint32]string{mostHeader: "the database has", mostHeader + 1: "past its bounds"} {
		err := readNDB(metering(patched(huge, blob+12, le32(length)...), 1<<40), func([]byte) error { return nil })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a header of %d bytes: %v, want %s", length, err, want)
		}
	}
	torn := errors.New("no more")
	if err := readNDB(metering(whole, 1<<40), func([]byte) error { return torn }); !errors.Is(err, torn) {
		t.Errorf("what nobody takes any more: %v", err)
	}
}

// bdbOf writes a database of Berkeley DB's hash: pages of 512 bytes, the first of them its head.
func bdbOf(pages ...[]byte) []byte {
	out := make([]byte, 512)
	copy(out[12:], le32(bdbHashMagic))
	copy(out[bdbMetaPageSize:], le32(512))
	copy(out[bdbLastPage:], le32(uint32(len(pages))))
	for _, p := range pages {
		out = append(out, p...)
	}
	return out
}

// bdbTable is a page of entries; overflowing one of a long value, and what the next page is.
func bdbTable(kind byte, entries ...[]byte) []byte {
	page := make([]byte, 512)
	page[bdbTypeAt] = kind
	binary.LittleEndian.PutUint16(page[20:], uint16(len(entries)))
	end := len(page)
	for i, e := range entries {
		end -= len(e)
		copy(page[end:], e)
		binary.LittleEndian.PutUint16(page[bdbPageHeader+2*i:], uint16(end))
	}
	return page
}

func bdbOverflowing(text string, next uint32) []byte {
	page := make([]byte, 512)
	page[bdbTypeAt] = bdbOverflow
	binary.LittleEndian.PutUint16(page[22:], uint16(len(text)))
	copy(page[16:], le32(next))
	copy(page[bdbPageHeader:], text)
	return page
}

func bdbOff(page, length uint32) []byte {
	return slices.Concat([]byte{bdbOffPage, 0, 0, 0}, le32(page), le32(length))
}

func TestADatabaseOfBerkeleyDBIsHeldToItsBounds(t *testing.T) {
	key := []byte{bdbInline, 1, 0, 0, 0}
	inline := append([]byte{bdbInline}, "a header"...)
	full := strings.Repeat("x", 512-bdbPageHeader)
	table := bdbTable(bdbHash, key, inline, key, bdbOff(2, 10))
	whole := bdbOf(table, bdbOverflowing("long ", 3), bdbOverflowing("value", 0))
	crowded := bdbTable(bdbHash)
	binary.LittleEndian.PutUint16(crowded[20:], (512-bdbPageHeader)/2+1)
	for _, c := range []struct {
		name, want string
		values     []string
		data       []byte
	}{
		{"as it is", "", []string{"a header", "long value"}, whole},
		{"a table that is sorted by nothing", "", []string{"a header"}, bdbOf(bdbTable(bdbUnsorted, key, inline))},
		{"pages of another kind", "", nil, bdbOf(bdbTable(5, key, inline))},
		{"the number of the last package", "", nil, bdbOf(bdbTable(bdbHash, key, []byte{bdbInline, 1, 0, 0, 0}))},
		{"eight bytes are none either, nine are", "", []string{"12345678"}, bdbOf(bdbTable(bdbHash, key, append([]byte{bdbInline}, "1234567"...),
			key,
			append([]byte{bdbInline}, "12345678"...)))},
		{"a value that is of neither kind", "", nil, bdbOf(bdbTable(bdbHash, key, append([]byte{2}, "a header"...)))},
		{"a reference that is cut", "", nil, bdbOf(bdbTable(bdbHash, key, bdbOff(2, 10)[:11]))},
		{"pages of 256 bytes", "want pages of 512 bytes to 64 KiB, have 256", nil, patched(whole, bdbMetaPageSize, le32(256)...)},
		{"pages of 64 KiB, which are not there", "want 4 pages of 65536 bytes", nil, patched(whole, bdbMetaPageSize, le32(64<<10)...)},
		{"pages of 128 KiB", "want pages of 512 bytes to 64 KiB, have 131072", nil, patched(whole, bdbMetaPageSize, le32(128<<10)...)},
		{"pages of 513 bytes", "want pages of 512 bytes to 64 KiB, have 513", nil, patched(whole, bdbMetaPageSize, le32(513)...)},
		{"encrypted", "have one that is encrypted", nil, patched(whole, 24, 1)},
		{"a page less than it says", "want 4 pages of 512 bytes, have 1536 bytes", nil, whole[:3*512]},
		{"a page more", "", []string{"a header", "long value"}, append(slices.Clone(whole), make([]byte, 512)...)},
		{"half a page more", "", []string{"a header", "long value"}, append(slices.Clone(whole), make([]byte, 256)...)},
		{"a head that is cut", "want 512 bytes at 0", nil, whole[:511]},
		{"as many entries as have room, none of them anywhere", "page 1: entry 0: want it before 512, have it at 0", nil, func() []byte {
			out := slices.Clone(crowded)
			binary.LittleEndian.PutUint16(out[20:], (512-bdbPageHeader)/2)
			return bdbOf(out)
		}()},
		{"one more", "page 1: want entries of at most 512 bytes, have 244", nil, bdbOf(crowded)},
		{"an entry in the head of its page", "entry 0: want it before 512, have it at 25", nil, bdbOf(patched(table, bdbPageHeader, 25, 0))},
		{"an entry where the one before begins", "entry 1: want it before 507, have it at 507", nil, bdbOf(patched(table, bdbPageHeader+2, 251,
			1))},
		{"a value of two full pages", "", []string{full + full}, bdbOf(bdbTable(bdbHash, key, bdbOff(2, 2*uint32(len(full)))),
			bdbOverflowing(full, 3), bdbOverflowing(full, 0))},
		{"a page that says it has more than it is", "page 2: want a page of a long value, have type 7 and 487 bytes", nil,
			bdbOf(bdbTable(bdbHash, key, bdbOff(2, 500)), patched(bdbOverflowing(full, 0), 22, 0xe7, 1))},
		{"a page of nothing", "page 2: want a page of a long value, have type 7 and 0 bytes", nil, bdbOf(bdbTable(bdbHash, key, bdbOff(2, 5)),
			bdbOverflowing("", 2))},
		{"a page that is no part of a long value", "page 1: want a page of a long value, have type 13", nil,
			bdbOf(bdbTable(bdbHash, key, bdbOff(1, 5)))},
		{"a value that ends too early", "want a header of 11 bytes, have 10", nil, bdbOf(bdbTable(bdbHash, key, bdbOff(2, 11)),
			bdbOverflowing("long ", 3), bdbOverflowing("value", 0))},
		{"a value that is longer than it says", "want a header of 4 bytes, have 5", nil, bdbOf(bdbTable(bdbHash, key, bdbOff(2, 4)),
			bdbOverflowing("long ", 0))},
		{"pages behind the end of a value", "", []string{"long "}, bdbOf(bdbTable(bdbHash, key, bdbOff(2, 5)), bdbOverflowing("long ", 9))},
		{"a page of another kind in a value", "page 2: want a page of a long value, have type 5 and 5 bytes", nil,
			bdbOf(bdbTable(bdbHash, key, bdbOff(2, 5)), patched(bdbOverflowing("long ", 0), bdbTypeAt, 5))},
		{"a page that is not there", "want 512 bytes at", nil, bdbOf(bdbTable(bdbHash, key, bdbOff(9, 5)))},
		{"the longest value, which is not there", "want a header of 33554432 bytes, have 5", nil, bdbOf(bdbTable(bdbHash, key,
			bdbOff(2, mostHeader)), bdbOverflowing("long ", 0))},
		{"a longer one", "want a header of at most 32 MiB", nil, bdbOf(bdbTable(bdbHash, key, bdbOff(2, mostHeader+1)), bdbOverflowing("long ",
			0))},
	} {
		var got []string
		err := readBDB(metering(c.data, 1<<40), binary.LittleEndian, func(v []byte) error { got = append(got, string(v)); return nil })
		if c.want == "" && (err != nil || !slices.Equal(got, c.values)) || c.want != "" && (err == nil || !strings.Contains(err.Error(),
			c.want)) {
			t.Errorf("%s: %q, %v, want %q %s", c.name, got, err, c.values, c.want)
		}
	}
	longKey := append([]byte{bdbInline}, "a key as long as a value"...)
	var got []string
	err := readBDB(metering(bdbOf(bdbTable(bdbHash, longKey, longKey, longKey, longKey)), 1<<40), binary.LittleEndian, func(v []byte) error {
		got = append(got, string(v))
		return nil
	})
	if err != nil || len(got) != 2 || got[0] != "a key as long as a value" {
		t.Errorf("every second entry is a value: %q, %v", got, err)
	}
	torn := errors.New("no more")
	if err := readBDB(metering(whole, 1<<40), binary.LittleEndian, func([]byte) error { return torn }); !errors.Is(err, torn) {
		t.Errorf("what nobody takes any more: %v", err)
	}
	if bdbOrder(whole[:32]) != binary.LittleEndian || bdbOrder(patched(whole, 12, be32(bdbHashMagic)...)) != binary.BigEndian ||
		bdbOrder(make([]byte, 32)) != nil {
		t.Error("the order of bytes is not told")
	}
}

// varintOf writes a number as SQLite does.
func varintOf(n uint64) []byte {
	if n >= 1<<56 {
		out := []byte{byte(n)}
		for n >>= 8; len(out) < 9; n >>= 7 {
			out = append([]byte{byte(n) | 0x80}, out...)
		}
		return out
	}
	out := []byte{byte(n & 0x7f)}
	for n >>= 7; n > 0; n >>= 7 {
		out = append([]byte{byte(n) | 0x80}, out...)
	}
	return out
}

func TestNumbersOfSQLiteHaveOneToNineBytes(t *testing.T) {
	for _, n := range []uint64{0, 1, 127, 128, 1<<14 - 1, 1 << 14, 1 << 42, 1<<56 - 1, 1 << 56, 1<<64 - 1} {
		text := varintOf(n)
		if got, size := varint(append(text, 0xff)); got != n || size != len(text) {
			t.Errorf("%d is read as %d, in %d bytes of %d", n, got, size, len(text))
		}
		if _, size := varint(text[:len(text)-1]); size != 0 {
			t.Errorf("%d without its last byte has %d", n, size)
		}
	}
}

// sqliteRow is a row: the types of columns, and their bytes.
func sqliteRow(kinds []uint64, data string) []byte {
	var types []byte
	for _, k := range kinds {
		types = append(types, varintOf(k)...)
	}
	return slices.Concat(varintOf(uint64(len(types)+1)), types, []byte(data))
}

func TestARowIsTakenApart(t *testing.T) {
	row, err := recordOf(sqliteRow([]uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 19},
		"\x01"+"\x01\x02"+"\x01\x02\x03"+"\x00\x00\x00\x04"+"\x00\x00\x00\x00\x00\x05"+"\x00\x00\x00\x00\x00\x00\x00\x06"+
			"\x00\x00\x00\x00\x00\x00\x00\x00"+"ab"+"tx\x00"))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int64{0, 1, 0x102, 0x10203, 4, 5, 6, 0, 0, 1, 0, 0, 0, 0, 0} { // and one that is not there
		if got := row.number(i); got != want {
			t.Errorf("column %d is %d, want %d", i, got, want)
		}
	}
	if string(row.bytes(12)) != "ab" || row.text(13) != "tx" || len(row.bytes(10)) != 0 || row.bytes(6) != nil || row.bytes(14) != nil {
		t.Errorf("%q %q", row.bytes(12), row.text(13))
	}
	for name, c := range map[string]struct {
		row  []byte
		want string
	}{
		"nothing":                      {nil, "want a row's head of at most 0 bytes"},
		"a head of no bytes":           {[]byte{0}, "want a row's head of at most 1 bytes, have 0"},
		"a head beyond the row":        {[]byte{3, 1}, "want a row's head of at most 2 bytes, have 3"},
		"a type that is cut":           {[]byte{2, 0x81}, "want the type of a column"},
		"a column that is cut":         {sqliteRow([]uint64{2}, "\x01"), "want a column of 2 bytes, have 1"},
		"a column of endless bytes":    {sqliteRow([]uint64{1<<64 - 1}, "x"), "want a column of"},
		"a column that fills the rest": {sqliteRow([]uint64{14}, "x"), ""},
		"a head that is all":           {[]byte{1}, ""},
	} {
		if _, err := recordOf(c.row); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// sqliteTable is a page of a table: cells from its end on. The first page of a database has its head in it.
func sqliteTable(size int, kind byte, right uint32, first bool, cells ...[]byte) []byte {
	page := make([]byte, size)
	b, head := page, 8
	if first {
		copy(page, sqliteMagic)
		copy(page[16:], be16(size))
		b = page[sqliteHead:]
	}
	b[0] = kind
	copy(b[3:], be16(len(cells)))
	if kind == sqliteInterior {
		head = 12
		copy(b[8:], be32(right))
	}
	end := size
	for i, c := range cells {
		end -= len(c)
		copy(page[end:], c)
		copy(b[head+2*i:], be16(end))
	}
	return page
}

// sqliteCell is a row of a leaf, whole in its page.
func sqliteCell(row []byte) []byte { return slices.Concat(varintOf(uint64(len(row))), []byte{1}, row) }

// sqliteNames is the row that tells of a table.
func sqliteNames(kind, name string, root byte) []byte {
	return sqliteRow([]uint64{uint64(13 + 2*len(kind)), uint64(13 + 2*len(name)), 0, 1}, kind+name+string([]byte{root}))
}

func blobRow(text string) []byte { return sqliteRow([]uint64{0, uint64(12 + 2*len(text))}, text) }

func TestADatabaseOfSQLiteIsHeldToItsBounds(t *testing.T) {
	const size = 512
	schema := sqliteTable(size, sqliteLeaf, 0, true, sqliteCell(sqliteNames("table", sqlitePackages, 2)),
		sqliteCell(sqliteNames("table", "Other", 9)), sqliteCell(sqliteNames("index", sqlitePackages, 9)))
	leaf := func(texts ...string) []byte {
		var cells [][]byte
		for _, text := range texts {
			cells = append(cells, sqliteCell(blobRow(text)))
		}
		return sqliteTable(size, sqliteLeaf, 0, false, cells...)
	}
	database := func(pages ...[]byte) []byte { return slices.Concat(append([][]byte{schema}, pages...)...) }
	// What a page keeps of a row that is too long for it, as SQLite's documents compute it. Some bytes of each page may be others'.
	spilling := func(length, others int) []byte {
		row, usable := blobRow(strings.Repeat("x", length)), size-others
		least, most := (usable-12)*32/255-23, usable-35
		here := len(row)
		if here > most {
			if here = least + (len(row)-least)%(usable-4); here > most {
				here = least
			}
		}
		cell := slices.Concat(varintOf(uint64(len(row))), []byte{1}, row[:here])
		if here < len(row) {
			cell = append(cell, be32(3)...)
		}
		pages := [][]byte{patched(schema, 20, byte(others)), sqliteTable(size, sqliteLeaf, 0, false, cell)}
		rest := row[here:]
		for next := uint32(4); len(rest) > 0; next++ {
			n := min(len(rest), usable-4)
			pages = append(pages, append(append(be32(next), rest[:n]...), make([]byte, size-4-n)...))
			rest = rest[n:]
		}
		return slices.Concat(pages...)
	}
	inner := func(left, right uint32) []byte {
		return sqliteTable(size, sqliteInterior, right, false, append(be32(left), 1))
	}
	var deep, chain [][]byte
	for i := range sqliteDeepest {
		chain = append(chain, sqliteTable(size, sqliteInterior, uint32(i+3), false))
	}
	for i := range sqliteDeepest + 2 {
		deep = append(deep, inner(uint32(i+3), uint32(i+3)))
	}
	for _, c := range []struct {
		name, want string
		values     []string
		data       []byte
	}{
		{"rows", "", []string{"one", "two"}, database(leaf("one", "two"))},
		{"a tree", "", []string{"one", "two", "three"}, database(inner(3, 4), leaf("one"), leaf("two", "three"))},
		{"no table", "want a table Packages, have none", nil, sqliteTable(size, sqliteLeaf, 0, true, sqliteCell(sqliteNames("table", "Other",
			2)))},
		{"pages of 256 bytes", "want pages of 512 bytes to 64 KiB, have 256", nil, patched(database(leaf("one")), 16, be16(256)...)},
		{"pages of 768 bytes", "want pages of 512 bytes to 64 KiB, have 768", nil, patched(database(leaf("one")), 16, be16(768)...)},
		{"as little of a page as may be used", "", []string{"one"}, patched(database(leaf("one")), 20, 32)},
		{"less", "want pages of 512 bytes to 64 KiB", nil, patched(database(leaf("one")), 20, 33)},
		{"a page of something else", "page 2: want a page of a table, have type 2", nil, database(patched(leaf("one"), 0, 2))},
		{"a page that is not there", "page 2: want 512 bytes at 512", nil, schema},
		{"page 0", "list its tables: ", nil, patched(schema, sqliteHead, 9)},
		{"as many cells as have room, of nothing", "", []string{"one"}, database(leaf("one"))},
		{"more cells", "page 2: want at most 252 cells, have 253", nil, database(patched(leaf("one"), 3, be16(253)...))},
		{"a cell at the end of a page", "page 2: want a cell within 512 bytes, have it at 509", nil, database(patched(leaf("one"), 8,
			be16(509)...))},
		{"a cell of the last four bytes", "", []string{""}, database(patched(patched(leaf("one"), 8, be16(508)...), 508, 2, 1, 2, 0))},
		{"a row that is longer than its page", "bytes of a row in its page", nil, database(patched(leaf("one"), 8, be16(508)...))},
		{"a row whose end is not there", "page 3: want 512 bytes at 1024", nil, spilling(600, 0)[:2*size]},
		{"a row that does not say where its end is", "bytes of a row in its page", nil, database(sqliteTable(size, sqliteLeaf, 0, false,
			slices.Concat(varintOf(604), []byte{1}, blobRow(strings.Repeat("x", 600))[:39+(604-39)%508])))},
		{"a length without an end", "want a row of at most 32 MiB", nil, database(patched(patched(leaf("one"), 8, be16(508)...), 508,
			0x81, 0x81, 0x81, 0x81))},
		{"a number without an end", "want a row of at most 32 MiB", nil, database(patched(patched(leaf("one"), 8, be16(508)...), 508,
			2, 0x81, 0x81, 0x81))},
		{"a chain of pages in itself", "want a tree of at most 20 levels", nil, database(sqliteTable(size, sqliteInterior, 2, false))},
		{"a chain as deep as may be", "", []string{"one"}, database(append(slices.Clone(chain), leaf("one"))...)},
		{"a row of the largest size", "bytes of a row in its page", nil, database(sqliteTable(size, sqliteLeaf, 0, false,
			slices.Concat(varintOf(mostHeader), []byte{1, 0})))},
		{"a larger one", "want a row of at most 32 MiB", nil, database(sqliteTable(size, sqliteLeaf, 0, false,
			slices.Concat(varintOf(mostHeader+1), []byte{1, 0})))},
		{"a tree in itself", "want a tree of at most 20 levels", nil, database(inner(2, 2))},
		{"a tree that is too deep", "want a tree of at most 20 levels", nil, database(deep...)},
		{"a row that is none", "want a row's head", nil, database(sqliteTable(size, sqliteLeaf, 0, false, []byte{2, 1, 9, 9}))},
		{"a table's row that is none", "list its tables: want a row's head", nil, sqliteTable(size, sqliteLeaf, 0, true, []byte{2, 1, 9, 9})},
	} {
		var got []string
		err := readSQLite(metering(c.data, 1<<20), func(v []byte) error { got = append(got, string(v)); return nil })
		if c.want == "" && (err != nil || !slices.Equal(got, c.values)) || c.want != "" && (err == nil || !strings.Contains(err.Error(),
			c.want)) {
			t.Errorf("%s: %.80q, %v, want %.80q %s", c.name, got, err, c.values, c.want)
		}
	}
	for _, others := range []int{0, 21, 32} {
		for length := 430; length < 1600; length++ {
			found := 0
			err := readSQLite(metering(spilling(length, others), 1<<20), func(v []byte) error {
				found = strings.Count(string(v), "x")
				return nil
			})
			if err != nil || found != length {
				t.Fatalf("a row of %d bytes, %d of each page others': %d, %v", length, others, found, err)
			}
		}
	}
	torn := errors.New("no more")
	if err := readSQLite(metering(database(leaf("one")), 1<<20), func([]byte) error { return torn }); !errors.Is(err, torn) {
		t.Errorf("what nobody takes any more: %v", err)
	}
	large := sqliteTable(64<<10, sqliteLeaf, 0, true, sqliteCell(sqliteNames("table", sqlitePackages, 2)))
	large = append(patched(large, 16, 0, 1), sqliteTable(64<<10, sqliteLeaf, 0, false,
		sqliteCell(blobRow("one")))...) // 64 KiB is written as 1
	if found := 0; readSQLite(metering(large, 1<<20), func(v []byte) error { found += len(v); return nil }) != nil || found != 3 {
		t.Errorf("pages of 64 KiB: %d bytes", found)
	}
}

func TestAPackageWithoutFilesHasNoFolders(t *testing.T) {
	for name, want := range map[string][]byte{"": headerFor(aPackage...), "/b/": headerFor(append(slices.Clone(aPackage), tagDirNames,
		[]string{"/b/"})...)} {
		if p, err := parse(want); err != nil || strings.Join(p.Folders, " ") != name {
			t.Errorf("%v, %v, want %q", p.Folders, err, name)
		}
	}
}

// TestPackagesAreCounted, also those that cannot be read.
func TestPackagesAreCounted(t *testing.T) {
	const slots = ndbPage/ndbSlot - ndbHead/ndbSlot
	of := func(packages int) []byte {
		pages := (packages*ndbSlot + ndbHead + ndbPage - 1) / ndbPage
		out := make([]byte, pages*ndbPage)
		copy(out, ndbMagic)
		copy(out[ndbSlotsPages:], le32(uint32(pages)))
		for at := ndbHead; at < len(out); at += ndbSlot {
			copy(out[at:], ndbSlotMagic)
			if packages--; packages >= 0 { // all of one header
				copy(out[at+4:], slices.Concat(le32(1), le32(uint32(len(out)/ndbBlock)), le32(2)))
			}
		}
		return append(out, slices.Concat([]byte(ndbBlobMagic), le32(1), le32(0), le32(8), make([]byte, 16))...)
	}
	for packages, want := range map[int]string{slots: "", mostPackages: "", mostPackages + 1: "want at most 100000 packages"} {
		data := of(packages)
		_, faults, err := Read(bytes.NewReader(data), int64(len(data)))
		if len(faults) != min(packages, mostPackages) || (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("of %d packages %d are told, %v, want %q", packages, len(faults), err, want)
		}
	}
}
