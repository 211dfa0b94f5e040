package datadir

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
)

func WriteDump(file string, f *collect.Facts) error {
	return WriteFile(file, func(w io.Writer) error { return kube.Save(w, f) })
}

// ReadDump is a cluster's saved facts, nil if there are none.
func ReadDump(file string) (*collect.Facts, error) {
	r, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return kube.Load(r)
}
