package server

import (
	"context"
	"os"
	"strconv"
	"strings"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/redact"
	"github.com/breakwater-sec/breakwater/store"
)

const (
	startServer    = "start the server"
	changeSettings = "change settings"
)

// started records who started the server and with which settings, and what of them was otherwise at the last start.
func (v *Server) started(ctx context.Context) error {
	before, _, err := v.Store.Activities(ctx, store.ActivityFilter{Action: startServer}, "", 1)
	if err != nil {
		return err
	}
	who := datadir.Peer{UID: os.Geteuid(), PID: os.Getpid()}
	a := store.Activity{Person: who.Account(), Role: store.Operator, Address: "process " + strconv.Itoa(who.PID), Action: startServer,
		Object: Version(), Detail: redact.Text(strings.Join(v.config.Settings, " ")), Outcome: store.Done}
	if err := v.Store.Record(ctx, a); err != nil || len(before) == 0 {
		return err
	}
	now, _, err := v.Store.Activities(ctx, store.ActivityFilter{Action: startServer}, "", 1)
	if err != nil || len(now) == 0 || now[0].Detail == before[0].Detail { // as they are kept, which may be shortened
		return err
	}
	a.Action, a.Object, a.Detail = changeSettings, "", "before: "+before[0].Detail
	return v.Store.Record(ctx, a)
}
