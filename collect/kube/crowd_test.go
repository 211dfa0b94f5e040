package kube

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

// TestWhatAsksForTheNodeIsKeptOfTooManyContainers: who writes a pod cannot hide its one strong container behind many weak ones.
func TestWhatAsksForTheNodeIsKeptOfTooManyContainers(t *testing.T) {
	yes := true
	strong := map[string]corev1.Container{
		"privileged": {SecurityContext: &corev1.SecurityContext{Privileged: &yes}},
		"capable":    {SecurityContext: &corev1.SecurityContext{Capabilities: &corev1.Capabilities{Add: []corev1.Capability{"SYS_ADMIN"}}}},
		"mounting":   {VolumeMounts: []corev1.VolumeMount{{Name: "host", MountPath: "/host"}}},
	}
	for name, c := range strong {
		spec := &corev1.PodSpec{Volumes: []corev1.Volume{
			{Name: "host", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}},
			{Name: "own", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}}
		for i := range 2 * collect.MaxContainers {
			spec.Containers = append(spec.Containers, corev1.Container{Name: fmt.Sprint("weak-", i),
				VolumeMounts: []corev1.VolumeMount{{Name: "own", MountPath: "/a"}, {Name: "own", MountPath: "/b"}}})
		}
		c.Name = name
		spec.Containers = append(spec.Containers, c)
		p := shapeOf(spec, nil)
		if len(p.Containers) != collect.MaxContainers || p.More != collect.MaxContainers+1 || p.Containers[0].Name != name {
			t.Errorf("%s: %d are kept, %d more, the first is %s", name, len(p.Containers), p.More, p.Containers[0].Name)
		}
	}
}
