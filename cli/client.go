package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/spf13/cobra"
)

// client asks the server that runs on a data folder. Who may read the folder
// may ask: it signs in with a token it puts into the folder's database itself.
type client struct {
	url, token string
	http       *http.Client
}

func dial(ctx context.Context, said io.Writer, d datadir.Dir) (*client, error) {
	d, sample := d.Served()
	if sample {
		fmt.Fprintln(said, "asked of the sample estate: no other server runs on this data folder")
	}
	r, err := d.Server()
	if err != nil {
		return nil, err
	}
	token, err := newSignIn(ctx, d, whoRuns())
	if err != nil {
		return nil, err
	}
	s, err := d.Open(ctx)
	if err != nil {
		return nil, err
	}
	session, err := s.SignIn(ctx, token, time.Hour)
	if err := errors.Join(err, s.Close()); err != nil {
		return nil, fmt.Errorf("sign in to %s: %w", r.URL, err)
	}
	return &client{url: r.URL, token: session, http: &http.Client{}}, nil
}

// newSignIn makes a sign-in for a person.
func newSignIn(ctx context.Context, d datadir.Dir, person string) (string, error) {
	s, err := d.Open(ctx)
	if err != nil {
		return "", err
	}
	token, err := s.NewSignIn(ctx, 10*time.Minute, operatorScope(), person)
	return token, errors.Join(err, s.Close())
}

// get streams the answer to a GET.
func (c *client) get(ctx context.Context, path string, to io.Writer) error {
	return c.answer(ctx, http.MethodGet, path, nil, func(resp *http.Response) error {
		_, err := io.Copy(to, resp.Body)
		return err
	})
}

// ask decodes the JSON answer to a GET, or to a POST if there is a body.
func (c *client) ask(ctx context.Context, path string, body, answer any) error {
	method, send := http.MethodGet, io.Reader(nil)
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		method, send = http.MethodPost, strings.NewReader(string(b))
	}
	return c.answer(ctx, method, path, send, func(resp *http.Response) error { return json.NewDecoder(resp.Body).Decode(answer) })
}

// parts streams the first part of the answer to a GET and decodes the second, which is JSON.
func (c *client) parts(ctx context.Context, path string, to io.Writer, second any) error {
	return c.answer(ctx, http.MethodGet, path, nil, func(resp *http.Response) error {
		_, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
		if err != nil {
			return fmt.Errorf("want an answer in parts: %w", err)
		}
		r := multipart.NewReader(resp.Body, params["boundary"])
		part, err := r.NextPart()
		if err == nil {
			_, err = io.Copy(to, part)
		}
		if err == nil {
			part, err = r.NextPart()
		}
		if err != nil {
			return fmt.Errorf("the answer of the server at %s ends too early: %w", c.url, err)
		}
		return json.NewDecoder(part).Decode(second)
	})
}

func (c *client) answer(ctx context.Context, method, path string, body io.Reader, read func(*http.Response) error) error {
	req, err := http.NewRequestWithContext(ctx, method, c.url+"/api/v1"+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask the server at %s (does it still run?): %w", c.url, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		var p struct{ Title, Detail string }
		_ = json.NewDecoder(io.LimitReader(resp.Body, 1<<16)).Decode(&p) // the status says enough if this fails
		return fmt.Errorf("the server at %s answered %s: %s", c.url, resp.Status, strings.TrimPrefix(p.Title+": "+p.Detail, ": "))
	}
	return read(resp)
}

// signInCommand prints another sign-in link of the running server.
func signInCommand(s streams) *cobra.Command {
	var data, person string
	c := &cobra.Command{
		Use:   "sign-in",
		Short: "Print a new sign-in link for the running server",
		Long: `Print a new sign-in link for the running server. It works once, for ten minutes.
What is decided about alerts in its session is kept with the name of the person
that the link is for.`,
		Example: "  breakwater sign-in --for alice",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			d, _ := datadir.Dir(data).Served()
			r, err := d.Server()
			if err != nil {
				return err
			}
			token, err := newSignIn(c.Context(), d, person)
			if err != nil {
				return err
			}
			fmt.Fprintln(s.out, signInLink(r.URL, token))
			return nil
		},
	}
	c.Flags().StringVar(&person, "for", whoRuns(), "for whom the link is")
	c.Flags().Lookup("for").DefValue = "who runs the command"
	dataFlag(c, &data)
	return c
}

// signInLink carries the token behind #, which browsers do not send to servers,
// proxies or logs; the page posts it.
func signInLink(url, token string) string { return url + "/sign-in#" + token }

func dataFlag(c *cobra.Command, data *string) {
	c.Flags().StringVar(data, "data", datadir.Default(), "the server's data folder")
}
