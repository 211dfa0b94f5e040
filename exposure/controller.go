package exposure

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/ref"
)

// controllerPods are the pods that serve a class, as their images and arguments
// say. A class without a name stands for the Ingresses that name none, as its
// controller serves them.
func (j *judge) controllerPods(c class) []*collect.Pod {
	c.object = ref.Ref{}
	if found, known := j.serving[c]; known {
		return found
	}
	out := j.podsWith(func(k collect.ContainerShape) bool { return j.serves(k, c) })
	j.serving[c] = out
	return out
}

// podsWith are the pods that have such a container.
func (j *judge) podsWith(container func(collect.ContainerShape) bool) (out []*collect.Pod) {
	for _, ns := range j.pods.namespaces() {
		for _, g := range j.pods.groups[ns] {
			if slices.ContainsFunc(g.pods[0].Shape.Containers, container) {
				out = append(out, g.pods...)
			}
		}
	}
	return out
}

// serves says whether a container serves a class. One that calls itself as the
// IngressClass says does, with any image.
func (j *judge) serves(k collect.ContainerShape, c class) bool {
	if c.id != "" && k.Argument("controller-class") == c.id {
		return true
	}
	by := controllers
	if c.name == "" || c.id != "" {
		if c.known == nil {
			return false
		}
		by = []controller{*c.known}
	}
	return slices.ContainsFunc(by, func(by controller) bool {
		return slices.ContainsFunc(by.pods, func(in installation) bool { return in.is(k) && in.serves(j.told(in, k), c, by) })
	})
}

// watching are the pods of controllers that serve the ingresses of a namespace: those that
// certainly do, or else those of which it is not known, with the doubt.
func (j *judge) watching(pods []*collect.Pod, namespace string) (sure []*collect.Pod, doubt string) {
	var unsure []*collect.Pod
	for _, p := range pods {
		switch yes, why := j.watchedBy(p, namespace); {
		case yes && why == "":
			sure = append(sure, p)
		case yes:
			unsure, doubt = append(unsure, p), why
		}
	}
	if len(sure) > 0 {
		return sure, ""
	}
	return unsure, doubt
}

// watchedBy says whether a pod of a controller serves a namespace.
func (j *judge) watchedBy(p *collect.Pod, namespace string) (yes bool, doubt string) {
	for _, k := range p.Shape.Containers {
		for _, by := range controllers {
			for _, in := range by.pods {
				if in.is(k) {
					return j.watches(in, j.told(in, k), namespace)
				}
			}
		}
	}
	return true, ""
}

// watches says whether an installation with these arguments serves a namespace.
func (j *judge) watches(in installation, k collect.ContainerShape, namespace string) (yes bool, doubt string) {
	if in.namespaces != "" {
		var names []string
		for _, list := range k.Arguments(in.namespaces) {
			names = append(names, strings.Split(list, ",")...)
		}
		names = slices.DeleteFunc(names, func(n string) bool { return n == "" || n == "true" })
		switch {
		case len(names) == 0 || slices.Contains(names, namespace):
		case slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, "$(") }):
			return true, "the namespaces that it watches are not known: " + strings.Join(names, ", ")
		default:
			return false, ""
		}
	}
	text := in.value(k, in.labels)
	if text == "" {
		return true, ""
	}
	selector, err := labels.Parse(text)
	ns := j.facts.Namespaces[collect.Key{Name: namespace}]
	if err != nil || ns == nil {
		return true, "whether it watches the namespace " + namespace + " is not known: it watches those with the labels " + text
	}
	has := labels.Set{corev1.LabelMetadataName: namespace}
	maps.Copy(has, ns.Labels)
	return selector.Matches(has), ""
}

// is says whether a container is such an installation and serves Ingresses.
func (in installation) is(k collect.ContainerShape) bool {
	return slices.ContainsFunc(in.images, k.ImageIs) &&
		(in.needs == "" || k.HasArgument(in.needs) || in.config != "" && !k.HasArgument(in.config))
}

// told is the container whose arguments say what an installation serves.
func (j *judge) told(in installation, k collect.ContainerShape) collect.ContainerShape {
	if len(in.told) == 0 {
		return k
	}
	for _, p := range j.podsWith(func(k collect.ContainerShape) bool { return slices.ContainsFunc(in.told, k.ImageIs) }) {
		i := slices.IndexFunc(p.Shape.Containers, func(k collect.ContainerShape) bool { return slices.ContainsFunc(in.told, k.ImageIs) })
		return p.Shape.Containers[i]
	}
	return collect.ContainerShape{}
}

// serves says whether an installation with these arguments serves a class.
func (in installation) serves(k collect.ContainerShape, c class, by controller) bool {
	name := in.value(k, in.class)
	switch {
	case c.name == "":
		return in.value(k, in.classless) == "true" || in.open && name == ""
	case c.id == "": // an annotation of old, or an IngressClass that was not seen
		return c.name == name || name == "" && slices.Contains(by.classes, c.name)
	}
	if id := in.value(k, in.id); id != "" && id != c.id {
		return false
	}
	if end := in.value(k, in.suffix); end != "" && !strings.HasSuffix(c.id, "/"+end) {
		return false
	}
	named := in.always || in.value(k, in.byName) == "true"
	return !named || name == "" || name == c.name
}

func (in installation) value(k collect.ContainerShape, argument string) string {
	if argument == "" {
		return ""
	}
	return k.Argument(argument)
}
