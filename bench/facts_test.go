package bench

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/collect/kube"
)

// podAsServed is a pod with what an API server sends along: managed fields,
// annotations, probes, resources, conditions.
func podAsServed(n int) *corev1.Pod {
	w := n / 100
	yes, no := true, false
	container := func(name string) corev1.Container {
		return corev1.Container{
			Name:  name,
			Image: fmt.Sprintf("registry.example/team-%d/%s:1.%d", w%20, name, w),
			Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: "TCP"}},
			Env:   []corev1.EnvVar{{Name: "LOG_LEVEL", Value: "info"}, {Name: "DATABASE_URL", Value: "postgres://db.example/shop"}},
			Resources: corev1.ResourceRequirements{
				Limits: corev1.ResourceList{"cpu": resource.MustParse("1"), "memory": resource.MustParse("512Mi")},
			},
			VolumeMounts:   []corev1.VolumeMount{{Name: "token", MountPath: "/var/run/secrets/kubernetes.io/serviceaccount", ReadOnly: true}},
			ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/ready"}}},
		}
	}
	p := &corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: metav1.ObjectMeta{
		Name: fmt.Sprintf(
			"web-%d-7d9f8b6c5d-%05d",
			w,
			n,
		), Namespace: fmt.Sprintf("team-%d", w%20), UID: "0b9e4a36-7a1f-4c4b-9a55-3f1d3a6d2f10", ResourceVersion: fmt.Sprint(1000 + n),
		Labels: map[string]string{
			"app.kubernetes.io/name":    fmt.Sprintf("web-%d", w),
			"app.kubernetes.io/version": "1.0",
			"pod-template-hash":         "7d9f8b6c5d",
		},
		Annotations: map[string]string{
			"checksum/config": strings.Repeat("a", 64),
			"kubectl.kubernetes.io/last-applied-configuration": strings.Repeat("{}", 600),
		},
		OwnerReferences: []metav1.OwnerReference{
			{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: fmt.Sprintf("web-%d-7d9f8b6c5d", w), Controller: &yes},
		},
		ManagedFields: []metav1.ManagedFieldsEntry{
			{
				Manager:  "kube-controller-manager",
				FieldsV1: metav1.NewFieldsV1(`{"f:metadata":{"f:labels":{` + strings.Repeat(`"f:x":{},`, 150) + `"f:y":{}}}}`),
			},
		}}}
	p.Spec = corev1.PodSpec{
		ServiceAccountName:           fmt.Sprintf("web-%d", w),
		NodeName:                     fmt.Sprintf("node-%d", n%300),
		AutomountServiceAccountToken: &no,
		Containers: []corev1.Container{
			container("app"),
			container("proxy"),
		},
		Volumes: []corev1.Volume{{Name: "token", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
	}
	digest := fmt.Sprintf("sha256:%064x", w)
	p.Status = corev1.PodStatus{Phase: "Running", PodIP: fmt.Sprintf("10.1.%d.%d", n/250%250, n%250), HostIP: "192.168.0.1",
		Conditions: []corev1.PodCondition{{Type: "Ready", Status: "True"}, {Type: "PodScheduled", Status: "True"}},
		ContainerStatuses: []corev1.ContainerStatus{
			{Name: "app", ImageID: "registry.example/app@" + digest, ContainerID: fmt.Sprintf("containerd://%064x", 2*n)},
			{Name: "proxy", ImageID: "registry.example/proxy@" + digest, ContainerID: fmt.Sprintf("containerd://%064x", 2*n+1)},
		}}
	return p
}

// podLists is pods as kubectl get -o json prints them, a thousand a file.
func podLists(t *testing.T, pods int) (files fstest.MapFS, sent int) {
	t.Helper()
	files, sent = fstest.MapFS{}, 0
	for f := range pods / 1000 {
		list := struct {
			APIVersion string        `json:"apiVersion"`
			Kind       string        `json:"kind"`
			Items      []*corev1.Pod `json:"items"`
		}{APIVersion: "v1", Kind: "List"}
		for n := range 1000 {
			list.Items = append(list.Items, podAsServed(f*1000+n))
		}
		b, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		sent += len(b)
		files[fmt.Sprintf("pods-%d.json", f)] = &fstest.MapFile{Data: b}
	}
	return files, sent
}

// TestMeasureFacts says what a pod costs while its cluster is watched, against
// keeping it as the API server sent it.
func TestMeasureFacts(t *testing.T) {
	measured(t)
	const pods = 20_000
	files, sent := podLists(t, pods)
	before := heap()
	facts, err := kube.ReadFS(files)
	if err != nil {
		t.Fatal(err)
	}
	ours := heap() - before
	runtime.KeepAlive(files)
	before = heap()
	whole := make([]*corev1.Pod, pods)
	for i := range whole {
		whole[i] = &corev1.Pod{}
		b, err := json.Marshal(podAsServed(i))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, whole[i]); err != nil {
			t.Fatal(err)
		}
	}
	theirs := heap() - before
	t.Logf("%d pods of %d workloads, %d bytes each on the wire: %d bytes a pod as facts, %d as decoded objects: %.1f times as much",
		len(facts.Pods), pods/100, sent/pods, ours/pods, theirs/pods, float64(theirs)/float64(ours))
	if ours/pods > 1024 {
		t.Errorf("want at most 1 KiB a pod")
	}
	runtime.KeepAlive(facts)
	runtime.KeepAlive(whole)
}
