package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/redact"
)

const (
	// MaxUploaded is how much is read of what a build says is in an image, in bytes.
	MaxUploaded = 64 << 20
	// maxPackages, maxLayersTold and maxGapsTold are how many of each it may have.
	maxPackages, maxLayersTold, maxGapsTold = 100_000, 1_000, 200
	// longestTold is how long each text of it may be that people are shown.
	longestTold = 1_000
)

// ReadUploaded reads what a build says is in an image, as what a stranger wrote.
func ReadUploaded(text []byte) (*Inventory, error) {
	if len(text) > MaxUploaded {
		return nil, fmt.Errorf("want at most %d MiB: %w", MaxUploaded>>20, errBound)
	}
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("want what breakwater scan image --upload sends: %w", err)
	}
	if head.Version != InventoryVersion {
		return nil, fmt.Errorf("want an inventory of version %d, have %d: let the build use the release that the server is of",
			InventoryVersion, head.Version)
	}
	inv, err := inventoryFrom(text)
	if err != nil {
		return nil, err
	}
	switch {
	case len(inv.Packages) > maxPackages || len(inv.Layers) > maxLayersTold || len(inv.Gaps) > maxGapsTold || len(inv.Unread) > maxGapsTold ||
		len(inv.Secrets) > maxLayersTold || len(inv.Builds) > maxLayersTold:
		return nil, fmt.Errorf("want at most %d packages, %d layers and %d gaps: %w", maxPackages, maxLayersTold, maxGapsTold, errBound)
	case inv.Digest == "" && inv.Config == "":
		return nil, errors.New("want an image with a digest: an unpacked root filesystem has none that a container could be known by")
	}
	if err := inv.within(DefaultLimits); err != nil {
		return nil, err
	}
	return inv, inv.tame()
}

// tame keeps of what a stranger wrote what is shown to people within bounds and without secrets.
func (inv *Inventory) tame() error {
	texts := []*string{&inv.Reference, &inv.Platform, &inv.OS.ID, &inv.OS.VersionID, &inv.OS.Codename, &inv.OS.PrettyName}
	for i := range inv.Layers {
		l := &inv.Layers[i]
		l.Command = redact.Text(l.Command)
		l.Packages, l.Size = max(0, l.Packages), max(0, l.Size)
		texts = append(texts, &l.Digest, &l.DiffID, &l.Command)
	}
	for i := range inv.Packages {
		p := &inv.Packages[i]
		texts = append(texts, &p.PURL, &p.Name, &p.Ecosystem, &p.Version, &p.Source, &p.SourceVersion, &p.Architecture, &p.Layer, &p.Database,
			&p.OwnedBy)
		if p.Name == "" {
			return errors.New("want a name of every package")
		}
	}
	for i := range inv.Secrets {
		f := &inv.Secrets[i]
		f.File, f.Line = redact.Text(f.File), max(0, f.Line)
		texts = append(texts, &f.Kind, &f.Hash, &f.File, &f.Layer)
	}
	gaps := inv.Gaps
	inv.Gaps = nil
	for _, g := range gaps {
		inv.Gaps = append(inv.Gaps, collect.Gap{Source: "image", What: g.What, Why: redact.Text(g.Why), Consequence: g.Consequence,
			Kinds: []string{"Package", "HAS_PACKAGE", "HAS_VULNERABILITY"}})
	}
	for i := range inv.Gaps {
		texts = append(texts, &inv.Gaps[i].What, &inv.Gaps[i].Why, &inv.Gaps[i].Consequence)
	}
	for _, t := range texts {
		if len(*t) > longestTold {
			return fmt.Errorf("want texts of at most %d bytes, have one of %d: %w", longestTold, len(*t), errBound)
		}
	}
	if now := time.Now(); inv.ScannedAt.After(now) {
		inv.ScannedAt = now
	}
	return nil
}
