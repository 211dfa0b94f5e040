// Package feed brings advisories from where they are published into a database directory: asked only whether they are
// others than last time, taken up where a broken connection left them, checked, and put in force as a whole, with what was in
// force before kept beside them. It knows nothing of what advisories say.
package feed

import (
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/egress"
	"github.com/breakwater-sec/breakwater/strictyaml"
)

// Feed is one file of advisories that somebody publishes.
type Feed struct {
	// Name is the source's in the database.
	Name string `yaml:"name"`
	URL  string `yaml:"url"`
	// Via are the kinds of files that lead to the feed's own, the first of which url names.
	Via []string `yaml:"via"`
	// Path is what the file is called under a mirror.
	Path string `yaml:"path"`
	// Default says that it is fetched if no feed is named.
	Default bool `yaml:"default"`
}

//go:embed feeds.yaml
var feedsYAML []byte

// All are the feeds we know, in the order in which they are read.
func All() []Feed {
	var list struct {
		Feeds []Feed `yaml:"feeds"`
	}
	if _, err := strictyaml.Decode("feeds.yaml", feedsYAML, &list); err != nil {
		panic(err) // our own file
	}
	return list.Feeds
}

// Named are the feeds of those names, the default ones without any. A name before a slash stands for all under it: "osv".
func Named(names []string) ([]Feed, error) {
	var out []Feed
	for _, f := range All() {
		if len(names) == 0 && f.Default {
			out = append(out, f)
		}
		if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, f.Name) || strings.HasPrefix(f.Name, n+"/") }) {
			out = append(out, f)
		}
	}
	for _, n := range names {
		if !slices.ContainsFunc(out, func(f Feed) bool { return strings.EqualFold(n, f.Name) || strings.HasPrefix(f.Name, n+"/") }) {
			return nil, fmt.Errorf("no feed is named %q: breakwater db update --list names them", n)
		}
	}
	return out, nil
}

// Under is the feed at a mirror, http(s)://HOST[/PATH].
func (f Feed) Under(mirror string) (Feed, error) {
	u, err := url.Parse(mirror)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "http" && u.Scheme != "https" {
		return f, errors.New("want a mirror as http(s)://HOST[/PATH], without a user or password")
	}
	f.URL, f.Via = u.JoinPath(f.Path).String(), nil
	return f, nil
}

// host is the feed's host as the policy of egress names it; a person who wrote http:// meant it.
func (f Feed) host() (egress.Host, error) {
	u, err := url.Parse(f.URL)
	if err != nil {
		return egress.Host{}, fmt.Errorf("feed %s: %w", f.Name, err)
	}
	return egress.ParseHost(u.Scheme + "://" + u.Host)
}

// file is what the feed is called while it is fetched: import tells a file's kind by its name.
func (f Feed) file() string {
	return strings.NewReplacer("/", "-", " ", "-").Replace(f.Name) + "-" + path.Base(f.Path)
}
