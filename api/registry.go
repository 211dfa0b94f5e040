package api

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/registries"
	"github.com/breakwater-sec/breakwater/store"
)

// credentials says where passwords come from, for people who connect a registry.
const credentials = "Passwords are not typed here and not stored: the server signs in with the docker configuration of its own user " +
	"(docker login, podman login, credential helpers; " +
	"DOCKER_CONFIG and REGISTRY_AUTH_FILE name another file), or with the account that its configuration file names (serve --config)."

// ListRegistries implements StrictServerInterface.
func (s session) ListRegistries(ctx context.Context, _ ListRegistriesRequestObject) (ListRegistriesResponseObject, error) {
	out := ListRegistries200JSONResponse{Items: []Registry{}, Gaps: []collect.Gap{}, Credentials: credentials}
	for _, r := range s.Registries() {
		item, err := s.registry(ctx, r)
		if err != nil {
			return nil, err
		}
		out.Items, out.Gaps = append(out.Items, item), append(out.Gaps, item.Gaps...)
	}
	return out, nil
}

func (s session) registry(ctx context.Context, r registries.Registry) (Registry, error) {
	out := Registry{Host: r.Host, State: RegistryState(r.State), Why: r.Why, From: RegistryFrom(r.From), Insecure: r.Insecure,
		Account: r.Account, AccountFrom: r.AccountFrom, CheckedAt: moment(r.CheckedAt), LastReadAt: moment(r.LastReadAt),
		NextReadAt: moment(r.NextReadAt), Permissions: list(r.Permissions), Gaps: list(r.Gaps())}
	out.Filters.Repositories, out.Filters.Tags = list(r.Repositories), r.Connection.Tags
	out.Filters.TagNames, out.Filters.Platforms, out.Filters.Hours = list(r.TagNames), list(r.Platforms), list([]string(r.Hours))
	out.Filters.MaxAge, out.Filters.Every = orNothing(r.MaxAge), orNothing(r.Every)
	out.Filters.Vex = r.VEX
	out.Way.Mirror, out.Way.Proxy, out.Way.Authorities = r.Mirror, r.Proxy, r.Authorities
	c, err := s.CountRegistry(ctx, r.Host)
	if err != nil {
		return out, err
	}
	if p := r.Pushes; !p.LastAt.IsZero() {
		out.Pushes = &RegistryPushes{LastAt: p.LastAt, Why: p.Why, Taken: int(p.Taken), Elsewhere: int(p.Elsewhere), Dropped: int(p.Dropped)}
	}
	out.Repositories, out.Tags, out.Images = c.Repositories, c.Tags, queueCounts(c.Images)
	return out, nil
}

func queueCounts(n map[string]int) QueueCounts {
	c := QueueCounts{Queued: n[assess.Queued], Scanning: n[assess.Scanning], Done: n[assess.Done], Failed: n[assess.Failed],
		Unsupported: n[assess.Unsupported]}
	c.Total = c.Queued + c.Scanning + c.Done + c.Failed + c.Unsupported
	return c
}

// orNothing is a time as people write it, empty if there is none.
func orNothing(s collect.Span) string {
	if s == 0 {
		return ""
	}
	return s.String()
}

// wish is a registry as the portal asks for it.
func wish(r *RegistryRequest) (collect.Registry, error) {
	what := collect.Registry{Host: r.Host, Repositories: deref(r.Repositories), Tags: deref(r.Tags), Insecure: deref(r.Insecure),
		VEX:      deref(r.Vex),
		TagNames: deref(r.TagNames), Platforms: deref(r.Platforms), Hours: deref(r.Hours), Mirror: deref(r.Mirror), Proxy: deref(r.Proxy),
		Authorities: deref(r.Authorities)}
	for _, span := range []struct {
		name string
		text *string
		to   *collect.Span
	}{{"maxAge", r.MaxAge, &what.MaxAge}, {"every", r.Every, &what.Every}} {
		if deref(span.text) == "" {
			continue
		}
		var err error
		if *span.to, err = collect.ParseSpan(*span.text); err != nil {
			return what, asked{fmt.Errorf("registry %s: %s: %w", what.Host, span.name, err)}
		}
	}
	what, err := what.Valid()
	if err != nil {
		return what, asked{err}
	}
	return what, nil
}

// PreviewRegistry implements StrictServerInterface.
func (s session) PreviewRegistry(ctx context.Context, r PreviewRegistryRequestObject) (PreviewRegistryResponseObject, error) {
	what, err := wish(r.Body)
	if err != nil {
		return nil, err
	}
	all, err := s.Administer()
	if err != nil {
		return nil, err
	}
	p, err := all.Preview(ctx, what)
	if err != nil {
		return nil, ofRegistry(err, what.Host)
	}
	return PreviewRegistry200JSONResponse{Host: what.Host, Chosen: p.Chosen, Left: p.Left, Repositories: p.Repositories, Items: list(p.Items),
		Cut: text(p.Cut), Gaps: list(p.Gaps)}, nil
}

