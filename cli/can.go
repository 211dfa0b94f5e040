package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/rbac"
)

// errNo is the answer to a question that was asked to be answered by the exit code.
var errNo = errors.New("nobody asked about may")

// permit is what can says of one identity in one cluster.
type permit struct {
	Cluster string `json:"cluster"`
	Subject string `json:"subject"`
	Request string `json:"request"`
	// Answer is yes, no or unknown: roles or bindings that may say yes could not be read.
	Answer string `json:"answer"`
	Why    string `json:"why"`
	// Binding and Role prove a yes.
	Binding string `json:"binding,omitempty"`
	Role    string `json:"role,omitempty"`
}

type permits struct {
	Answers []permit      `json:"answers"`
	Gaps    []collect.Gap `json:"gaps"`
}

func canCommand(s streams) *cobra.Command {
	var in input
	var f format
	var namespace, name string
	c := &cobra.Command{
		Use:   "can SUBJECT VERB RESOURCE",
		Short: "May this identity do that? With the binding, role and rule that say so",
		Long: `May this identity do that? With the binding, role and rule that say so.

SUBJECT is serviceaccount:NAMESPACE/NAME, group:NAME, a user's name, or '*' for everybody
who may. RESOURCE is written as for kubectl auth can-i: pods, deployments.apps, pods/exec,
or a path such as /metrics. Without --namespace the whole cluster is asked about.

It exits with 0 for yes and with 1 for no, and for unknown, where a role or binding that
may say yes could not be read, where a node asks, and where a user may be in a group of
OpenShift. Only RBAC is judged: other authorizers are not seen.`,
		Example: `  breakwater can serviceaccount:shop/web get secrets -n shop --from context:prod
  breakwater can '*' create pods/exec -n shop --from ./manifests`,
		Args: cobra.ExactArgs(3),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := rbac.ParseResource(args[2])
			if err != nil {
				return err
			}
			r.Verb, r.Namespace, r.Name = args[1], namespace, name
			if r.Resource == "namespaces" && r.Group == "" && namespace == "" {
				r.Namespace = name // the API server asks about a namespace in itself
			}
			if r.Path != "" && namespace+name != "" {
				return errors.New("a path lies in no namespace and has no name")
			}
			if len(in.from) == 0 {
				return errors.New("want --from: this question is answered from a cluster's roles and bindings")
			}
			facts, err := in.facts(c.Context())
			if err != nil {
				return err
			}
			all := permits{Answers: []permit{}, Gaps: []collect.Gap{}}
			for _, each := range facts {
				if err := all.ask(each, args[0], r); err != nil {
					return err
				}
			}
			return all.print(s, f)
		},
	}
	in.flags(c)
	output(c, &f, "table", "json", "jsonl")
	c.Flags().StringVarP(&namespace, "namespace", "n", "", "the namespace that is asked about; without it, the whole cluster")
	c.Flags().StringVar(&name, "name", "", "the one object that is asked about; without it, every one")
	return c
}

// ask puts the question about one cluster.
func (a *permits) ask(f *collect.Facts, who string, r rbac.Request) error {
	j := rbac.New(f)
	unread := unreadFiles(f)
	a.Gaps = append(append(a.Gaps, j.Gaps()...), unread...)
	doubt, groups := unseenRights(f, unread), f.Unread["groups.user.openshift.io"] != 0
	if who == "*" {
		for _, subject := range j.Identities() {
			if d := j.Can(subject, r); d.Allowed || len(d.Unread) > 0 {
				a.add(f.Cluster.Name, d, doubt, groups)
			}
		}
		return nil
	}
	subject, err := rbac.ParseSubject(who)
	if err != nil {
		return err
	}
	known := j.Knows(subject)
	if subject.Kind == "User" && !known && strings.Count(subject.Name, "/") == 1 {
		return fmt.Errorf("no binding names a user %q; did you mean serviceaccount:%s?", subject.Name, subject.Name)
	}
	d := j.Can(subject, r)
	a.add(f.Cluster.Name, d, doubt, groups)
	if !d.Allowed && !known && subject.Kind == "ServiceAccount" {
		a.Answers[len(a.Answers)-1].Why += " There is no such account among what was read."
	}
	return nil
}

// unreadFiles are the files and documents that could not be read: each may hold anything.
func unreadFiles(f *collect.Facts) (out []collect.Gap) {
	for _, g := range f.Gaps {
		if g.Source == "file" && len(g.Kinds) == 0 {
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b collect.Gap) int { return strings.Compare(a.What, b.What) })
	return out
}

// unseenRights says which bindings and roles may be there and were not seen, so that "no"
// cannot be said; empty where all were.
func unseenRights(f *collect.Facts, unread []collect.Gap) string {
	var what []string
	for _, resource := range []string{"clusterrolebindings", "clusterroles", "rolebindings", "roles"} {
		if _, lost := f.Unseen(resource); lost {
			what = append(what, resource)
		}
	}
	if len(unread) > 0 {
		what = append(what, unread[0].What)
	}
	if len(what) == 0 {
		return ""
	}
	return " What could not be read may: " + strings.Join(what, ", ") + "."
}

// add takes an answer; doubt is what may change it from no, and groups whether there are any
// whose members are not known.
func (a *permits) add(cluster string, d rbac.Decision, doubt string, groups bool) {
	out := permit{Cluster: cluster, Subject: d.Subject.String(), Request: d.Request.String(), Answer: "no", Why: d.Explain()}
	switch {
	case d.Allowed:
		out.Answer = "yes"
		if w := d.Witness; w.Rule >= 0 {
			out.Binding, out.Role = w.Binding.String(), w.Role.String()
		}
	case len(d.Unread) > 0:
		out.Answer = "unknown"
	case doubt != "":
		out.Answer = "unknown"
		out.Why += doubt
	case groups && d.Subject.Kind == "User":
		out.Answer = "unknown"
		out.Why += " It may be in a group of OpenShift, whose members are not read."
	case isOfNodes(d.Subject):
		out.Answer = "unknown"
		out.Why += " It stands for nodes, and what the node authorizer lets them do is not judged."
	}
	a.Answers = append(a.Answers, out)
}

// isOfNodes says that kubelets ask as the subject: most of what they may is in no role.
func isOfNodes(s rbac.Subject) bool {
	return s.Kind == "User" && strings.HasPrefix(s.Name, "system:node:") || s.Kind == "Group" && s.Name == "system:nodes"
}

func (a *permits) print(s streams, f format) error {
	err := writeAs(s, f, a, a.Answers, a.Gaps, func() error {
		t := newTable(s.out, "CLUSTER", "SUBJECT", "ANSWER", "WHY")
		for _, each := range a.Answers {
			t.row(each.Cluster, each.Subject, each.Answer, each.Why)
		}
		return t.flush()
	})
	if err != nil {
		return err
	}
	for _, each := range a.Answers {
		if each.Answer == "yes" {
			return nil
		}
	}
	return fmt.Errorf("%w do this", errNo)
}
