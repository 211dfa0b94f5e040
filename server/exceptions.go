package server

import (
	"sync"

	"github.com/breakwater-sec/breakwater/exception"
)

// exceptions is the file of what people accepted. That it cannot be read any more is logged, once for each reason.
type exceptions struct {
	file *exception.File
	warn func(why error)
	mu   struct {
		sync.Mutex
		told string
	}
}

func openExceptions(name string, warn func(error)) (*exceptions, error) {
	if name == "" {
		return &exceptions{}, nil
	}
	file, err := exception.Open(name)
	return &exceptions{file: file, warn: warn}, err
}

// now is what the file says now.
func (e *exceptions) now() (*exception.Set, error) {
	set, err := e.file.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case err == nil:
		e.mu.told = ""
	case e.mu.told != err.Error():
		e.mu.told = err.Error()
		e.warn(err)
	}
	return set, err
}
