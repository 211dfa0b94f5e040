package kube

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

func (s *stripper) workload(kind string, m *metav1.ObjectMeta, replicas int32, t *corev1.PodTemplateSpec) *collect.Workload {
	w := &collect.Workload{
		WorkloadKey: collect.WorkloadKey{Kind: kind, Key: keyOf(m)}, UID: string(m.UID), Owner: ownerOf(m.OwnerReferences),
		Annotations: annotations(m.Annotations), Replicas: replicas,
	}
	w.Labels, _ = s.in.labelSet(shortLabels(m.Labels))
	w.PodLabels, _ = s.in.labelSet(shortLabels(t.Labels))
	w.Shape, _ = s.in.shape(shapeOf(&t.Spec, t.Annotations))
	return w
}

// one is what the API server defaults a number of replicas to.
func one(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}

func stripDeployment(s *stripper, o *appsv1.Deployment) (any, bool) {
	return s.workload("Deployment", &o.ObjectMeta, one(o.Spec.Replicas), &o.Spec.Template), true
}

func stripStatefulSet(s *stripper, o *appsv1.StatefulSet) (any, bool) {
	w := s.workload("StatefulSet", &o.ObjectMeta, one(o.Spec.Replicas), &o.Spec.Template)
	first := int32(0)
	if o.Spec.Ordinals != nil {
		first = o.Spec.Ordinals.Start
	}
	for i := range o.Spec.VolumeClaimTemplates {
		t := &o.Spec.VolumeClaimTemplates[i]
		if w.Claims == nil {
			w.Claims = map[string]collect.PersistentVolumeClaim{}
		}
		claim := claimOf(t)
		claim.Key = collect.Key{Namespace: w.Namespace, Name: fmt.Sprintf("%s-%s-%d", t.Name, w.Name, first)}
		w.Claims[str(t.Name)] = *claim
	}
	return w, true
}

func stripDaemonSet(s *stripper, o *appsv1.DaemonSet) (any, bool) {
	return s.workload("DaemonSet", &o.ObjectMeta, o.Status.DesiredNumberScheduled, &o.Spec.Template), true
}

// stripReplicaSet leaves out what a Deployment keeps of its past: a set that
// wants no pods and has none.
func stripReplicaSet(s *stripper, o *appsv1.ReplicaSet) (any, bool) {
	w := s.workload("ReplicaSet", &o.ObjectMeta, one(o.Spec.Replicas), &o.Spec.Template)
	return w, w.Owner.Kind == "" || w.Replicas > 0 || o.Status.Replicas > 0
}

func stripReplicationController(s *stripper, o *corev1.ReplicationController) (any, bool) {
	t := o.Spec.Template
	if t == nil {
		t = &corev1.PodTemplateSpec{}
	}
	return s.workload("ReplicationController", &o.ObjectMeta, one(o.Spec.Replicas), t), true
}

func stripJob(s *stripper, o *batchv1.Job) (any, bool) {
	return s.workload("Job", &o.ObjectMeta, one(o.Spec.Parallelism), &o.Spec.Template), true
}

func stripCronJob(s *stripper, o *batchv1.CronJob) (any, bool) {
	n := one(o.Spec.JobTemplate.Spec.Parallelism)
	if deref(o.Spec.Suspend) {
		n = 0
	}
	return s.workload("CronJob", &o.ObjectMeta, n, &o.Spec.JobTemplate.Spec.Template), true
}

func stripNode(_ *stripper, o *corev1.Node) (any, bool) {
	n := &collect.Node{
		Name: str(o.Name), UID: string(o.UID), Labels: shortLabels(o.Labels), PodCIDRs: slices.Clone(o.Spec.PodCIDRs),
		ProviderID:     o.Spec.ProviderID,
		KubeletVersion: str(o.Status.NodeInfo.KubeletVersion), ContainerRuntime: str(o.Status.NodeInfo.ContainerRuntimeVersion),
		KernelVersion: str(o.Status.NodeInfo.KernelVersion), OSImage: str(o.Status.NodeInfo.OSImage),
	}
	for _, t := range o.Spec.Taints {
		n.Taints = append(n.Taints, t.Key+"="+t.Value+":"+string(t.Effect))
	}
	for _, a := range o.Status.Addresses {
		switch a.Type {
		case corev1.NodeInternalIP:
			n.InternalIPs = append(n.InternalIPs, a.Address)
		case corev1.NodeExternalIP:
			n.ExternalIPs = append(n.ExternalIPs, a.Address)
		}
	}
	for _, c := range o.Status.Conditions {
		if c.Type == corev1.NodeReady {
			n.Ready = c.Status == corev1.ConditionTrue
		}
	}
	return n, true
}
