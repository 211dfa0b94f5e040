package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/breakwater-sec/breakwater/collect"
)

func gitVersion(raw []byte) (string, error) {
	var v struct{ GitVersion string }
	if err := json.Unmarshal(raw, &v); err != nil || v.GitVersion == "" {
		return "", fmt.Errorf("ask for the version: this is no Kubernetes API server: %.80q", raw)
	}
	return v.GitVersion, nil
}

// servings is which resources a server lists and watches.
type servings map[schema.GroupVersionResource]bool

func servedBy(lists []*metav1.APIResourceList) servings {
	s := servings{}
	for _, l := range lists {
		gv, err := schema.ParseGroupVersion(l.GroupVersion)
		if err != nil {
			continue
		}
		for _, r := range l.APIResources {
			if slices.Contains(r.Verbs, "list") && slices.Contains(r.Verbs, "watch") {
				s[gv.WithResource(r.Name)] = true
			}
		}
	}
	return s
}

// pick is the best version that we know and the server serves; without any
// discovery the best we know.
func (s servings) pick(k *kind) (schema.GroupVersion, bool) {
	for _, gv := range k.versions {
		if s[gv.WithResource(k.resource)] {
			return gv, true
		}
	}
	return k.versions[0], false
}

// count tells which custom resources exist. Their type is known to everybody;
// their number only where we may list them anyway, because asking for each
// would fill the cluster's audit log with refusals.
func (w *watcher) count(ctx context.Context, lists []*metav1.APIResourceList) {
	known := map[schema.GroupResource]bool{}
	for _, k := range kinds() {
		for _, v := range k.versions {
			known[schema.GroupResource{Group: v.Group, Resource: k.resource}] = true
		}
	}
	all := w.maySeeEverything(ctx)
	done := map[string]bool{}
	for _, l := range lists {
		gv, err := schema.ParseGroupVersion(l.GroupVersion)
		if err != nil || collect.BuiltIn(gv.Group) {
			continue
		}
		for _, r := range l.APIResources {
			name := r.Name + "." + gv.Group
			if strings.Contains(r.Name, "/") || !slices.Contains(r.Verbs, "list") || done[name] ||
				known[schema.GroupResource{Group: gv.Group, Resource: r.Name}] {
				continue
			}
			if done[name] = true; len(done) > maxCustom {
				w.openGap(customKinds, fmt.Sprintf("want at most %d kinds of custom resources", maxCustom),
					"Of further kinds it is not told that they exist; none of them is read by Breakwater unless named here.")
				return
			}
			n := -1
			if all {
				n = w.number(ctx, gv.WithResource(r.Name))
			}
			w.emit(collect.Change{Op: collect.Counted, Kind: name, Object: n})
		}
	}
	w.closeGap(customKinds)
}

// customKinds is the gap of custom resources whose kinds are too many.
const customKinds = "custom resources"

func (w *watcher) number(ctx context.Context, r schema.GroupVersionResource) int {
	l, err := w.client.meta.Resource(r).List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return -1
	}
	return len(l.Items) + int(deref(l.RemainingItemCount))
}

func (w *watcher) maySeeEverything(ctx context.Context) bool {
	const ask = `{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview",` +
		`"spec":{"resourceAttributes":{"verb":"list","group":"*","resource":"*"}}}`
	raw, err := w.client.discover.RESTClient().Post().AbsPath("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews").
		SetHeader("Content-Type", "application/json").Body([]byte(ask)).Do(ctx).Raw()
	var answer struct{ Status struct{ Allowed bool } }
	return err == nil && json.Unmarshal(raw, &answer) == nil && answer.Status.Allowed
}
