package detect_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/detect/builtin"
	"github.com/breakwater-sec/breakwater/event/audit"
)

// moment is a request, and which rules may tell of it if it is an anomaly.
type moment struct {
	at      time.Time
	ask     ask
	anomaly string // what is odd about it; "" if it is a day like any other
	rules   string
}

// days are made-up weeks of a small cluster: what programs and people do day by day, with chance in when and how often. They are no
// recording: they try what is remembered, not what clusters are like.
func days(n int, random *rand.Rand) (out []moment) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	account := func(space, name string) ask {
		return ask{user: "system:serviceaccount:" + space + ":" + name, groups: []string{"system:serviceaccounts",
			"system:serviceaccounts:" + space},
			sources: "10.0.0." + fmt.Sprint(1+len(name)), agent: name + "/v1"}
	}
	for day := range n {
		sometime := func() time.Time {
			return start.Add(time.Duration(day)*24*time.Hour + time.Duration(random.Int64N(int64(24*time.Hour))))
		}
		do := func(times int, a ask) {
			for range times {
				out = append(out, moment{at: sometime(), ask: a})
			}
		}
		with := func(a ask, verb, what, space, name string) ask {
			a.verb, a.what, a.space, a.name, a.level = verb, what, space, name, "Metadata"
			return a
		}
		for team := range 8 {
			space := fmt.Sprint("team-", team)
			app, operator := account(space, "app"), account("platform", "operator")
			do(12+random.IntN(6), with(app, "get", "secrets", space, "database"))
			do(6, with(app, "patch", "configmaps", space, "state"))
			do(10, with(operator, "list", "secrets", space, ""))
			do(8, with(operator, "update", "configmaps", space, "rendered"))
			do(random.IntN(4), with(ask{user: fmt.Sprint("dev-", team), sources: "192.0.2.1"}, "get", "secrets", space, "database"))
			refused := with(app, "list", "nodes", "-", "")
			refused.code = "403"
			do(random.IntN(5), refused)
			enters := with(ask{user: fmt.Sprint("dev-", team), sources: "192.0.2.1"}, "get", "pods/exec", space, fmt.Sprint("app-", random.IntN(3)))
			enters.code = "101"
			do(random.IntN(3), enters)
		}
	}
	return out
}

// anomalies are twenty odd things on the days after.
func anomalies(after int) (out []moment) {
	day := time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC).Add(time.Duration(after) * 24 * time.Hour)
	app := func(team int) ask {
		space := fmt.Sprint("team-", team)
		return ask{user: "system:serviceaccount:" + space + ":app", groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + space},
			level: "Metadata", space: space, sources: "203.0.113.9"}
	}
	n := 0
	odd := func(what, rules string, each time.Duration, asks ...ask) {
		at := day.Add(time.Duration(n) * 67 * time.Minute)
		n++
		for i, a := range asks {
			out = append(out, moment{at.Add(time.Duration(i) * each), a, what, rules})
		}
	}
	many := func(times int, of func(i int) ask) (all []ask) {
		for i := range times {
			all = append(all, of(i))
		}
		return all
	}
	for i, what := range []string{"create batch/jobs/", "create pods/exec", "list nodes", "delete apps/deployments/",
		"create rbac.authorization.k8s.io/rolebindings/",
		"patch admissionregistration.k8s.io/validatingwebhookconfigurations/"} {
		a := app(i)
		a.verb, a.what, _ = strings.Cut(what, " ")
		odd(fmt.Sprintf("the app of team %d asks to %s", i, what), "account-does-something-new", 0, a)
	}
	for i := range 4 {
		a := app(i)
		if i%2 == 0 {
			a.user, a.groups = fmt.Sprint("dev-", i), nil
		}
		odd(fmt.Sprintf("%s reads Secrets of seven namespaces", a.user), "secrets-read-widely", 2*time.Second, many(7, func(n int) ask {
			b := a
			b.verb, b.what, b.space, b.name = "list", "secrets", fmt.Sprint("team-", n), "y"
			return b
		})...)
	}
	for i := range 4 {
		a := app((i + 3) % 8)
		if i%2 == 0 {
			a.user, a.groups = fmt.Sprint("stranger-", i), nil
		}
		a.verb, a.what, a.space, a.name = "get", "secrets", fmt.Sprint("team-", i), "database"
		odd(fmt.Sprintf("%s reads the Secret of team %d", a.user, i), "secret-read-anew account-does-something-new", 0, a)
	}
	for i := range 3 {
		odd(fmt.Sprintf("the app of team %d is refused forty times", i), "refused-often", time.Second, many(40, func(n int) ask {
			b := app(i)
			b.verb, b.what, b.code = "list", fmt.Sprint("kind-", n), "403"
			return b
		})...)
	}
	for i := range 2 {
		odd(fmt.Sprintf("dev-%d enters six pods", i), "many-pods-entered", 20*time.Second, many(6, func(n int) ask {
			return ask{user: fmt.Sprint("dev-", i), verb: "get", what: "pods/exec", space: "team-0", name: fmt.Sprint("app-", n),
				code: "101", level: "Metadata"}
		})...)
	}
	token := app(1)
	token.what, token.name, token.code = "serviceaccounts/token", "operator", "201"
	token.space = "platform"
	secrets := app(1)
	secrets.verb, secrets.what, secrets.space = "list", "secrets", "platform"
	odd("a token of another account, and Secrets", "token-then-secrets", time.Minute, token, secrets)
	return out
}

// TestWhatIsOddIsToldAndADayIsNot: of twenty odd things after two weeks at least eighteen are told of by a rule that
// remembers, and no more than one alert in a day is about what is as ever.
func TestWhatIsOddIsToldAndADayIsNot(t *testing.T) {
	rules, err := builtin.Load()
	if err != nil {
		t.Fatal(err)
	}
	const weeks, more = 14, 3
	all := append(days(weeks+more, rand.New(rand.NewPCG(1, 2))), anomalies(weeks+1)...)
	slices.SortStableFunc(all, func(a, b moment) int { return a.at.Compare(b.at) })
	d, g := audit.Decoder{Cluster: "prod"}, detect.New(rules, nil, detect.Options{})
	remember := strings.Fields(
		"account-does-something-new secrets-read-elsewhere secrets-read-widely secret-read-anew refused-often " +
			"many-pods-entered token-then-secrets",
	)
	found, asked, wrong := map[string]bool{}, map[string]bool{}, 0
	for i, m := range all {
		m.ask.at, m.ask.id = m.at.Format(time.RFC3339Nano), fmt.Sprint(i)
		b, err := d.Decode([]byte(m.ask.event()))
		if err != nil || len(b.Events) != 1 {
			t.Fatal(err)
		}
		if m.anomaly != "" {
			asked[m.anomaly] = true
		}
		for _, a := range g.Feed(b.Events) {
			switch {
			case !slices.Contains(remember, a.Rule):
			case m.anomaly == "":
				wrong++
				t.Logf("%s: %s %v", m.at, a.Rule, a.Evidence)
			case slices.Contains(strings.Fields(m.rules), a.Rule):
				found[m.anomaly] = true
			}
		}
	}
	for what := range asked {
		if !found[what] {
			t.Logf("not told: %s", what)
		}
	}
	t.Logf("%d of %d odd things in %d events of %d days; %d alerts about what is as ever", len(found), len(asked), len(all), weeks+more, wrong)
	if len(asked) != 20 || len(found) < 18 || wrong > weeks+more {
		t.Errorf("%d of %d found, %d alerts about what is as ever", len(found), len(asked), wrong)
	}
}
