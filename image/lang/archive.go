package lang

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
)

// Bounds of an archive and of those in it.
const (
	deepestArchive = 4
	// mostDirectory is the longest table of an archive's members: 46 bytes and a name each.
	mostDirectory = 16 << 20
	mostNested    = 10_000
	// mostMember is the largest archive in an archive, mostUnpacked what all members of one file unpack to.
	mostMember, mostUnpacked = 128 << 20, 1 << 30
)

// archive is a zip file, and what is left of what may be unpacked of the file that it lies in.
type archive struct {
	*zip.Reader
	whole  io.ReaderAt
	budget *unpacking
	depth  int
}

type unpacking struct {
	left   int64
	nested int
}

func openArchive(f File) (*archive, error) {
	r, err := f.Hold()
	if err != nil {
		return nil, err
	}
	return archiveOf(r, f.Size, 1, &unpacking{left: mostUnpacked})
}

func archiveOf(r io.ReaderAt, size int64, depth int, budget *unpacking) (*archive, error) {
	directory := &directoryReader{r: r, left: mostDirectory}
	z, err := zip.NewReader(directory, size)
	if err != nil {
		return nil, fmt.Errorf("want a zip archive: %w", err)
	}
	directory.left = 1 << 62 // from now on members have bounds of their own
	return &archive{z, r, budget, depth}, nil
}

// directoryReader bounds what is read of an archive to know its members: each takes memory.
type directoryReader struct {
	r    io.ReaderAt
	left int64
}

func (d *directoryReader) ReadAt(p []byte, at int64) (int, error) {
	if d.left -= int64(len(p)); d.left < 0 {
		return 0, fmt.Errorf("want a table of members of at most %d MiB: %w", mostDirectory>>20, errBound)
	}
	return d.r.ReadAt(p, at)
}

// open unpacks the beginning of a member.
func (a *archive) open(member *zip.File, most int64) (io.Reader, error) {
	if most = min(most, a.budget.left); most <= 0 {
		return nil, fmt.Errorf("want an archive that unpacks to at most %d MiB: %w", mostUnpacked>>20, errBound)
	}
	r, err := member.Open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", member.Name, err)
	}
	return &unpacked{io.LimitReader(r, most), a.budget}, nil
}

// unpacked counts what was unpacked.
type unpacked struct {
	io.Reader
	budget *unpacking
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	u.budget.left -= int64(n)
	return n, err
}

// nested opens an archive that is a member. One that is stored as it is lies in the outer one.
func (a *archive) nested(member *zip.File) (*archive, error) {
	if a.depth >= deepestArchive {
		return nil, fmt.Errorf("want archives at most %d deep in each other: %w", deepestArchive, errBound)
	}
	if a.budget.nested++; a.budget.nested > mostNested {
		return nil, fmt.Errorf("want at most %d archives in an archive: %w", mostNested, errBound)
	}
	if member.Method == zip.Store {
		at, err := member.DataOffset()
		if err != nil {
			return nil, err
		}
		size := int64(member.CompressedSize64)
		return archiveOf(io.NewSectionReader(a.whole, at, size), size, a.depth+1, a.budget)
	}
	r, err := a.open(member, mostMember+1)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if len(text) > mostMember {
		return nil, fmt.Errorf("want an archive of at most %d MiB in an archive: %w", mostMember>>20, errBound)
	}
	return archiveOf(bytes.NewReader(text), int64(len(text)), a.depth+1, a.budget)
}
