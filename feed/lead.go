package feed

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Files that lead to others: a feed whose file has another name each time is found by one that keeps its name.
const (
	// mirrorsLead is a list of places where an rpm repository is, the first of which is taken.
	mirrorsLead = "mirrors"
	// repodataLead is a repository's repomd.xml, which names updateinfo.xml and its sum.
	repodataLead = "repodata"
	// latestLead is the name of the newest file beside it.
	latestLead = "latest"
)

// maxLead is the largest file that leads to others.
const maxLead = 1 << 20

// follow follows the files that lead to a feed. sum is the SHA-256 that the last of them says the feed's file has, "" if none does.
func (f Feed) follow(ctx context.Context, client *http.Client) (_ Feed, sum string, err error) {
	for _, kind := range f.Via {
		from, err := url.Parse(f.URL)
		if err != nil {
			return f, "", err
		}
		text, err := lead(ctx, client, f.URL)
		if err != nil {
			return f, "", err
		}
		to := ""
		switch kind {
		case mirrorsLead:
			to, err = firstMirror(from, text)
		case repodataLead:
			to, sum, err = updateinfo(from, text)
		case latestLead:
			to, err = latest(from, text)
		default:
			err = fmt.Errorf("want a file that leads to others of the kind %s, %s or %s, got %q", mirrorsLead, repodataLead, latestLead, kind)
		}
		if err != nil {
			return f, "", fmt.Errorf("%s: %w", f.URL, err)
		}
		f.URL = to
	}
	return f, sum, nil
}

// lead fetches a small file.
func lead(ctx context.Context, client *http.Client, from string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, errAgain{reason(ctx, err), 0}
	}
	defer response.Body.Close()
	switch code := response.StatusCode; {
	case code == http.StatusTooManyRequests || code >= 500:
		return nil, errAgain{fmt.Errorf("the site answers %d %s", code, http.StatusText(code)), retryAfter(response)}
	case code != http.StatusOK:
		return nil, fmt.Errorf("the site answers %d %s", code, http.StatusText(code))
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxLead+1))
	if err != nil {
		return nil, errAgain{reason(ctx, err), 0}
	}
	if len(text) > maxLead {
		return nil, fmt.Errorf("want a file that leads to others of at most %d bytes", maxLead)
	}
	return text, nil
}

// firstMirror is the index of the repository at the first place of a list.
func firstMirror(from *url.URL, text []byte) (string, error) {
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		to, err := url.Parse(line)
		if err != nil || to.Host == "" || to.User != nil || to.RawQuery != "" || to.Fragment != "" ||
			to.Scheme != from.Scheme && (to.Scheme != "https" || from.Scheme != "http") {
			return "", fmt.Errorf("want the place of a repository as %s://HOST/PATH, got %.100q", from.Scheme, line)
		}
		return to.JoinPath("repodata", "repomd.xml").String(), nil
	}
	return "", errors.New("want a place of a repository in it")
}

// updateinfo is where a repository has its updates, and the sum of that file.
func updateinfo(from *url.URL, text []byte) (to, sum string, err error) {
	var index struct {
		Data []struct {
			Type     string `xml:"type,attr"`
			Checksum struct {
				Type string `xml:"type,attr"`
				Sum  string `xml:",chardata"`
			} `xml:"checksum"`
			Location struct {
				Href string `xml:"href,attr"`
			} `xml:"location"`
		} `xml:"data"`
	}
	if err := xml.Unmarshal(text, &index); err != nil {
		return "", "", fmt.Errorf("want an index of a repository: %w", err)
	}
	for _, d := range index.Data {
		if d.Type != "updateinfo" {
			continue
		}
		root := from.JoinPath("..", "..")
		if !local(d.Location.Href) {
			return "", "", fmt.Errorf("want updates in the repository itself, got %.100q", d.Location.Href)
		}
		if d.Checksum.Type == "sha256" {
			sum = strings.ToLower(strings.TrimSpace(d.Checksum.Sum))
		}
		return root.JoinPath(d.Location.Href).String(), sum, nil
	}
	return "", "", errors.New("want updateinfo in the index of the repository")
}

// latest is the file beside the one that names it.
func latest(from *url.URL, text []byte) (string, error) {
	name := strings.TrimSpace(string(text))
	if !local(name) || strings.Contains(name, "/") {
		return "", fmt.Errorf("want the name of a file beside it, got %.100q", name)
	}
	return from.JoinPath("..", name).String(), nil
}

// local says that a name leads to a place below the one that it is read at.
func local(name string) bool {
	u, err := url.Parse(name)
	return err == nil && name != "" && u.Scheme == "" && u.Host == "" && u.RawQuery == "" && u.Fragment == "" &&
		!strings.HasPrefix(u.Path, "/") && !strings.Contains("/"+u.Path+"/", "/../") && !strings.ContainsAny(name, "\\\r\n\x00")
}
