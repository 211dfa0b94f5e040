package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/severity"
	"github.com/breakwater-sec/breakwater/store"
)

// Alerts is what the store knows of alerts.
type Alerts interface {
	Alerts(ctx context.Context, f store.AlertFilter, cursor string, limit int) ([]store.Alert, string, error)
	CountAlerts(ctx context.Context, f store.AlertFilter) (map[string]int, error)
	Alert(ctx context.Context, cluster, id string) (store.Alert, error)
	SetAlertStatus(ctx context.Context, cluster, id string, to store.AlertStatus, reason string) error
}

// ListAlerts implements StrictServerInterface.
func (s *server) ListAlerts(ctx context.Context, r ListAlertsRequestObject) (ListAlertsResponseObject, error) {
	f := store.AlertFilter{Statuses: []store.AlertStatus{store.AlertNew, store.AlertInProgress}}
	if r.Params.Status != nil {
		f.Statuses = nil
		for _, st := range *r.Params.Status {
			f.Statuses = append(f.Statuses, store.AlertStatus(st))
		}
	}
	f.Clusters, f.Rules = one(r.Params.Cluster), one(r.Params.Rule)
	counts, err := s.Alerts.CountAlerts(ctx, f)
	if err != nil {
		return nil, err
	}
	if f.Severities, err = atLeast(r.Params.Severity); err != nil {
		return nil, err
	}
	page, next, err := s.Alerts.Alerts(ctx, f, deref(r.Params.Cursor), pageSize(r.Params.Limit))
	if errors.Is(err, store.ErrCursor) {
		return nil, asked{err}
	}
	if err != nil {
		return nil, err
	}
	out := AlertList{Items: []AlertRow{}, Counts: counts, Next: text(next), Receiving: []Receiving{}}
	for _, stored := range page {
		a, err := decodeAlert(stored)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, alertRow(stored, a))
	}
	if s.Receiving != nil {
		if out.Receiving, err = s.Receiving(ctx); err != nil {
			return nil, err
		}
	}
	out.Gaps = eventGaps(out.Receiving)
	return ListAlerts200JSONResponse(out), nil
}

// GetAlert implements StrictServerInterface.
func (s *server) GetAlert(ctx context.Context, r GetAlertRequestObject) (GetAlertResponseObject, error) {
	stored, err := s.Alerts.Alert(ctx, r.Params.Cluster, r.Params.Id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, missing("no alert " + r.Params.Id + " of cluster " + r.Params.Cluster)
	}
	if err != nil {
		return nil, err
	}
	a, err := decodeAlert(stored)
	if err != nil {
		return nil, err
	}
	out := AlertPage{Alert: alertRow(stored, a), Reason: stored.Reason, Evidence: list(a.Evidence), Entities: []AlertEntity{}, Events: []map[string]any{}}
	for _, h := range s.Detections {
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

// SetAlertStatus implements StrictServerInterface.
func (s *server) SetAlertStatus(ctx context.Context, r SetAlertStatusRequestObject) (SetAlertStatusResponseObject, error) {
	to, reason := store.AlertStatus(r.Body.Status), deref(r.Body.Reason)
	if to == store.AlertDismissed && reason == "" {
		return nil, asked{errors.New("to dismiss an alert, say why")}
	}
	err := s.Alerts.SetAlertStatus(ctx, r.Params.Cluster, r.Params.Id, to, reason)
	if errors.Is(err, store.ErrNotFound) {
		return nil, missing("no alert " + r.Params.Id + " of cluster " + r.Params.Cluster)
	}
	if err != nil {
		return nil, err
	}
	s.Live.Tell("Alert")
	return SetAlertStatus204Response{}, nil
}

// alertEntity is what the graph knows now; what it knew when the alert was made
// stands in where the thing is gone.
func (s *server) alertEntity(a *detect.Alert, e event.Entity) AlertEntity {
	out := AlertEntity{Role: AlertEntityRole(e.Role), Kind: e.Kind, Namespace: text(e.Namespace), Name: e.Name, Detail: text(e.Detail), Paths: []AlertPath{}, Reaches: []string{}, Unknown: []string{}}
	about, there := s.Context.About(a.Cluster, e)
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

func decodeAlert(stored store.Alert) (*detect.Alert, error) {
	a := &detect.Alert{}
	if err := json.Unmarshal(stored.Body, a); err != nil {
		return nil, fmt.Errorf("read stored alert %s of %s: %w", stored.ID, stored.Cluster, err)
	}
	return a, nil
}

func alertRow(stored store.Alert, a *detect.Alert) AlertRow {
	row := AlertRow{Cluster: stored.Cluster, Id: stored.ID, Rule: a.Rule, Title: a.Title, Severity: stored.Severity, Status: AlertStatus(stored.Status),
		Techniques: list(a.Techniques), FirstSeen: stored.FirstSeen, LastSeen: stored.LastSeen, Count: stored.Count}
	for _, e := range a.Entities {
		switch {
		case e.Role == event.Actor && row.Actor == "":
			row.Actor = e.Name
		case e.Role == event.Target && row.About == "":
			row.About = e.Kind + " " + join(e.Namespace, e.Name)
		}
	}
	return row
}

func join(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
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
