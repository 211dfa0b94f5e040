package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/spf13/cobra"
)

// client asks the server that runs on a data folder, over the folder's socket: it shows nothing by
// which another could ask, as the kernel tells each of the two who the other is.
type client struct {
	dir  datadir.Dir
	http *http.Client
}

func dial(said io.Writer, d datadir.Dir) (*client, error) {
	d, sample := d.Served()
	if sample {
		fmt.Fprintln(said, "asked of the sample estate: no other server runs on this data folder")
	}
	if _, err := d.Server(); err != nil {
		return nil, err
	}
	return &client{d, &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return d.Dial(ctx)
	}}}}, nil
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

// put asks with PUT and decodes the JSON answer.
func (c *client) put(ctx context.Context, path string, body, answer any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.answer(ctx, http.MethodPut, path, strings.NewReader(string(b)), func(resp *http.Response) error {
		return json.NewDecoder(resp.Body).Decode(answer)
	})
}

// end asks with DELETE, which is answered with nothing.
func (c *client) end(ctx context.Context, path string) error {
	return c.answer(ctx, http.MethodDelete, path, nil, func(*http.Response) error { return nil })
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
			return fmt.Errorf("the answer of the server on %s ends too early: %w", c.dir, err)
		}
		return json.NewDecoder(part).Decode(second)
	})
}

func (c *client) answer(ctx context.Context, method, path string, body io.Reader, read func(*http.Response) error) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://breakwater/api/v1"+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		var where *url.Error
		if errors.As(err, &where) {
			err = where.Err // the address in it is no one's
		}
		return fmt.Errorf("ask the server on %s: %w", c.dir, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		var p struct{ Title, Detail string }
		_ = json.NewDecoder(io.LimitReader(resp.Body, 1<<16)).Decode(&p) // the status says enough if this fails
		return fmt.Errorf("the server on %s answered %s: %s", c.dir, resp.Status, strings.TrimPrefix(p.Title+": "+p.Detail, ": "))
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
			ask, err := dial(s.err, datadir.Dir(data))
			if err != nil {
				return err
			}
			var made struct{ Link string }
			if err := ask.ask(c.Context(), "/sign-in-links", map[string]string{"person": person}, &made); err != nil {
				return err
			}
			fmt.Fprintln(s.out, made.Link)
			return nil
		},
	}
	c.Flags().StringVar(&person, "for", whoRuns(), "for whom the link is")
	c.Flags().Lookup("for").DefValue = "who runs the command"
	dataFlag(c, &data)
	return c
}

func dataFlag(c *cobra.Command, data *string) {
	c.Flags().StringVar(data, "data", datadir.Default(), "the server's data folder")
}
