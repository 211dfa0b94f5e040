package image

import (
	"errors"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
)

// boastful says that its configuration is huge.
type boastful struct{ v1.Image }

func (b boastful) Manifest() (*v1.Manifest, error) {
	m, err := b.Image.Manifest()
	if err == nil {
		m = m.DeepCopy()
		m.Config.Size = maxConfig + 1
	}
	return m, err
}

func (b boastful) RawConfigFile() ([]byte, error) { panic("it was read all the same") }

func TestAHugeConfigurationIsNotRead(t *testing.T) {
	if err := verify(empty.Image); err != nil {
		t.Fatal(err)
	}
	if err := verify(boastful{empty.Image}); !errors.Is(err, errBound) {
		t.Error(err)
	}
}
