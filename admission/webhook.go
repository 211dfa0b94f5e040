package admission

import (
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

// webhook is one that may refuse what it is asked about; by what, only itself knows.
type webhook struct{ admissionv1.ValidatingWebhook }

func webhooksOf(f *collect.Facts) (out []webhook) {
	for _, configuration := range f.ValidatingWebhooks {
		for _, w := range configuration.Webhooks {
			out = append(out, webhook{w})
		}
	}
	return out
}

func (w webhook) asked(ns place, r *request) bool {
	return selects(w.NamespaceSelector, ns) && (r.update || !chosen(w.ObjectSelector)) &&
		slices.ContainsFunc(w.Rules, func(rule admissionv1.RuleWithOperations) bool { return matches(rule.Rule, rule.Operations, r) })
}
