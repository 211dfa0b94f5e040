package rpm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Tags of a header, by rpm's numbers.
const (
	tagName, tagVersion, tagRelease, tagEpoch = 1000, 1001, 1002, 1003
	tagArch, tagSource, tagModule             = 1022, 1044, 5096
	tagOldFiles                               = 1027
	tagDirIndexes, tagBaseNames, tagDirNames  = 1116, 1117, 1118
)

// Types of values.
const (
	typeInt32, typeString, typeStrings, typeI18N = 4, 6, 8, 9
	indexEntry                                   = 16
	mostTags                                     = 64 << 10
	mostFiles                                    = 1 << 20
	longestText                                  = 1024
)

// header is a package's header as databases hold it: a count of tags, the bytes of values, a
// table of tags, the values.
type header struct {
	tags   map[uint32]value
	values []byte
}

type value struct{ kind, offset, count uint32 }

func headerOf(blob []byte) (header, error) {
	if len(blob) < 8 {
		return header{}, errors.New("want a header, have less than its first 8 bytes")
	}
	tags, bytes := int64(binary.BigEndian.Uint32(blob)), int64(binary.BigEndian.Uint32(blob[4:]))
	if tags > mostTags || 8+tags*indexEntry+bytes > int64(len(blob)) {
		return header{}, fmt.Errorf("want a header of %d tags and %d bytes of values, have %d bytes", tags, bytes, len(blob))
	}
	h := header{tags: make(map[uint32]value, tags), values: blob[8+tags*indexEntry:][:bytes]}
	for i := range tags {
		entry := blob[8+i*indexEntry:]
		tag := binary.BigEndian.Uint32(entry)
		if _, twice := h.tags[tag]; !twice {
			h.tags[tag] = value{binary.BigEndian.Uint32(entry[4:]), binary.BigEndian.Uint32(entry[8:]), binary.BigEndian.Uint32(entry[12:])}
		}
	}
	return h, nil
}

// text is a value of one text, empty if there is none.
func (h header) text(tag uint32) (string, error) {
	v, there := h.tags[tag]
	if !there {
		return "", nil
	}
	if v.kind != typeString && v.kind != typeI18N && v.kind != typeStrings {
		return "", fmt.Errorf("tag %d: want text, have type %d", tag, v.kind)
	}
	all, err := h.texts(tag, 1)
	if err != nil || len(all) == 0 {
		return "", err
	}
	if len(all[0]) > longestText {
		return "", fmt.Errorf("tag %d: want text of at most %d bytes, have %d", tag, longestText, len(all[0]))
	}
	return all[0], nil
}

// texts is a value of several texts, each ended by a zero.
func (h header) texts(tag uint32, most int) ([]string, error) {
	v, there := h.tags[tag]
	if !there {
		return nil, nil
	}
	if int64(v.offset) > int64(len(h.values)) {
		return nil, fmt.Errorf("tag %d: want a value within %d bytes, have it at %d", tag, len(h.values), v.offset)
	}
	rest, n := h.values[v.offset:], min(int(v.count), most)
	if n > len(rest) {
		return nil, fmt.Errorf("tag %d: want %d texts in %d bytes", tag, v.count, len(rest))
	}
	out := make([]string, 0, n)
	for range n {
		one, more, ended := bytes.Cut(rest, []byte{0})
		if !ended {
			return nil, fmt.Errorf("tag %d: want %d texts, have %d", tag, v.count, len(out))
		}
		out, rest = append(out, string(one)), more
	}
	return out, nil
}

func (h header) numbers(tag uint32, most int) ([]int, error) {
	v, there := h.tags[tag]
	if !there {
		return nil, nil
	}
	end := int64(v.offset) + 4*int64(v.count)
	if v.kind != typeInt32 || int(v.count) > most || end > int64(len(h.values)) {
		return nil, fmt.Errorf("tag %d: want at most %d numbers within %d bytes, have %d of type %d at %d", tag, most, len(h.values), v.count,
			v.kind, v.offset)
	}
	out := make([]int, v.count)
	for i := range out {
		out[i] = int(binary.BigEndian.Uint32(h.values[int(v.offset)+4*i:]))
	}
	return out, nil
}

// parse reads a package's header. Without a list of files it is still a package.
func parse(blob []byte) (p Package, err error) {
	h, err := headerOf(blob)
	if err != nil {
		return Package{}, err
	}
	for tag, into := range map[uint32]*string{tagName: &p.Name, tagVersion: &p.Version, tagRelease: &p.Release, tagArch: &p.Arch,
		tagSource: &p.Source, tagModule: &p.Module} {
		text, textErr := h.text(tag)
		*into, err = text, errors.Join(err, textErr)
	}
	epoch, epochErr := h.numbers(tagEpoch, 1)
	if len(epoch) > 0 {
		p.Epoch = epoch[0]
	}
	if err := errors.Join(err, epochErr, h.files(&p)); err != nil {
		return Package{}, fmt.Errorf("package %q: %w", p.Name, err)
	}
	if p.Name == "" || p.Version == "" || p.Release == "" && p.Name != "gpg-pubkey" {
		return Package{}, fmt.Errorf("package %q: want a name, a version and a release, have %q %q", p.Name, p.Version, p.Release)
	}
	return p, nil
}

func (h header) files(p *Package) error {
	names, err := h.texts(tagBaseNames, mostFiles)
	if err != nil {
		return err
	}
	if p.Folders, err = h.texts(tagDirNames, mostFiles); err != nil {
		return err
	}
	in, err := h.numbers(tagDirIndexes, mostFiles)
	if err != nil {
		return err
	}
	if len(in) != len(names) {
		return fmt.Errorf("want a folder for each of %d files, have %d", len(names), len(in))
	}
	for i, name := range names {
		if in[i] < 0 || in[i] >= len(p.Folders) {
			return fmt.Errorf("file %q: want one of %d folders, have the number %d", name, len(p.Folders), in[i])
		}
		p.Files = append(p.Files, File{in[i], name})
	}
	if len(names) > 0 {
		return nil
	}
	old, err := h.texts(tagOldFiles, mostFiles) // of rpm before its version 4
	for _, name := range old {
		p.Files = append(p.Files, File{0, name})
	}
	if len(old) > 0 {
		p.Folders = []string{"/"}
	}
	return err
}
