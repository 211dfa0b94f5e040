package store

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
)

// answers are what a method of a store answers, an error last.
func answers(all ...any) []any { return all }

func TestAStoreThatCannotBeReadSaysWhatWasAskedAndAnswersNothing(t *testing.T) {
	s, ctx := open(t, t.TempDir()+"/db"), t.Context()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for want, got := range map[string][]any{
		"read alert a":                           answers(s.Alert(ctx, "prod", "a")),
		"list alerts":                            answers(s.Alerts(ctx, AlertFilter{}, "", 5)),
		"count alerts":                           answers(s.CountAlerts(ctx, AlertFilter{})),
		"list clusters with alerts":              answers(s.AlertedClusters(ctx, now)),
		"store what came of events of prod":      answers(s.PutAnalysed(ctx, Analysed{Cluster: "prod"})),
		"read how far events of prod":            answers(s.EventPositions(ctx, "prod")),
		"read what analytics learned":            answers(s.AnalyticStates(ctx, "", "")),
		"count resolved paths":                   answers(s.CountResolved(ctx, PathFilter{})),
		"list resolved paths":                    answers(s.ResolvedPaths(ctx, PathFilter{}, "", 5)),
		"read path p":                            answers(s.ResolvedPath(ctx, "prod", "p")),
		"read path history":                      answers(s.PathHistory(ctx, "prod", "p")),
		"list open paths of prod":                answers(s.OpenPaths(ctx, "prod")),
		"rename paths of prod":                   answers(s.Rename(ctx, "prod", nil, now)),
		"store paths of prod":                    answers(s.Apply(ctx, Analysis{Cluster: "prod"})),
		"make audit token of prod":               answers(s.NewIngestToken(ctx, IngestToken{Cluster: "prod", Kind: "audit"})),
		"read token":                             answers(s.IngestToken(ctx, "t")),
		"list tokens":                            answers(s.IngestTokens(ctx)),
		"rotate token i":                         answers(s.RotateIngestToken(ctx, "i", "alice", 0)),
		"keep the certificate of n":              answers(s.AddCertificate(ctx, Certificate{Node: "n"}, true)),
		"read certificate":                       answers(s.Certificate(ctx, "prod", "1")),
		"list certificates":                      answers(s.Certificates(ctx)),
		"store layer l":                          answers(s.PutLayer(ctx, "l", nil)),
		"resume the queue of images":             answers(s.ResumeImages(ctx, "o")),
		"queue images":                           answers(s.WantImages(ctx, "o", nil)),
		"take an image from the queue":           answers(s.LeaseImage(ctx, "o", now, now, assess.Hosts{})),
		"renew leases of images":                 answers(s.RenewImages(ctx, "o", nil, now)),
		"look into the queue of images":          answers(s.NextImage(ctx)),
		"store image i":                          answers(s.FinishImage(ctx, "o", assess.Record{ID: "i"}, nil)),
		"store what new advisories say":          answers(s.SetImageStates(ctx, nil)),
		"forget registry r":                      answers(s.DeleteRegistry(ctx, "r")),
		"store the status of registry r":         answers(s.SetRegistryStatus(ctx, "r", nil)),
		"store repository r/web":                 answers(s.PutRepository(ctx, "r", "web", nil, nil)),
		"list repositories of r":                 answers(s.KeepRepositories(ctx, "r", nil)),
		"count images of registry r":             answers(s.RegistryImages(ctx, RegistryFilter{Host: "r"}, "", 5)),
		"list sensors":                           answers(s.Sensors(ctx, "")),
		"list runs of sensors":                   answers(s.SensorRuns(ctx, "")),
		"store sensor of n1":                     answers(s.PutSensor(ctx, Sensor{Node: "n1", Status: []byte(`{}`)})),
		"make sign-in token":                     answers(s.NewSignIn(ctx, time.Hour, "", "alice")),
		"sign in":                                answers(s.SignIn(ctx, "t", time.Hour)),
		"read session":                           answers(s.Session(ctx, "t")),
		"remove expired sessions":                answers(s.Sweep(ctx, nil, now)),
		"measure tables":                         answers(s.Sizes(ctx, nil)),
		"database is closed: layer":              answers(s.Layer(ctx, "l")),
		"read image i":                           answers(s.Image(ctx, "i")),
		"database is closed: requeue":            answers(s.RequeueImage(ctx, "i")),
		"database is closed: version":            answers(s.ClusterVersion(ctx, "prod")),
		"database is closed: tags":               answers(s.Tags(ctx, "")),
		"database is closed: places":             answers(s.Places(ctx, "r", "i")),
		"database is closed: registries":         answers(s.Registries(ctx)),
		"database is closed: builds":             answers(s.Builds(ctx)),
		"database is closed: a sensor forgotten": answers(s.ForgetSensor(ctx, "prod", "n1")),
	} {
		want, _, _ = strings.Cut(want, ":")
		last := len(got) - 1
		err, _ := got[last].(error)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "closed") {
			t.Errorf("%v: want %q, and that it is closed", err, want)
		}
		for _, v := range got[:last] {
			if v != nil && !reflect.ValueOf(v).IsZero() {
				t.Errorf("%s: answered %v", want, v)
			}
		}
	}
}
