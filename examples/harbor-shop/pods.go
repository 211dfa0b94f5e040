package harborshop

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"
)

// controllers stands in for a cluster's controllers and scheduler.
type controllers struct {
	imageID   func(image string) string
	nodes     []corev1.Node
	workloads []workload
	services  []corev1.Service
	pods      []*corev1.Pod
	placed    int
}

// workload is what Deployments, StatefulSets and DaemonSets have in common.
type workload struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Replicas *int                   `json:"replicas,omitempty"`
		Selector *metav1.LabelSelector  `json:"selector,omitempty"`
		Template corev1.PodTemplateSpec `json:"template"`
	} `json:"spec"`
}

// read takes in what a manifest file holds of nodes, workloads and services.
func (c *controllers) read(text []byte) error {
	for _, document := range strings.Split(string(text), "\n---\n") {
		var head metav1.TypeMeta
		if err := yaml.Unmarshal([]byte(document), &head); err != nil {
			return err
		}
		switch head.Kind {
		case "Node":
			var n corev1.Node
			if err := yaml.UnmarshalStrict([]byte(document), &n); err != nil {
				return err
			}
			c.nodes = append(c.nodes, n)
		case "Service":
			var s corev1.Service
			if err := yaml.UnmarshalStrict([]byte(document), &s); err != nil {
				return err
			}
			c.services = append(c.services, s)
		case "Deployment", "StatefulSet", "DaemonSet":
			var w workload
			if err := yaml.Unmarshal([]byte(document), &w); err != nil {
				return err
			}
			c.workloads = append(c.workloads, w)
		}
	}
	return nil
}

// made is what controllers make of the manifests: pods, the ReplicaSets between
// them and Deployments, and the endpoints of services.
func (c *controllers) made() (out []any, err error) {
	if len(c.nodes) == 0 {
		return nil, errors.New("there are no nodes")
	}
	for _, w := range c.workloads {
		owner := ownerOf(w.TypeMeta, w.ObjectMeta)
		if w.Kind == "Deployment" {
			set := w.replicaSet(owner)
			out = append(out, set)
			owner = ownerOf(set.TypeMeta, set.ObjectMeta)
		}
		for i := range c.count(w) {
			p, err := c.pod(w, owner, i)
			if err != nil {
				return nil, fmt.Errorf("pod %d of %s/%s: %w", i, w.Namespace, w.Name, err)
			}
			c.pods = append(c.pods, p)
			out = append(out, p)
		}
	}
	for _, s := range c.services {
		out = append(out, c.endpoints(s))
	}
	return out, nil
}

func (c *controllers) count(w workload) int {
	switch {
	case w.Kind == "DaemonSet":
		return len(c.nodes)
	case w.Spec.Replicas == nil:
		return 1
	}
	return *w.Spec.Replicas
}

func (w workload) replicaSet(owner metav1.OwnerReference) workload {
	hash := letters(10, w.Namespace, w.Name)
	set := w
	set.Kind, set.Name = "ReplicaSet", w.Name+"-"+hash
	set.UID, set.OwnerReferences = uid("ReplicaSet", w.Namespace, set.Name), []metav1.OwnerReference{owner}
	return set
}

func ownerOf(t metav1.TypeMeta, m metav1.ObjectMeta) metav1.OwnerReference {
	yes := true
	return metav1.OwnerReference{
		APIVersion: t.APIVersion,
		Kind:       t.Kind,
		Name:       m.Name,
		UID:        cmp.Or(m.UID, uid(t.Kind, m.Namespace, m.Name)),
		Controller: &yes,
	}
}

// pod is the workload's i-th pod, running.
func (c *controllers) pod(w workload, owner metav1.OwnerReference, i int) (*corev1.Pod, error) {
	t := w.Spec.Template
	p := &corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: *t.ObjectMeta.DeepCopy(), Spec: *t.Spec.DeepCopy()}
	p.Name, p.Namespace, p.OwnerReferences = podName(w, owner, i), w.Namespace, []metav1.OwnerReference{owner}
	p.UID, p.CreationTimestamp = uid("Pod", p.Namespace, p.Name), metav1.Time{Time: built}
	node := c.place(w, i)
	p.Spec.NodeName = node.Name
	p.Spec.ServiceAccountName = cmp.Or(p.Spec.ServiceAccountName, "default")
	c.placed++
	p.Status = corev1.PodStatus{
		Phase:  corev1.PodRunning,
		HostIP: node.Status.Addresses[0].Address,
		PodIP:  fmt.Sprintf("10.244.%d.%d", slices.IndexFunc(c.nodes, func(n corev1.Node) bool { return n.Name == node.Name }), c.placed+10),
	}
	if p.Spec.HostNetwork {
		p.Status.PodIP = p.Status.HostIP
	}
	p.Status.PodIPs = []corev1.PodIP{{IP: p.Status.PodIP}}
	for _, k := range p.Spec.Containers {
		id := c.imageID(k.Image)
		if id == "" {
			return nil, fmt.Errorf("there is no image %s", k.Image)
		}
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{Name: k.Name, Image: k.Image, Ready: true,
			ImageID: id, ContainerID: "containerd://" + containerID(p.UID, k.Name),
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Time{Time: built}}}})
	}
	return p, nil
}

// containerID is as long as a runtime's, and the same in every run.
func containerID(pod types.UID, container string) string {
	sum := sha256.Sum256([]byte(string(pod) + "/" + container))
	return hex.EncodeToString(sum[:])
}

// place picks the node: one of each for a DaemonSet, else the next in turn.
func (c *controllers) place(w workload, i int) corev1.Node {
	if w.Kind == "DaemonSet" {
		return c.nodes[i]
	}
	return c.nodes[c.placed%len(c.nodes)]
}

func podName(w workload, owner metav1.OwnerReference, i int) string {
	if w.Kind == "StatefulSet" {
		return fmt.Sprintf("%s-%d", w.Name, i)
	}
	return owner.Name + "-" + letters(5, w.Namespace, owner.Name, fmt.Sprint(i))
}

// letters is what Kubernetes appends to names to tell them apart; here it always
// is the same for the same words.
func letters(n int, words ...string) string {
	const alphabet = "bcdfghjklmnpqrstvwxz2456789"
	out := make([]byte, n)
	for i, b := range sha256.Sum256([]byte(strings.Join(words, "/"))) {
		if i < n {
			out[i] = alphabet[int(b)%len(alphabet)]
		}
	}
	return string(out)
}

func uid(words ...string) types.UID {
	h := sha256.Sum256([]byte(strings.Join(words, "/")))
	return types.UID(fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16]))
}
