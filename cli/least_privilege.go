package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/event/audit"
	"github.com/breakwater-sec/breakwater/rbac"
	"github.com/breakwater-sec/breakwater/server"
)

func leastPrivilegeCommand(s streams) *cobra.Command {
	var in input
	var logs []string
	c := &cobra.Command{
		Use:   "least-privilege SUBJECT",
		Short: "The smallest role that still allows what an audit log shows an identity doing",
		Long: `The smallest role that still allows what an audit log shows an identity doing.

SUBJECT is serviceaccount:NAMESPACE/NAME or a user's name. The roles and bindings come as
YAML; what the identity then no longer may, of the powers that matter to an attacker, is told
beside them. What happens rarely may be in no log: read one that covers a release, a failure
and the jobs of a month, and look at what goes before you remove the old bindings.`,
		Example: `  breakwater least-privilege serviceaccount:shop/web --audit audit.log --from context:prod`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			who, err := rbac.ParseSubject(args[0])
			switch {
			case err != nil:
				return err
			case who.Kind == "Group":
				return errors.New("want an account or a user: an audit log tells who acted, not as a member of which group")
			case len(in.from) != 1 || len(logs) == 0:
				return errors.New("want one --from with the cluster's roles and bindings, and --audit with its log")
			}
			facts, err := in.facts(c.Context())
			if err != nil {
				return err
			}
			done, err := doneBy(c.InOrStdin(), s, who, logs)
			if err != nil {
				return err
			}
			rules, err := server.LoadRules(in.rules)
			if err != nil {
				return err
			}
			return leastOf(s, facts[0], who, done, rules.Powers)
		},
	}
	in.flags(c)
	c.Flags().StringArrayVar(&logs, "audit", nil, "a Kubernetes audit log, gzip or not; may repeat")
	return c
}

// doneBy is what the logs show the subject doing that was allowed, each once.
func doneBy(stdin io.Reader, s streams, who rbac.Subject, logs []string) ([]rbac.Request, error) {
	user, _ := who.As()
	seen := map[rbac.Request]bool{}
	var out []rbac.Request
	rejected := 0
	for _, file := range logs {
		in, closed, err := openLog(stdin, file)
		if err != nil {
			return nil, fmt.Errorf("read --audit %s: %w", file, err)
		}
		d := audit.Decoder{Envelopes: true}
		err = d.Read(in, func(b *audit.Batch) error {
			rejected += len(b.Rejected) + b.Dropped
			for _, e := range b.Events {
				one := func(field string) string { return strings.Join(e.Fields[field], "") } // of one value at most
				r := rbac.Request{Verb: one("verb"), Group: one("objectRef.apiGroup"), Resource: one("objectRef.resource"),
					Subresource: one("objectRef.subresource"), Namespace: one("objectRef.namespace"), Name: one("objectRef.name")}
				if r.Resource == "" {
					r = rbac.Request{Verb: r.Verb, Path: one("request.path")}
				}
				acting := cmp.Or(one("impersonatedUser.username"), one("user.username"))
				if acting == user && one("outcome") != "denied" && !seen[r] {
					seen[r] = true
					out = append(out, r)
				}
			}
			return nil
		})
		if err := errors.Join(err, closed()); err != nil {
			return nil, fmt.Errorf("read --audit %s: %w", file, err)
		}
	}
	if rejected > 0 {
		fmt.Fprintf(s.err, "%d events of the logs could not be read: what they show is missing from the role\n", rejected)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("the logs show no request of %s: want a log that covers what it does", who)
	}
	return out, nil
}

// leastOf writes the roles, and tells what is lost by them.
func leastOf(s streams, f *collect.Facts, who rbac.Subject, done []rbac.Request, powers []rbac.Power) error {
	j := rbac.New(f)
	own := slices.DeleteFunc(done, func(r rbac.Request) bool { return !j.Can(who, r).Own() })
	least := rbac.Least(own)
	for i, o := range rbac.Manifests(who, least) {
		text, err := yaml.Marshal(o)
		if err != nil {
			return err
		}
		if i > 0 {
			fmt.Fprintln(s.out, "---")
		}
		if _, err := s.out.Write(text); err != nil {
			return err
		}
	}
	before, after := powersOf(j, who, powers), powersOf(rbac.New(rbac.Replaced(f, who, least)), who, powers)
	for _, power := range before {
		if !slices.Contains(after, power) {
			fmt.Fprintf(s.err, "no longer: %s\n", power)
		}
	}
	fmt.Fprintf(
		s.err,
		"%d of %d requests in the log rest on bindings of %s; with this role it holds %d of the %d powers that it holds now\n",
		len(own),
		len(done),
		who,
		len(after),
		len(before),
	)
	printGaps(s.err, append(j.Gaps(), unreadFiles(f)...))
	return nil
}

func powersOf(j *rbac.Judge, who rbac.Subject, powers []rbac.Power) (out []string) {
	for _, h := range j.Holds(powers) {
		if h.Subject == who {
			out = append(out, h.Power+" in "+h.Scope.String())
		}
	}
	return out
}
