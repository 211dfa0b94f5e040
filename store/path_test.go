package store

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func found(ids ...string) []FoundPath {
	var out []FoundPath
	for _, id := range ids {
		out = append(out, FoundPath{ID: id, Body: []byte(`{"id":"` + id + `"}`)})
	}
	return out
}

func TestAPathWhoseBodyIsMadeLaterIsStoredAsOneThatIsHeld(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		for n, step := range []struct {
			name string
			held bool
			body string
			want Applied
			made int
		}{
			{"it opens", false, `{"id":"p"}`, Applied{Opened: 1}, 2},
			{"held, it is the same", true, `{"id":"p"}`, Applied{}, 0},
			{"it is the same, and not made to be written", false, `{"id":"p"}`, Applied{}, 1},
			{"it is different", false, `{"id":"p","title":"t"}`, Applied{Changed: 1}, 2},
			{"held, it is different", true, `{"id":"p"}`, Applied{Changed: 1}, 0},
		} {
			made, p := 0, FoundPath{ID: "p", Body: []byte(step.body)}
			if !step.held {
				var err error
				p, err = FoundLater("p", "", func() ([]byte, error) { made++; return []byte(step.body), nil })
				if err != nil {
					t.Fatal(err)
				}
			}
			done, _, err := s.Apply(t.Context(), Analysis{Cluster: "prod", Version: uint64(n + 1), At: time.Unix(1000, 0), Paths: []FoundPath{p}})
			if err != nil || done != step.want || made != step.made {
				t.Errorf("%s: %+v, made %d times, %v; want %+v, %d times", step.name, done, made, err, step.want, step.made)
			}
			if open, err := s.OpenPaths(t.Context(), "prod"); err != nil || len(open) != 1 || string(open[0].Body) != step.body {
				t.Errorf("%s: %s is stored, %v", step.name, open[0].Body, err)
			}
		}
	})
	if _, err := FoundLater("p", "", func() ([]byte, error) { return nil, errors.New("no number") }); err == nil {
		t.Error("a body that cannot be made is stored")
	}
}

