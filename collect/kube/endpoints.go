package kube

//lint:file-ignore SA1019 Endpoints are deprecated for programs, and written by hand to this day.

import (
	"cmp"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kjson "sigs.k8s.io/json"

	"github.com/breakwater-sec/breakwater/collect"
)

// endpoints is an Endpoints object of a file. The API server mirrors one that a
// person wrote into EndpointSlices, which are what counts; files may hold it alone.
type endpoints struct {
	where  string
	object *corev1.Endpoints
}

func isEndpoints(gvk schema.GroupVersionKind) bool {
	return gvk == corev1.SchemeGroupVersion.WithKind("Endpoints")
}

// takeEndpoints sets an Endpoints object aside until all EndpointSlices are read.
func (m *manifests) takeEndpoints(where string, b []byte) collect.Outcome {
	o := &corev1.Endpoints{}
	strict, err := kjson.UnmarshalStrict(b, o)
	if err == nil {
		err = duplicate(strict)
	}
	if err == nil && o.Name == "" {
		err = errors.New("metadata.name is missing")
	}
	if err != nil {
		return m.gap(where, fmt.Errorf("want Endpoints of v1: %w", err))
	}
	m.unknown.add(where, "Endpoints", strict)
	if o.Namespace == "" {
		o.Namespace = metav1.NamespaceDefault
	}
	m.endpoints = append(m.endpoints, endpoints{where, o})
	return collect.Left("Endpoints, which count as EndpointSlices")
}

// keepEndpoints makes EndpointSlices of the Endpoints whose Service has none.
func (m *manifests) keepEndpoints() {
	sliced := map[collect.Key]bool{}
	for _, s := range m.facts.EndpointSlices {
		sliced[collect.Key{Namespace: s.Namespace, Name: s.Service}] = true
	}
	for _, e := range m.endpoints {
		if sliced[keyOf(e.object)] {
			continue
		}
		for i := range e.object.Subsets {
			s := sliceOf(e.object, i)
			m.facts.Apply(collect.Change{Op: collect.Put, Kind: "EndpointSlice", Key: s.Key, Object: s})
		}
	}
}

func sliceOf(o *corev1.Endpoints, i int) *collect.EndpointSlice {
	subset := o.Subsets[i]
	s := &collect.EndpointSlice{Key: collect.Key{Namespace: o.Namespace, Name: fmt.Sprintf("%s-%d", o.Name, i)}, Service: o.Name}
	for _, p := range subset.Ports {
		s.Ports = append(s.Ports, collect.EndpointPort{Name: p.Name, Port: p.Port, Protocol: cmp.Or(string(p.Protocol), "TCP")})
	}
	for _, a := range append(subset.Addresses[:len(subset.Addresses):len(subset.Addresses)], subset.NotReadyAddresses...) {
		if t := a.TargetRef; t != nil && t.Kind == "Pod" {
			s.Pods = append(s.Pods, collect.Key{Namespace: t.Namespace, Name: t.Name})
		} else if a.IP != "" {
			s.Addresses = append(s.Addresses, a.IP)
		}
	}
	return s
}
