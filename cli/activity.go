package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/redact"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/terminal"
)

// activityCommand reads the record in the store itself: it is also for when no server runs, or is not believed.
func activityCommand(s streams) *cobra.Command {
	var data string
	var filter store.ActivityFilter
	var since time.Duration
	var limit int
	var f format
	c := &cobra.Command{
		Use:   "activity",
		Short: "What people did: who, when, from where, to what, and what came of it",
		Long: `What people did, the newest first: sign-ins and those that failed, decisions about alerts, registries
connected and removed, tokens, exports, and with which settings the server was started. Nothing changes or
takes back what is recorded; it is forgotten when it is old (--keep activity=TIME of serve).`,
		Example: "  breakwater activity --person alice --since 24h\n  breakwater activity verify",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if since > 0 {
				filter.Since = time.Now().Add(-since)
			}
			return listActivity(c.Context(), s, datadir.Dir(data), f, filter, limit)
		},
	}
	c.Flags().StringVar(&filter.Person, "person", "", "only what this person did")
	c.Flags().StringVar(&filter.Action, "action", "", "only this action, such as 'sign in'")
	c.Flags().DurationVar(&since, "since", 0, "only of this last time, such as 24h")
	c.Flags().IntVar(&limit, "limit", 100, "how many at most")
	dataFlag(c, &data)
	output(c, &f, "table", "json")
	c.AddCommand(verifyCommand(s))
	return c
}

// recordOf opens the records of the folder that a server runs on, for what is recorded there.
func recordOf(ctx context.Context, d datadir.Dir) (*store.Store, error) {
	if d, _ = d.Served(); !d.Stored() {
		return nil, fmt.Errorf("no server has used %s yet", d)
	}
	return d.Open(ctx)
}

func listActivity(ctx context.Context, s streams, d datadir.Dir, f format, filter store.ActivityFilter, limit int) error {
	st, err := recordOf(ctx, d)
	if err != nil {
		return err
	}
	rows, next, err := st.Activities(ctx, filter, "", max(limit, 1))
	if err := errors.Join(err, st.Close()); err != nil {
		return err
	}
	if f == "json" {
		return writeJSON(s.out, map[string]any{"items": activityRows(rows), "more": next != ""})
	}
	t := newTable(s.out, "WHEN", "WHO", "FROM", "WHAT", "TO WHAT", "HOW", "OUTCOME")
	for _, a := range rows {
		t.row(a.At.Local().Format(time.DateTime), terminal.Plain(a.Person), terminal.Plain(a.Address), terminal.Plain(a.Action),
			terminal.Plain(a.Object), terminal.Plain(a.Detail), terminal.Plain(a.Outcome))
	}
	if next != "" {
		fmt.Fprintf(s.err, "these are the newest %d: see more with --limit\n", len(rows))
	}
	return t.flush()
}

type activityRow struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Person  string    `json:"person"`
	Role    string    `json:"role"`
	Address string    `json:"address"`
	Action  string    `json:"action"`
	Object  string    `json:"object"`
	Detail  string    `json:"detail"`
	Outcome string    `json:"outcome"`
}

func activityRows(all []store.Activity) []activityRow {
	out := []activityRow{}
	for _, a := range all {
		out = append(out, activityRow(a))
	}
	return out
}

func verifyCommand(s streams) *cobra.Command {
	var data string
	c := &cobra.Command{
		Use:   "verify",
		Short: "Whether the record of what people did is as it was written",
		Long: `Whether the record of what people did is as it was written: each row is held to the one before it. Keep
the number and hash of the end elsewhere: who can write the database could write the whole record anew, and
then has another hash there.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			st, err := recordOf(c.Context(), datadir.Dir(data))
			if err != nil {
				return err
			}
			chain, err := st.VerifyActivities(c.Context())
			if err := errors.Join(err, st.Close()); err != nil {
				return err
			}
			_, err = fmt.Fprintf(s.out, "%d rows, number %d to %d, are as they were written. The end is number %[3]d, hash %s\n", chain.Rows,
				chain.First, chain.Last, chain.Hash)
			return err
		},
	}
	dataFlag(c, &data)
	return c
}

// recorded records what a command did to a server's records or folder itself, without asking the server.
func recorded(ctx context.Context, st *store.Store, action, object string, done error) error {
	a := store.Activity{Person: whoRuns(), Role: store.Operator, Address: "command, process " + strconv.Itoa(os.Getpid()), Action: action,
		Object: redact.Text(object), Outcome: store.Done}
	if done != nil {
		a.Outcome = "failed"
	}
	return errors.Join(done, st.Record(ctx, a))
}

// recordedIn is recorded for what lies in a folder, where a server has records there.
func recordedIn(ctx context.Context, d datadir.Dir, action, object string, done error) error {
	if !d.Stored() {
		return done
	}
	st, err := d.Open(ctx)
	if err != nil {
		return errors.Join(done, err)
	}
	return errors.Join(recorded(ctx, st, action, object, done), st.Close())
}