// lives tells the newest life of every path of the cluster prod.
func lives(t *testing.T, s *Store) string {
	t.Helper()
	open, err := s.OpenPaths(t.Context(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	past, _, err := s.ResolvedPaths(t.Context(), PathFilter{Within: []Tenancy{{Cluster: "prod"}}}, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	return told(append(open, past...))
}

func told(ls []PathLife) string {
	var out []string
	for _, l := range ls {
		out = append(out, fmt.Sprintf("%s %s since %d", l.ID, l.Status, l.FirstSeen.Unix()))
	}
	return strings.Join(out, "; ")
}

func TestAPathOpensGoesStaleComesBackAndResolvesWithOneLife(t *testing.T) {
	stores(t, oneLife)
}

func oneLife(t *testing.T, s *Store) {
	ctx := t.Context()
	at := func(n int64) time.Time { return time.Unix(1000+n, 0) }
	hold := func(why string) func(string) string { return func(string) string { return why } }
	steps := []struct {
		name string
		a    Analysis
		want Applied
		now  string
	}{
		{"a new path opens", Analysis{Paths: found("p")}, Applied{Opened: 1}, "p active since 1001"},
		{"the same again changes nothing", Analysis{Paths: found("p")}, Applied{}, "p active since 1001"},
		{"missing while services are unreadable is stale", Analysis{Hold: hold("services: 403")}, Applied{Staled: 1}, "p stale since 1001"},
		{"still unreadable is no news", Analysis{Hold: hold("services: 403")}, Applied{}, "p stale since 1001"},
		{"seen again keeps its first day", Analysis{Paths: found("p")}, Applied{Revived: 1}, "p active since 1001"},
		{"really gone resolves", Analysis{Hold: hold("")}, Applied{Resolved: 1}, "p resolved since 1001"},
		{"back later is a new life", Analysis{Paths: found("p")}, Applied{Opened: 1}, "p active since 1007"},
	}
	for i, step := range steps {
		step.a.Cluster, step.a.Version, step.a.At = "prod", uint64(i+1), at(int64(i+1))
		got, open, err := s.Apply(ctx, step.a)
		if err != nil || got != step.want {
			t.Fatalf("%s: %+v, %v, want %+v", step.name, got, err, step.want)
		}
		if now := lives(t, s); now != step.now {
			t.Fatalf("%s: %s, want %s", step.name, now, step.now)
		}
		if said := told(open); !strings.Contains(step.now, "resolved") && said != step.now {
			t.Fatalf("%s: Apply says that %s is open, want %s", step.name, said, step.now)
		}
	}
	if got, _, err := s.Apply(ctx, Analysis{Cluster: "prod", Version: 1, At: at(99)}); err != nil || got != (Applied{}) {
		t.Fatalf("an analysis older than the stored one must be ignored: %+v, %v", got, err)
	}
	history, err := s.PathHistory(ctx, "prod", "p")
	if err != nil {
		t.Fatal(err)
	}
	var whats []string
	for _, e := range history {
		whats = append(whats, e.What)
	}
	if got := strings.Join(whats, ", "); got != "opened, stale: services: 403, seen again, resolved, opened" {
		t.Errorf("history: %s", got)
	}
}

// searchable is a path's body as the analysis writes it.
func searchable(id, title string, score int, namespace, image, cve string) FoundPath {
	risk := map[bool]string{true: "high", false: "low"}[score > 50]
	return FoundPath{ID: id, Body: fmt.Appendf(nil, `{"id":%q,"type":"node-takeover","title":%q,"risk":%q,"riskScore":%d,"namespace":%q,
		"entry":{"id":"internet","name":"Internet"},
		"foothold":{"id":"prod/%[5]s/Deployment/web/app","name":"app","workload":"Deployment/web"},
		"target":{"id":"prod/Node/n1","name":"n1"},
		"nodes":[{"id":"internet"},
			{"id":"prod/%[5]s/Deployment/web/app","namespace":%[5]q,"members":["prod/%[5]s/Pod/web-1/app"],"images":[{"id":%[6]q}]},
			{"id":"prod/Node/n1"}],
		"owners":["prod/%[5]s/Deployment/web"],"vulnerabilities":[{"id":%[7]q}]}`, id, title, risk, score, namespace, image, cve)}
}

func TestAnalysesThatFindTheSameWriteNothing(t *testing.T) {
	s, ctx := open(t, filepath.Join(t.TempDir(), "b.db")), t.Context()
	a := Analysis{Cluster: "prod", Version: 1, At: time.Unix(1000, 0),
		Paths: []FoundPath{searchable("p", "A", 10, "shop", "sha256:1", "CVE-1")}}
	if _, _, err := s.Apply(ctx, a); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.ExecContext(ctx, `CREATE TABLE written (what TEXT);
		CREATE TRIGGER t1 AFTER UPDATE ON paths BEGIN INSERT INTO written VALUES ('path'); END;
		CREATE TRIGGER t2 AFTER INSERT ON paths BEGIN INSERT INTO written VALUES ('path'); END;
		CREATE TRIGGER t3 AFTER INSERT ON path_history BEGIN INSERT INTO written VALUES ('event'); END;`); err != nil {
		t.Fatal(err)
	}
	writes := func() (n int) {
		if err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM written`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	a.Version, a.At = 2, time.Unix(2000, 0)
	if done, _, err := s.Apply(ctx, a); err != nil || done != (Applied{}) || writes() != 0 {
		t.Errorf("%+v, %v, %d writes", done, err, writes())
	}
	a.Version, a.Paths = 3, []FoundPath{searchable("p", "B", 10, "shop", "sha256:1", "CVE-1")}
	if done, _, err := s.Apply(ctx, a); err != nil || done != (Applied{Changed: 1}) || writes() == 0 {
		t.Errorf("%+v, %v, %d writes", done, err, writes())
	}
}

// resolvedPaths has three paths of prod that were resolved at 2000, and one of dev.
func resolvedPaths(t *testing.T, s *Store) {
	t.Helper()
	for cluster, paths := range map[string][]FoundPath{
		"prod": {searchable("a", "Pod takes over node", 90, "shop", "sha256:1", "CVE-1"),
			searchable("b", "Pod takes over node", 90, "pay", "sha256:2", "CVE-2"),
			searchable("c", "Something small", 10, "shop_2", "sha256:1", "CVE-10")},
		"dev": {searchable("a", "Pod takes over node", 95, "shop", "sha256:1", "CVE-1")},
	} {
		for v, found := range [][]FoundPath{paths, nil} {
			if _, _, err := s.Apply(t.Context(), Analysis{Cluster: cluster, Version: uint64(v + 1), At: time.Unix(int64(v+1)*1000, 0),
				Paths: found}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func keys(ls []PathLife) string {
	var out []string
	for _, l := range ls {
		out = append(out, l.Cluster+"/"+l.ID)
	}
	return strings.Join(out, " ")
}

func TestResolvedPathsAreFoundByEverythingThatIsSaidOfThem(t *testing.T) { stores(t, findResolved) }

func findResolved(t *testing.T, s *Store) {
	resolvedPaths(t, s)
	prod, both := []Tenancy{{Cluster: "prod"}}, []Tenancy{{Cluster: "prod"}, {Cluster: "dev"}}
	tests := []struct {
		name string
		f    PathFilter
		want string
	}{
		{"everything, worst first", PathFilter{Within: both}, "dev/a prod/a prod/b prod/c"},
		{"nothing is within nothing", PathFilter{}, ""},
		{"of the clusters to look in", PathFilter{Within: prod}, "prod/a prod/b prod/c"},
		{"of a namespace to look in, whose name is no pattern", PathFilter{Within: []Tenancy{{"prod", []string{"shop"}}}}, "prod/a"},
		{"an underscore is no pattern", PathFilter{Within: []Tenancy{{"prod", []string{"sho_"}}}}, ""},
		{"of namespaces of several clusters",
			PathFilter{Within: []Tenancy{{"prod", []string{"pay", "shop_2"}}, {"dev", []string{"pay"}}}}, "prod/b prod/c"},
		{"a cluster outside is not found by asking for it", PathFilter{Within: prod, Cluster: "dev"}, ""},
		{"by cluster", PathFilter{Within: both, Cluster: "dev"}, "dev/a"},
		{"by namespace", PathFilter{Within: both, Namespace: "pay"}, "prod/b"},
		{"by one risk", PathFilter{Within: prod, Risks: []string{"low"}}, "prod/c"},
		{"by risk", PathFilter{Within: prod, Risks: []string{"high", "critical"}}, "prod/a prod/b"},
		{"by type", PathFilter{Within: prod, Type: "cluster-admin"}, ""},
		{"by an image", PathFilter{Within: prod, Entity: "sha256:1"}, "prod/a prod/c"},
		{"by one pod of a workload", PathFilter{Within: prod, Entity: "prod/pay/Pod/web-1/app"}, "prod/b"},
		{"by the workload", PathFilter{Within: prod, Entity: "prod/pay/Deployment/web"}, "prod/b"},
		{"part of an id is not the id", PathFilter{Within: prod, Entity: "sha256"}, ""},
		{"by a vulnerability and none whose id begins so", PathFilter{Within: prod, Vulnerability: "CVE-1"}, "prod/a"},
		{"by words of title and names", PathFilter{Within: both, Words: []string{"NODE", "dev", "deployment/web"}}, "dev/a"},
		{"by words, all of them", PathFilter{Within: prod, Words: []string{"node", "small"}}, ""},
		{"% is no wildcard", PathFilter{Within: prod, Words: []string{"%"}}, ""},
		{"not those of long ago", PathFilter{Within: prod, Since: time.Unix(2001, 0)}, ""},
		{"those of that moment", PathFilter{Within: prod, Since: time.Unix(2000, 0), Type: "node-takeover"}, "prod/a prod/b prod/c"},
	}
	for _, test := range tests {
		got, next, err := s.ResolvedPaths(t.Context(), test.f, "", 10)
		n, err2 := s.CountResolved(t.Context(), test.f)
		if err != nil || err2 != nil || keys(got) != test.want || n != len(got) || next != "" {
			t.Errorf("%s: %q, counted %d, next %q, %v, %v; want %q", test.name, keys(got), n, next, err, err2, test.want)
		}
	}
	t.Run("page by page", func(t *testing.T) {
		var all []PathLife
		for cursor := ""; ; {
			page, next, err := s.ResolvedPaths(t.Context(), PathFilter{Within: both}, cursor, 1)
			if err != nil || len(page) != 1 {
				t.Fatal(page, err)
			}
			all = append(all, page...)
			if cursor = next; next == "" {
				break
			}
		}
		if got := keys(all); got != "dev/a prod/a prod/b prod/c" {
			t.Error(got)
		}
		for _, cursor := range []string{"?", "eA", writeCursor(alertKey{ID: "x"})} {
			if _, _, err := s.ResolvedPaths(t.Context(), PathFilter{Within: both}, cursor, 1); err == nil {
				t.Errorf("cursor %q is taken", cursor)
			}
		}
	})
	t.Run("one that is open again is not in the past", func(t *testing.T) {
		if _, _, err := s.Apply(t.Context(), Analysis{Cluster: "prod", Version: 3, At: time.Unix(3000, 0),
			Paths: []FoundPath{searchable("a", "Pod takes over node", 90, "shop", "sha256:1", "CVE-1")}}); err != nil {
			t.Fatal(err)
		}
		got, _, err := s.ResolvedPaths(t.Context(), PathFilter{Within: prod}, "", 10)
		if err != nil || keys(got) != "prod/b prod/c" {
			t.Error(keys(got), err)
		}
		if l, err := s.ResolvedPath(t.Context(), "prod", "a"); err == nil {
			t.Errorf("%+v", l)
		}
		if l, err := s.ResolvedPath(t.Context(), "prod", "none"); !errors.Is(err, ErrNotFound) {
			t.Errorf("%+v, %v", l, err)
		}
		if l, err := s.ResolvedPath(t.Context(), "prod", "b"); err != nil || l.Status != Resolved || l.LastSeen.Unix() != 2000 ||
			len(l.Body) == 0 {
			t.Errorf("%+v, %v", l, err)
		}
	})
}

func TestLivesOfAnOlderDatabaseStayAndCanBeSearched(t *testing.T) {
	places(t, olderDatabase)
}

func olderDatabase(t *testing.T, where string) {
	db, words := openOld(t, where)
	old := slices.Index(migrations, script("09-searched-paths.sql"))
	exec := func(statement string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec(`CREATE TABLE schema_version (version INTEGER NOT NULL)`)
	for v, statements := range migrations[:old] {
		exec(words.schema(statements))
		exec(`INSERT INTO schema_version VALUES (?)`, v+1)
	}
	p := searchable("p", "Pod takes over node", 90, "shop", "sha256:1", "CVE-1")
	exec(`INSERT INTO clusters VALUES ('prod', 7, 5000000)`)
	exec(`INSERT INTO paths (cluster_id, id, opened_at, resolved_at, stale, hash, body) VALUES
		('prod', 'p', 1000000, 2000000, '', 'h', ?),
		('prod', 'q', 1000000, NULL, '', ?, ?),
		('prod', 'r', 1000000, NULL, 'services: 403', 'h', ?),
		('prod', 'broken', 1000000, NULL, '', 'h', '{'),
		('prod', 'other', 1000000, NULL, '', 'h', '{"title":1}')`,
		string(p.Body), bodyHash(p.Body), string(p.Body), string(p.Body))
	s := open(t, where)
	if got := lives(t, s); got != "broken active since 1000; other active since 1000; q active since 1000; "+
		"r stale since 1000; p resolved since 1000" {
		t.Error(got)
	}
	found, _, err := s.ResolvedPaths(t.Context(), PathFilter{Within: []Tenancy{{"prod", []string{"shop"}}}, Entity: "sha256:1",
		Vulnerability: "CVE-1", Risks: []string{"high"}, Words: []string{"takes"}}, "", 10)
	if err != nil || keys(found) != "prod/p" || string(found[0].Body) != string(p.Body) {
		t.Error(found, err)
	}
	// What was open and is found as it was is not news.
	q := p
	q.ID = "q"
	done, _, err := s.Apply(t.Context(), Analysis{Cluster: "prod", Version: 8, At: time.Unix(6000, 0), Paths: []FoundPath{q},
		Hold: func(string) string { return "held" }})
	if err != nil || done != (Applied{Staled: 3}) {
		t.Errorf("%+v, %v", done, err)
	}
}

// What a store of an earlier version holds is told as unchanged by its hash.
func TestTheHashOfABodyStays(t *testing.T) {
	if got := bodyHash([]byte(`{"id":"p"}`)); got != "c0ab2f1e038b57e3088c7857959b981a" {
		t.Error(got)
	}
}

func TestAnAnalysisOfTheSameVersionIsNotOlder(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		for _, c := range []struct{ version, at, seen int64 }{{2, 1000, 1000}, {2, 2000, 2000}, {1, 3000, 2000}} {
			if _, _, err := s.Apply(t.Context(), Analysis{Cluster: "prod", Version: uint64(c.version), At: time.Unix(c.at, 0),
				Paths: found("p")}); err != nil {
				t.Fatal(err)
			}
			open, err := s.OpenPaths(t.Context(), "prod")
			if v, err2 := s.ClusterVersion(t.Context(), "prod"); err != nil || err2 != nil || len(open) != 1 ||
				open[0].LastSeen.Unix() != c.seen || v != 2 {
				t.Errorf("%v, version %d, %v, %v; want it seen at %d", open, v, err, err2, c.seen)
			}
		}
		body := []byte(`{"title":1}`)
		if _, _, err := s.Apply(t.Context(), Analysis{Cluster: "prod", Version: 3, At: time.Unix(4000, 0),
			Paths: []FoundPath{{ID: "q", Body: body}}}); err == nil || !strings.Contains(err.Error(), "read path q") {
			t.Errorf("a body that cannot be read: %v", err)
		}
		if got := lives(t, s); got != "p active since 1000" {
			t.Errorf("what cannot be kept whole is not kept: %s", got)
		}
	})
}

// openOld opens a database without migrating it.
func openOld(t *testing.T, where string) (*sql.DB, dialect) {
	t.Helper()
	opens := openSQLite
	if isPostgres(where) {
		opens = openPostgres
	}
	s, err := opens(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.db, s.dialect
}
