package vuln

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/cespare/xxhash/v2"
	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/klauspost/compress/zstd"
)

// A table is an immutable file of sorted keys, each with any number of values:
//
//	magic, blocks, index, footer
//
// A block is zstd over key and value pairs, each preceded by its length. The
// index names each block's first key, place and hash, and is all that opening
// reads; blocks are read, checked and unpacked when a key needs them.
const (
	tableMagic   = "BWADV001"
	blockSize    = 16 << 10
	maxBlock     = 64 << 20
	footerSize   = 8 + 8 + 8 + len(tableMagic)
	cachedBlocks = 256
)

// block is where one block lies and how it begins.
type block struct {
	first        string
	offset, size uint64
	hash         uint64
}

// tableWriter writes pairs that arrive in key order.
type tableWriter struct {
	w      io.Writer
	packer *zstd.Encoder
	offset uint64
	buffer []byte
	first  string
	blocks []block
}

func newTableWriter(w io.Writer) (*tableWriter, error) {
	packer, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	t := &tableWriter{w: w, packer: packer}
	return t, t.write([]byte(tableMagic))
}

func (t *tableWriter) write(data []byte) error {
	n, err := t.w.Write(data)
	t.offset += uint64(n)
	return err
}

func (t *tableWriter) add(key string, value []byte) error {
	if len(t.buffer) == 0 {
		t.first = key
	}
	t.buffer = appendPair(t.buffer, key, value)
	if len(t.buffer) < blockSize {
		return nil
	}
	return t.flush()
}

func (t *tableWriter) flush() error {
	if len(t.buffer) == 0 {
		return nil
	}
	packed := t.packer.EncodeAll(t.buffer, nil)
	t.blocks = append(t.blocks, block{t.first, t.offset, uint64(len(packed)), xxhash.Sum64(packed)})
	t.buffer = t.buffer[:0]
	return t.write(packed)
}

// finish writes the index and returns the file's size.
func (t *tableWriter) finish() (int64, error) {
	if err := t.flush(); err != nil {
		return 0, err
	}
	var index []byte
	for _, b := range t.blocks {
		index = appendPair(index, b.first, nil)
		for _, n := range []uint64{b.offset, b.size, b.hash} {
			index = binary.LittleEndian.AppendUint64(index, n)
		}
	}
	var footer []byte
	for _, n := range []uint64{t.offset, uint64(len(index)), xxhash.Sum64(index)} {
		footer = binary.LittleEndian.AppendUint64(footer, n)
	}
	footer = append(footer, tableMagic...)
	if err := t.write(index); err != nil {
		return 0, err
	}
	err := t.write(footer)
	return int64(t.offset), errors.Join(err, t.packer.Close())
}

func appendPair(out []byte, key string, value []byte) []byte {
	out = binary.AppendUvarint(out, uint64(len(key)))
	out = append(out, key...)
	out = binary.AppendUvarint(out, uint64(len(value)))
	return append(out, value...)
}

var errTorn = errors.New("the file is damaged")

// takePair splits the first pair off data.
func takePair(data []byte) (key, value, rest []byte, err error) {
	if key, data, err = takeBytes(data); err != nil {
		return nil, nil, nil, err
	}
	value, rest, err = takeBytes(data)
	return key, value, rest, err
}

func takeBytes(data []byte) (taken, rest []byte, err error) {
	n, width := binary.Uvarint(data)
	if width <= 0 || n > uint64(len(data)-width) {
		return nil, nil, errTorn
	}
	data = data[width:]
	return data[:n], data[n:], nil
}

// table reads a table file.
type table struct {
	file   io.ReaderAt
	closer io.Closer
	name   string
	blocks []block
	cache  struct {
		mu       sync.Mutex
		unpacker *zstd.Decoder
		held     *simplelru.LRU[int, []byte]
	}
}

func openTable(name string) (*table, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	t, err := readTable(f, info.Size(), name)
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("open advisory table %s: %w", name, err)
	}
	t.closer = f
	return t, nil
}

