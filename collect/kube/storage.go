package kube

import (
	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

// stripPersistentVolume keeps where on a node a volume lies, and whose it is.
func stripPersistentVolume(_ *stripper, o *corev1.PersistentVolume) (any, bool) {
	v := &collect.PersistentVolume{Key: keyOf(o), Labels: shortLabels(o.Labels), Class: str(o.Spec.StorageClassName),
		Modes: accessModes(o.Spec.AccessModes), Size: o.Spec.Capacity.Storage().Value(), Block: isBlock(o.Spec.VolumeMode)}
	if a := o.Spec.NodeAffinity; a != nil && a.Required != nil {
		v.Pinned = true
	}
	if c := o.Spec.ClaimRef; c != nil {
		v.Claim = collect.Key{Namespace: str(c.Namespace), Name: c.Name}
	}
	switch {
	case o.Spec.HostPath != nil:
		v.Path = o.Spec.HostPath.Path
	case o.Spec.Local != nil:
		v.Path = o.Spec.Local.Path
	}
	return v, true
}

func stripPersistentVolumeClaim(_ *stripper, o *corev1.PersistentVolumeClaim) (any, bool) {
	return claimOf(o), true
}

func claimOf(o *corev1.PersistentVolumeClaim) *collect.PersistentVolumeClaim {
	c := &collect.PersistentVolumeClaim{Key: keyOf(o), Volume: o.Spec.VolumeName, Class: o.Spec.StorageClassName,
		Modes: accessModes(o.Spec.AccessModes), Size: o.Spec.Resources.Requests.Storage().Value(), Block: isBlock(o.Spec.VolumeMode)}
	if o.Spec.Selector != nil {
		c.Labels = shortLabels(o.Spec.Selector.MatchLabels)
	}
	return c
}

func accessModes(in []corev1.PersistentVolumeAccessMode) (out []string) {
	for _, m := range in {
		out = append(out, str(string(m)))
	}
	return out
}

func isBlock(m *corev1.PersistentVolumeMode) bool { return deref(m) == corev1.PersistentVolumeBlock }

func stripRuntimeClass(_ *stripper, o *nodev1.RuntimeClass) (any, bool) {
	return &nodev1.RuntimeClass{ObjectMeta: stripMeta(o.ObjectMeta), Handler: o.Handler}, true
}
