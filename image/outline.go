package image

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Outline is what an image says of itself without its layers. Who made it may have written anything.
type Outline struct {
	// Made is when it says that it was made; the zero time where it does not say, as reproducible builds do not.
	Made time.Time
	// Platforms are those of an index's builds, or that of the image, as OS/ARCHITECTURE.
	Platforms []string
}

// Fits says whether it is for one of the platforms; what does not say for which it is fits all.
func (o Outline) Fits(platforms []string) bool {
	if len(platforms) == 0 || len(o.Platforms) == 0 {
		return true
	}
	for _, text := range platforms {
		asked, err := parsePlatform(text)
		if err != nil {
			return true // it was refused when it was written
		}
		for _, have := range o.Platforms {
			if p, err := parsePlatform(have); err != nil || p.Satisfies(asked) {
				return true
			}
		}
	}
	return false
}

// Repository is one repository of a registry, asked again and again with one account.
type Repository struct {
	from puller
	at   Reference
	o    Options
}

// OpenRepository is the repository of a reference.
func OpenRepository(ctx context.Context, of Reference, o Options) (*Repository, error) {
	o = o.withDefaults()
	r, err := o.asked(of)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", of, err)
	}
	from, err := pull(ctx, r, o)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", of, err)
	}
	return &Repository{from, of, o}, nil
}

// Outline reads what an image of the repository says of itself. Of an index the build speaks that is read of it. What is no
// container image, or none that is understood, says nothing.
func (p *Repository) Outline(ctx context.Context, digest string) (out Outline, err error) {
	ref, err := p.at.At(digest)
	if err != nil {
		return out, err
	}
	r, err := p.o.asked(ref)
	if err != nil {
		return out, err
	}
	img, err := p.from.open(ctx, r, ref, Options{})
	if err == nil {
		err = verify(img.image)
	}
	if errors.Is(err, ErrUnsupported) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	config, err := img.image.ConfigFile() // verified, so it is small and what its manifest says
	if err != nil {
		return out, fmt.Errorf("read the configuration of %s: %w", ref, err)
	}
	out.Made = made(config.Created.Time)
	for _, b := range img.builds {
		if !platformName.MatchString(b.Platform) || len(out.Platforms) >= mostPlatforms {
			out.Platforms = nil // it may be for any: what is not understood says nothing
			return out, nil
		}
		out.Platforms = append(out.Platforms, b.Platform)
	}
	if is := strings.Trim(config.OS+"/"+config.Architecture, "/"); len(img.builds) == 0 && config.OS != "" && config.Architecture != "" {
		if config.Variant != "" {
			is += "/" + config.Variant
		}
		if platformName.MatchString(is) {
			out.Platforms = []string{is}
		}
	}
	return out, nil
}

// platformName is how a platform is written, and mostPlatforms how many an image may be for; honest ones have a dozen.
var platformName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,40}/[a-zA-Z0-9._-]{1,40}(/[a-zA-Z0-9._-]{1,40})?(:[a-zA-Z0-9._-]{1,40})?$`)

const mostPlatforms = 50

// containers is when there were none yet: what says that it was made before says nothing.
var containers = time.Date(2013, 1, 1, 0, 0, 0, 0, time.UTC)

// made is when an image was made, or the zero time where what it says cannot be: a fixed moment of reproducible builds, or one
// that is to come.
func made(said time.Time) time.Time {
	if said.Before(containers) || said.After(time.Now().Add(24*time.Hour)) {
		return time.Time{}
	}
	return said.UTC()
}
