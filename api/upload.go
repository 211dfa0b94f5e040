package api

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/store"
)

// maxPacked is how many bytes of a packed upload are read.
const maxPacked = 16 << 20

const makesUpload = "breakwater tokens upload NAME makes one"

// uploads takes what a build says is in an image, from who shows a token for that and nothing else. It is read by few at
// once: the largest take some memory.
func (s *server) uploads(w http.ResponseWriter, r *http.Request) {
	of, ok := s.sender(w, r, store.UploadToken, makesUpload)
	if !ok {
		return
	}
	give, err := s.bounds.uploads.take(r.Context(), of.ID, s.bounds.Wait)
	if err != nil {
		crowded(w, r, err)
		return
	}
	defer give()
	text, err := inflated(http.MaxBytesReader(w, r.Body, maxPacked), r.Header.Get("Content-Encoding"))
	if err != nil {
		status := http.StatusBadRequest
		if errors.As(err, new(*http.MaxBytesError)) || errors.Is(err, errLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		problem(w, status, "the inventory cannot be read", err.Error())
		return
	}
	u, err := assess.ReadUpload(text)
	if err != nil {
		problem(w, http.StatusBadRequest, "the inventory cannot be read", err.Error())
		return
	}
	u.By, u.Token = of.Subject, of.ID
	switch err := s.Uploaded(r.Context(), u); {
	case errors.Is(err, store.ErrOften):
		later(w, http.StatusTooManyRequests, "too many uploads", store.ErrOften)
	case err != nil:
		failed(s.Log, w, r, err)
	default:
		takenOn(w, UploadTaken{Image: u.ID, Name: u.Name()})
	}
}

var errLarge = fmt.Errorf("want at most %d MiB, packed %d", assess.MaxUpload>>20, maxPacked>>20)

// inflated reads a body whole, packed or not.
func inflated(body io.Reader, encoding string) ([]byte, error) {
	switch encoding {
	case "":
	case "gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, fmt.Errorf("want gzip, as its header says: %w", err)
		}
		body = z
	default:
		return nil, fmt.Errorf("content encoding %.40q: want gzip or none", encoding)
	}
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(body, assess.MaxUpload+1))
	if err == nil && n > assess.MaxUpload {
		err = errLarge
	}
	return b.Bytes(), err
}