func readTable(f io.ReaderAt, size int64, name string) (*table, error) {
	if size < int64(len(tableMagic)+footerSize) {
		return nil, errTorn
	}
	footer := make([]byte, footerSize)
	if _, err := f.ReadAt(footer, size-int64(footerSize)); err != nil {
		return nil, err
	}
	if string(footer[24:]) != tableMagic {
		return nil, fmt.Errorf("%w: want a table of format %s", errTorn, tableMagic)
	}
	offset, length := binary.LittleEndian.Uint64(footer), binary.LittleEndian.Uint64(footer[8:])
	if body := uint64(size) - uint64(footerSize); offset > body || length != body-offset {
		return nil, errTorn
	}
	index := make([]byte, length)
	if _, err := f.ReadAt(index, int64(offset)); err != nil {
		return nil, err
	}
	if xxhash.Sum64(index) != binary.LittleEndian.Uint64(footer[16:]) {
		return nil, errTorn
	}
	t := &table{file: f, name: name}
	unpacker, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBlock))
	if err != nil {
		return nil, err
	}
	t.cache.unpacker = unpacker
	if t.cache.held, err = simplelru.NewLRU[int, []byte](cachedBlocks, nil); err != nil {
		return nil, err
	}
	t.blocks, err = readIndex(index, offset)
	return t, err
}

func readIndex(index []byte, end uint64) ([]block, error) {
	var out []block
	for len(index) > 0 {
		key, _, rest, err := takePair(index)
		if err != nil || len(rest) < 24 {
			return nil, errTorn
		}
		b := block{string(key), binary.LittleEndian.Uint64(rest), binary.LittleEndian.Uint64(rest[8:]), binary.LittleEndian.Uint64(rest[16:])}
		if b.offset > end || b.size > end-b.offset || b.size > maxBlock {
			return nil, errTorn
		}
		out = append(out, b)
		index = rest[24:]
	}
	return out, nil
}

// get returns the values of a key in the order they were written.
func (t *table) get(key string) ([][]byte, error) {
	at := sort.Search(len(t.blocks), func(i int) bool { return t.blocks[i].first >= key })
	var out [][]byte
	for i := max(at-1, 0); i < len(t.blocks) && t.blocks[i].first <= key; i++ {
		data, err := t.block(i)
		if err != nil {
			return nil, err
		}
		for len(data) > 0 {
			k, v, rest, err := takePair(data)
			if err != nil {
				return nil, fmt.Errorf("%s, block %d: %w", t.name, i, err)
			}
			if order := strings.Compare(string(k), key); order == 0 {
				out = append(out, v)
			} else if order > 0 {
				break
			}
			data = rest
		}
	}
	return out, nil
}

// block unpacks one block, or takes it from the cache.
func (t *table) block(i int) ([]byte, error) {
	t.cache.mu.Lock()
	defer t.cache.mu.Unlock()
	if data, ok := t.cache.held.Get(i); ok {
		return data, nil
	}
	b := t.blocks[i]
	packed := make([]byte, b.size)
	if _, err := t.file.ReadAt(packed, int64(b.offset)); err != nil {
		return nil, fmt.Errorf("%s, block %d: %w", t.name, i, err)
	}
	if xxhash.Sum64(packed) != b.hash {
		return nil, fmt.Errorf("%s, block %d: %w", t.name, i, errTorn)
	}
	data, err := t.cache.unpacker.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("%s, block %d: %w", t.name, i, err)
	}
	t.cache.held.Add(i, data)
	return data, nil
}

func (t *table) Close() error {
	t.cache.unpacker.Close()
	return t.closer.Close()
}

// pair is a key and a value on their way into a table.
type pair struct {
	key   string
	value []byte
}

func sortPairs(pairs []pair) {
	slices.SortStableFunc(pairs, func(a, b pair) int {
		return cmp.Or(strings.Compare(a.key, b.key), bytes.Compare(a.value, b.value))
	})
}
