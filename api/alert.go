package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/redact"
	"github.com/breakwater-sec/breakwater/severity"
	"github.com/breakwater-sec/breakwater/store"
)

// ListAlertCoverage implements StrictServerInterface.
func (s session) ListAlertCoverage(ctx context.Context, r ListAlertCoverageRequestObject) (ListAlertCoverageResponseObject, error) {
	all, err := s.coverage(ctx)
	if err != nil {
		return nil, err
	}
	if c := deref(r.Params.Cluster); c != "" {
		all = slices.DeleteFunc(all, func(of AlertCoverage) bool { return of.Cluster != c })
	}
	return ListAlertCoverage200JSONResponse{Items: all}, nil
}

// ListAlerts implements StrictServerInterface.
func (s session) ListAlerts(ctx context.Context, r ListAlertsRequestObject) (ListAlertsResponseObject, error) {
	f := s.alertFilter(r.Params)
	counts, err := s.CountAlerts(ctx, f)
	if err != nil {
		return nil, err
	}
	if f.Severities, err = atLeast(r.Params.Severity); err != nil {
		return nil, err
	}
	page, next, err := s.Alerts(ctx, f, deref(r.Params.Cursor), pageSize(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	out := AlertList{Items: []AlertRow{}, Counts: counts, Next: text(next), Receiving: []Receiving{}, You: s.who}
	for _, stored := range page {
		out.Items = append(out.Items, alertRow(stored))
	}
	if out.Receiving, err = s.receiving(ctx); err != nil {
		return nil, err
	}
	out.Gaps = eventGaps(out.Receiving, s.World)
	return ListAlerts200JSONResponse(out), nil
}

// GetAlert implements StrictServerInterface.
func (s session) GetAlert(ctx context.Context, r GetAlertRequestObject) (GetAlertResponseObject, error) {
	stored, a, err := s.Alert(ctx, r.Params.Cluster, r.Params.Id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, missing("no alert " + r.Params.Id + " of cluster " + r.Params.Cluster)
	}
	if err != nil {
		return nil, err
	}
	notes, err := s.AlertNotes(ctx, r.Params.Cluster, r.Params.Id)
	if err != nil {
		return nil, err
	}
	out := AlertPage{
		You:       s.who,
		Notes:     alertNotes(notes),
		Alert:     alertRow(stored),
		Reason:    stored.Reason,
		DecidedBy: text(stored.DecidedBy),
		DecidedAt: moment(stored.DecidedAt),
		Evidence:  list(a.Evidence),
		Entities:  []AlertEntity{},
		Events:    []map[string]any{},
	}
	for _, h := range s.detections {
		if h.ID == a.Rule {
			out.Why, out.Fix = h.Why, h.Fix
		}
	}
	for _, e := range a.Entities {
		out.Entities = append(out.Entities, s.alertEntity(a, e))
	}
	for _, raw := range a.Events {
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil {
			return nil, fmt.Errorf("read the events of alert %s: %w", a.ID, err)
		}
		out.Events = append(out.Events, m)
	}
	return GetAlert200JSONResponse(out), nil
}

// ChangeAlerts implements StrictServerInterface.
func (s session) ChangeAlerts(ctx context.Context, r ChangeAlertsRequestObject) (ChangeAlertsResponseObject, error) {
	change, err := s.alertChange(r.Body.Change)
	if err != nil {
		return nil, err
	}
	if n := len(r.Body.Alerts); n == 0 || n > mostChanged {
		return nil, asked{fmt.Errorf("%d alerts: want one to %d", n, mostChanged)}
	}
	out := AlertsChanged{Missing: []AlertKey{}}
	for _, k := range r.Body.Alerts {
		err := s.Reader.ChangeAlert(ctx, k.Cluster, k.Id, change)
		switch {
		case errors.Is(err, store.ErrNotFound):
			out.Missing = append(out.Missing, k)
		case errors.Is(err, store.ErrAlertChange):
			return nil, asked{err}
		case err != nil:
			return nil, err
		default:
			out.Changed++
		}
	}
	return ChangeAlerts200JSONResponse(out), nil
}

// mostChanged is how many alerts one request changes.
const mostChanged = 500

// alertChange is what somebody does, by the asker's name. Secrets in what they write are left out.
func (s session) alertChange(c AlertChange) (store.AlertChange, error) {
	out := store.AlertChange{
		Reason:  redact.Text(strings.TrimSpace(deref(c.Reason))),
		Comment: redact.Text(strings.TrimSpace(deref(c.Comment))),
		By:      s.who,
	}
	if c.Status != nil {
		out.Status = new(store.AlertStatus(*c.Status))
		if ended := *out.Status == store.AlertDismissed || *out.Status == store.AlertResolved; ended && out.Reason == "" {
			return out, asked{errors.New("to dismiss or resolve an alert, say why")}
		}
	}
	if c.Assignee != nil {
		out.Assignee = new(strings.TrimSpace(*c.Assignee))
	}
	return out, nil
}

func alertNotes(all []store.AlertNote) []AlertNote {
	out := []AlertNote{}
	for _, n := range all {
		out = append(out, AlertNote{At: n.At, Person: n.Person, What: n.What, Words: n.Words})
	}
	return out
}

// alertFilter is what a list asks for, but for the severity.
func (s session) alertFilter(p ListAlertsParams) store.AlertFilter {
	f := store.AlertFilter{Statuses: []store.AlertStatus{store.AlertNew, store.AlertInProgress}, Clusters: one(p.Cluster), Rules: one(p.Rule),
		Namespaces: one(p.Namespace), Words: strings.TrimSpace(deref(p.Q)), Assignees: one(p.Assignee), Since: deref(p.Since),
		Until: deref(p.Until)}
	if p.Status != nil {
		f.Statuses = nil
		for _, st := range *p.Status {
			f.Statuses = append(f.Statuses, store.AlertStatus(st))
		}
	}
	if deref(p.Mine) {
		f.Assignees = []string{s.who}
	}
	if deref(p.Unassigned) {
		f.Assignees = append(f.Assignees, "")
	}
	return f
}

// alertEntity is what the graph knows now; what it knew when the alert was made
// stands in where the thing is gone.
func (s session) alertEntity(a *detect.Alert, e event.Entity) AlertEntity {
	out := AlertEntity{Role: AlertEntityRole(e.Role), Kind: e.Kind, Namespace: text(e.Namespace), Name: e.Name, Detail: text(e.Detail),
		Paths: []AlertPath{}, Reaches: []string{}, Unknown: []string{}}
	about, there := s.about(s.World.World, a.Cluster, e)
	for _, then := range a.Context {
		if !there && then.ID == e.ID && e.ID != "" {
			about = then
			about.Unknown = append([]string{"it is gone: this is as of the alert"}, then.Unknown...)
		}
	}
	if about.ID == "" {
		return out
	}
	if there {
		out.Ref = &Ref{Kind: about.Kind, Id: about.ID, Name: about.Name, Cluster: &a.Cluster, Namespace: text(e.Namespace)}
	}
	out.Exposed, out.Reaches, out.Unknown = about.Exposed, list(about.Reaches), list(about.Unknown)
	for _, p := range about.Paths {
		out.Paths = append(out.Paths, AlertPath{Id: p.ID, Title: p.Title, Risk: p.Risk})
	}
	return out
}

func alertRow(a store.Alert) AlertRow {
	return AlertRow{Cluster: a.Cluster, Id: a.ID, Rule: a.Rule, Title: a.Title, Severity: a.Severity, Status: AlertStatus(a.Status),
		Actor: a.Actor, About: a.About, Techniques: list(a.Techniques), FirstSeen: a.FirstSeen, LastSeen: a.LastSeen, Count: a.Count,
		Assignee: text(a.Assignee)}
}

func one(s *string) []string {
	if s == nil || *s == "" {
		return nil
	}
	return []string{*s}
}

func atLeast(least *string) ([]string, error) {
	if least == nil || *least == "" {
		return nil, nil
	}
	words, err := severity.AtLeast(*least)
	if err != nil {
		return nil, asked{err}
	}
	return words, nil
}
