package cli

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/backoff"
	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/terminal"
)

// uploadToken is the variable that holds the token, as CI systems give secrets to builds.
const uploadToken = "BREAKWATER_UPLOAD_TOKEN"

// uploading is where a scan's inventories are sent to.
type uploading struct{ to, as, tokenFile, ca string }

func (u *uploading) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&u.to, "upload", "", "also tell the server at this address what is in the images; its token is in "+uploadToken)
	f.StringVar(&u.as, "upload-as", "", "the reference under which the image is told, such as registry.example/shop/web:1; of one image")
	f.StringVar(&u.tokenFile, "upload-token-file", "", "a file with the token, in place of "+uploadToken)
	f.StringVar(&u.ca, "upload-ca", "", "a file with certificates, one of which must vouch for that server, beside the system's")
}

// ready checks what can be known before an image is read.
func (u *uploading) ready(images int) (*uploader, error) {
	if u.to == "" {
		if u.as != "" || u.tokenFile != "" || u.ca != "" {
			return nil, errors.New("--upload-as, --upload-token-file and --upload-ca go with --upload URL")
		}
		return nil, nil
	}
	at, err := url.Parse(u.to)
	if err != nil || at.Host == "" || at.Scheme != "https" && at.Scheme != "http" || at.User != nil {
		return nil, errors.New("--upload: want https://HOST:PORT of the server, without an account")
	}
	if ip := net.ParseIP(at.Hostname()); at.Scheme == "http" && at.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("--upload %s: want https: the token would be read on the way", at.Redacted())
	}
	if u.as != "" {
		if images > 1 {
			return nil, errors.New("--upload-as names one image: scan one")
		}
		if _, err := image.ParseReference(u.as); err != nil {
			return nil, fmt.Errorf("--upload-as: %w", err)
		}
	}
	out := &uploader{to: (&url.URL{Scheme: at.Scheme, Host: at.Host, Path: "/api/v1/uploads"}).String(), as: u.as}
	if out.token, err = u.token(); err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if u.ca != "" {
		text, err := os.ReadFile(u.ca)
		if err != nil {
			return nil, fmt.Errorf("--upload-ca: %w", err)
		}
		if !roots.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("--upload-ca %s: want certificates in PEM", u.ca)
		}
	}
	out.http = &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment,
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: 30 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} // the token is for that server
	return out, nil
}

func (u *uploading) token() (string, error) {
	text := os.Getenv(uploadToken)
	if u.tokenFile != "" {
		b, err := os.ReadFile(u.tokenFile)
		if err != nil {
			return "", fmt.Errorf("--upload-token-file: %w", err)
		}
		text = string(b)
	}
	if text = strings.TrimSpace(text); text == "" {
		return "", fmt.Errorf("--upload: want a token in %s, or --upload-token-file FILE; breakwater tokens upload NAME makes one", uploadToken)
	}
	return text, nil
}

// uploader sends inventories to a server.
type uploader struct {
	to, as, token string
	http          *http.Client
}

// uploadTries is how often a server is asked that has no room for another upload just now.
const uploadTries = 5

func (u *uploader) post(ctx context.Context, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.to, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Content-Encoding", "gzip")
	req.Header.Set("Authorization", "Bearer "+u.token)
	return u.http.Do(req)
}

// send tells the server what is in an image, and says under which name it knows it.
func (u *uploader) send(ctx context.Context, s streams, inv *image.Inventory) error {
	told := *inv
	if u.as != "" {
		told.Reference = u.as
	}
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	if err := errors.Join(json.NewEncoder(z).Encode(told), z.Close()); err != nil {
		return err
	}
	resp, err := u.post(ctx, body.Bytes())
	for tried := 1; err == nil && tried < uploadTries &&
		(resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable); tried++ {
		_ = resp.Body.Close() // it is busy: that is all it says
		wait, _ := backoff.Asked(resp.Header.Get("Retry-After"), time.Now())
		if !backoff.Pause(ctx, min(max(wait, time.Second), time.Minute)) {
			return ctx.Err()
		}
		resp, err = u.post(ctx, body.Bytes())
	}
	if err != nil {
		return fmt.Errorf("tell the server of %s: %w", told.Reference, err)
	}
	defer resp.Body.Close()
	name, image, why := uploadAnswer(resp.Body)
	if resp.StatusCode != http.StatusAccepted {
		return fmt.Errorf("tell the server of %s: it answered %s: %s", told.Reference, resp.Status, why)
	}
	fmt.Fprintf(s.err, "told the server what is in %s (%s)\n", name, short(image))
	return nil
}

// mostUploadAnswer is how much of a server's answer is read, in bytes.
const mostUploadAnswer = 64 << 10

// uploadAnswer is under which name and id a server knows an image, or why it does not. Its status says enough if that cannot be read.
func uploadAnswer(body io.Reader) (name, image, why string) {
	var answer struct{ Image, Name, Title, Detail string }
	_ = json.NewDecoder(io.LimitReader(body, mostUploadAnswer)).Decode(&answer) // the status says enough
	return terminal.Plain(answer.Name), terminal.Plain(answer.Image), terminal.Plain(strings.TrimPrefix(answer.Title+": "+answer.Detail, ": "))
}

func tokensUploadCommand(s streams) *cobra.Command {
	var data string
	var valid time.Duration
	var f format
	c := &cobra.Command{
		Use:   "upload NAME",
		Short: "Make a token with which a build tells what is in its images",
		Long: `Make a token with which a build tells what is in its images, and print it: it is told
here and nowhere else. NAME is the build's, as people know it: what it tells is shown as
its word. The token is good for breakwater scan image --upload and for nothing else.`,
		Example: "  breakwater tokens upload shop-ci",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			name := strings.TrimSpace(args[0])
			if name == "" || len(name) > 100 || terminal.Plain(name) != name {
				return errors.New("want a NAME of at most 100 characters in one line")
			}
			if valid <= 0 {
				return errors.New("--valid: want more than nothing")
			}
			d := datadir.Dir(data)
			if !d.Stored() {
				return unused(d)
			}
			return makeUpload(c.Context(), s, f, data, name, valid)
		},
	}
	dataFlag(c, &data)
	c.Flags().DurationVar(&valid, "valid", 365*days, "how long the token counts, such as 720h")
	output(c, &f, "text", "json")
	return c
}

func makeUpload(ctx context.Context, s streams, f format, data, name string, valid time.Duration) error {
	ends := time.Now().Add(valid)
	var token string
	err := withStore(ctx, data, func(st *store.Store) (err error) {
		token, err = st.NewIngestToken(ctx, store.IngestToken{Kind: store.UploadToken, Subject: name, ExpiresAt: ends, MadeBy: whoRuns()})
		return recorded(ctx, st, "make a token for uploads", name, err)
	})
	if err != nil {
		return err
	}
	if f == "json" {
		return writeJSON(s.out, map[string]any{"build": name, "token": token, "expiresAt": ends})
	}
	return said(s, nil, fmt.Sprintf("Give the build %s this token as the secret %s:\n\n%s\n\nIt tells then with: breakwater scan image "+
		"REF --upload URL\n", name, uploadToken, token))
}