// ConnectRegistry implements StrictServerInterface.
func (s session) ConnectRegistry(ctx context.Context, r ConnectRegistryRequestObject) (ConnectRegistryResponseObject, error) {
	what, err := wish(r.Body)
	if err != nil {
		return nil, err
	}
	all, err := s.Administer()
	if err != nil {
		return nil, err
	}
	if err := all.Connect(ctx, what); err != nil {
		return nil, ofRegistry(err, what.Host)
	}
	now, there := s.RegistryNow(what.Host)
	if !there {
		return nil, missing("registry " + what.Host + " was disconnected meanwhile")
	}
	out, err := s.registry(ctx, now)
	return ConnectRegistry201JSONResponse(out), err
}

// ofRegistry puts what is wrong with a wish into the asker's words.
func ofRegistry(err error, host string) error {
	if errors.Is(err, registries.ErrNotConnected) {
		return missing("no registry " + host + " is connected")
	}
	return err
}

// CheckRegistry implements StrictServerInterface.
func (s session) CheckRegistry(ctx context.Context, r CheckRegistryRequestObject) (CheckRegistryResponseObject, error) {
	what, err := wish(r.Body)
	if err != nil {
		return nil, err
	}
	all, err := s.Administer()
	if err != nil {
		return nil, err
	}
	permissions, who, from, err := all.Check(ctx, what)
	if err != nil {
		return nil, ofRegistry(err, what.Host)
	}
	refused := slices.ContainsFunc(permissions, func(p collect.Permission) bool { return p.State == collect.Refused })
	return CheckRegistry200JSONResponse{Host: what.Host, Ok: !refused, Account: who, AccountFrom: from, Permissions: list(permissions)}, nil
}

// DisconnectRegistry implements StrictServerInterface.
func (s session) DisconnectRegistry(ctx context.Context, r DisconnectRegistryRequestObject) (DisconnectRegistryResponseObject, error) {
	all, err := s.Administer()
	if err != nil {
		return nil, err
	}
	if err := all.Disconnect(ctx, r.Params.Host); err != nil {
		return nil, ofRegistry(err, r.Params.Host)
	}
	return DisconnectRegistry204Response{}, nil
}

// ListRegistryImages implements StrictServerInterface.
func (s session) ListRegistryImages(ctx context.Context, r ListRegistryImagesRequestObject) (ListRegistryImagesResponseObject, error) {
	host := r.Params.Host
	if _, there := s.RegistryNow(host); !there {
		return nil, missing("no registry " + host + " is connected")
	}
	f := store.RegistryFilter{Host: host, Q: deref(r.Params.Q), State: string(deref(r.Params.State))}
	page, total, next, err := s.RegistryImages(ctx, f, deref(r.Params.Cursor), pageSize(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	counts, err := s.CountRegistry(ctx, host)
	if err != nil {
		return nil, err
	}
	out := RegistryImageList{Items: []RegistryImage{}, Total: total, Counts: queueCounts(counts.Images), Next: text(next)}
	for _, i := range page {
		item, err := s.registryImage(ctx, host, i)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, item)
	}
	return ListRegistryImages200JSONResponse(out), nil
}

// tagsShown is how many tags of a repository a row lists.
const tagsShown = 20

func (s session) registryImage(ctx context.Context, host string, i store.RegistryImage) (RegistryImage, error) {
	w := s.World
	out := RegistryImage{Id: i.ID, Name: i.Name, Places: []RegistryPlace{}, State: ScanState(i.State), Why: i.Error,
		Attempts: i.Attempts, NextTry: moment(i.NextTry), UpdatedAt: moment(i.UpdatedAt), Platform: text(i.Platform), Pods: len(w.Pods(i.ID))}
	if i.Size > 0 {
		out.Size = &i.Size
	}
	if n, there := w.View.Node("Image", i.ID); there {
		out.Running = out.Pods > 0 || n.Value("running").Bool()
	}
	tags, err := s.Places(ctx, host, i.ID)
	if err != nil {
		return out, fmt.Errorf("list where image %s is: %w", i.ID, err)
	}
	for _, t := range tags {
		n := len(out.Places)
		if n == 0 || out.Places[n-1].Repository != t.Repository {
			out.Places, n = append(out.Places, RegistryPlace{Repository: t.Repository, Tags: []string{}}), n+1
		}
		if p := &out.Places[n-1]; len(p.Tags) < tagsShown {
			p.Tags = append(p.Tags, t.Name)
		} else {
			p.More++
		}
	}
	return out, nil
}

// RescanRegistry implements StrictServerInterface.
func (s session) RescanRegistry(ctx context.Context, r RescanRegistryRequestObject) (RescanRegistryResponseObject, error) {
	all, err := s.Administer()
	if err != nil {
		return nil, err
	}
	if id := deref(r.Params.Image); id != "" {
		if again, err := s.Retry(ctx, id); err != nil {
			return nil, err
		} else if !again {
			return nil, missing("no image " + id + " is in the queue, or it is being read")
		}
		return RescanRegistry204Response{}, nil
	}
	if err := all.Reread(r.Params.Host); err != nil {
		return nil, ofRegistry(err, r.Params.Host)
	}
	return RescanRegistry204Response{}, nil
}
