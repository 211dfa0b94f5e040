package vuln

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
)

// written is a table of some pairs in key order.
func written(t *testing.T, pairs ...pair) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := newTableWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pairs {
		if err := w.add(p.key, p.value); err != nil {
			t.Fatal(err)
		}
	}
	size, err := w.finish()
	if err != nil || size != int64(out.Len()) {
		t.Fatalf("%d bytes of %d, %v", size, out.Len(), err)
	}
	return out.Bytes()
}

func TestATableGivesBackWhatWasPut(t *testing.T) {
	var pairs []pair
	for i := range 60 { // some keys' values go on over several blocks
		for n := range 1 + i%7 {
			pairs = append(pairs, pair{fmt.Sprintf("k%03d", 2*i), bytes.Repeat([]byte{byte(n)}, 3000)})
		}
	}
	data := written(t, pairs...)
	table, err := readTable(bytes.NewReader(data), int64(len(data)), "x")
	if err != nil || len(table.blocks) < 20 {
		t.Fatalf("%d blocks, %v", len(table.blocks), err)
	}
	for range 2 { // from the file, then from the cache
		for i := range 121 {
			want := 0
			if i%2 == 0 && i < 120 {
				want = 1 + i/2%7
			}
			got, err := table.get(fmt.Sprintf("k%03d", i))
			if err != nil || len(got) != want {
				t.Fatalf("k%03d: %d values, want %d, %v", i, len(got), want, err)
			}
			for n, v := range got {
				if len(v) != 3000 || v[0] != byte(n) {
					t.Fatalf("k%03d: value %d is %d bytes of %d", i, n, len(v), v[0])
				}
			}
		}
	}
	for _, key := range []string{"", "a", "z"} {
		if got, err := table.get(key); err != nil || len(got) != 0 {
			t.Errorf("%q: %d values, %v", key, len(got), err)
		}
	}
	empty := written(t)
	if table, err := readTable(bytes.NewReader(empty), int64(len(empty)), "x"); err != nil {
		t.Error(err)
	} else if got, err := table.get("k"); err != nil || got != nil {
		t.Errorf("of an empty table: %v, %v", got, err)
	}
}

func TestADamagedTableSaysSo(t *testing.T) {
	whole := written(t, pair{"a", []byte("1")}, pair{"b", bytes.Repeat([]byte("2"), blockSize)}, pair{"c", []byte("3")})
	index := int(binary.LittleEndian.Uint64(whole[len(whole)-footerSize:]))
	// with writes a table whose index is another, with the hash that belongs to it.
	with := func(other []byte) []byte {
		out := append(bytes.Clone(whole[:index]), other...)
		for _, n := range []uint64{uint64(index), uint64(len(other)), xxhash.Sum64(other)} {
			out = binary.LittleEndian.AppendUint64(out, n)
		}
		return append(out, tableMagic...)
	}
	entry := func(offset, size uint64) []byte {
		out := appendPair(nil, "a", nil)
		for _, n := range []uint64{offset, size, 0} {
			out = binary.LittleEndian.AppendUint64(out, n)
		}
		return out
	}
	flipped := func(at int) []byte {
		out := bytes.Clone(whole)
		out[at] ^= 0x40
		return out
	}
	for _, c := range []struct {
		name string
		data []byte
		ok   bool
	}{
		{"whole", whole, true}, {"nothing", nil, false}, {"only the beginning", whole[:len(tableMagic)+footerSize-1], false},
		{"cut off", whole[:len(whole)-1], false}, {"another footer", flipped(len(whole) - 1), false},
		{"another place of the index", flipped(len(whole) - footerSize), false},
		{"another length of the index", flipped(len(whole) - footerSize + 8), false},
		{"another index", flipped(index), false}, {"an index of nothing", with(nil), true},
		{"a block that is all there is", with(entry(0, uint64(index))), true},
		{"a block that goes on too far", with(entry(1, uint64(index))), false},
		{"a block beyond the end", with(entry(uint64(index)+1, 0)), false},
		{"a block that ends beyond every number", with(entry(8, 1<<63)), false},
		{"an index that ends in a block", with(entry(0, 8)[:20]), false}, {"an index that ends in a key", with([]byte{9, 'a'}), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			table, err := readTable(bytes.NewReader(c.data), int64(len(c.data)), "x")
			if (err == nil) != c.ok || err != nil && !strings.Contains(err.Error(), "the file is damaged") {
				t.Errorf("%+v, %v", table, err)
			}
		})
	}
	table, err := readTable(bytes.NewReader(flipped(len(tableMagic)+3)), int64(len(whole)), "name")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := table.get("a"); err == nil || err.Error() != "name, block 0: the file is damaged" {
		t.Errorf("a block that is another: %v", err)
	}
}

func TestALengthThatIsNoneIsDamage(t *testing.T) {
	for _, c := range []struct {
		data        string
		taken, rest string
		ok          bool
	}{
		{"\x02abc", "ab", "c", true}, {"\x03abc", "abc", "", true}, {"\x00", "", "", true}, {"\x04abc", "", "", false}, {"", "", "", false},
		{"\xff", "", "", false}, {strings.Repeat("\xff", 11), "", "", false},
	} {
		taken, rest, err := takeBytes([]byte(c.data))
		if (err == nil) != c.ok || string(taken) != c.taken || string(rest) != c.rest {
			t.Errorf("%q: %q %q %v", c.data, taken, rest, err)
		}
	}
}
