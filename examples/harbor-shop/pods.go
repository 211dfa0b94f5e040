package harborshop

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing/fstest"
	"text/template"

	"github.com/google/go-containerregistry/pkg/name"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"
)

// cluster renders a cluster's manifests and makes its pods.
func (e *Estate) cluster(clusterName string) (Cluster, error) {
	objects, live := fstest.MapFS{}, fstest.MapFS{}
	dir := path.Join("clusters", clusterName)
	entries, err := fs.ReadDir(clusters, dir)
	if err != nil {
		return Cluster{}, fmt.Errorf("read the manifests of %s: %w", clusterName, err)
	}
	s := &scheduler{estate: e}
	for _, entry := range entries {
		text, err := e.render(path.Join(dir, entry.Name()))
		if err != nil {
			return Cluster{}, err
		}
		live[entry.Name()] = &fstest.MapFile{Data: text, Mode: 0o444}
		if entry.Name() != "nodes.yaml" {
			objects[entry.Name()] = live[entry.Name()]
		}
		if err := s.read(text); err != nil {
			return Cluster{}, fmt.Errorf("read %s/%s: %w", dir, entry.Name(), err)
		}
	}
	pods, err := s.pods()
	if err != nil {
		return Cluster{}, fmt.Errorf("make the pods of %s: %w", clusterName, err)
	}
	live["pods.yaml"] = &fstest.MapFile{Data: pods, Mode: 0o444}
	return Cluster{Name: clusterName, Objects: objects, Live: live}, nil
}

// render fills in the registry: {{image "shop/cart:1.0"}}.
func (e *Estate) render(file string) ([]byte, error) {
	image := func(short string) (string, error) {
		ref := e.Registry + "/" + short
		if e.Digests[ref] == "" {
			return "", fmt.Errorf("there is no image %s", short)
		}
		return ref, nil
	}
	t, err := template.New(path.Base(file)).Funcs(template.FuncMap{"image": image}).ParseFS(clusters, file)
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", file, err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, nil); err != nil {
		return nil, fmt.Errorf("render %s: %w", file, err)
	}
	return b.Bytes(), nil
}

// scheduler stands in for a cluster's controllers and scheduler.
type scheduler struct {
	estate    *Estate
	nodes     []corev1.Node
	workloads []workload
	placed    int
}

// workload is what Deployments, StatefulSets and DaemonSets have in common.
type workload struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Replicas *int                   `json:"replicas"`
		Template corev1.PodTemplateSpec `json:"template"`
	} `json:"spec"`
}

func (s *scheduler) read(text []byte) error {
	for _, document := range strings.Split(string(text), "\n---\n") {
		var w workload
		var head metav1.TypeMeta
		if err := yaml.Unmarshal([]byte(document), &head); err != nil {
			return err
		}
		switch head.Kind {
		case "Node":
			var n corev1.Node
			if err := yaml.Unmarshal([]byte(document), &n); err != nil {
				return err
			}
			s.nodes = append(s.nodes, n)
		case "Deployment", "StatefulSet", "DaemonSet":
			if err := yaml.Unmarshal([]byte(document), &w); err != nil {
				return err
			}
			s.workloads = append(s.workloads, w)
		}
	}
	return nil
}

// pods is the YAML of all pods, and of the ReplicaSets between them and Deployments.
func (s *scheduler) pods() ([]byte, error) {
	if len(s.nodes) == 0 {
		return nil, errors.New("there are no nodes")
	}
	var b bytes.Buffer
	write := func(object any) error {
		text, err := yaml.Marshal(object)
		b.WriteString("---\n")
		b.Write(text)
		return err
	}
	for _, w := range s.workloads {
		owner := ownerOf(w.TypeMeta, w.ObjectMeta)
		if w.Kind == "Deployment" {
			set := w
			set.Kind, set.Name = "ReplicaSet", w.Name+"-6d5f9c7b8"
			set.UID, set.OwnerReferences = types.UID("rs-"+w.Name), []metav1.OwnerReference{owner}
			if err := write(set); err != nil {
				return nil, err
			}
			owner = ownerOf(set.TypeMeta, set.ObjectMeta)
		}
		for i := range s.count(w) {
			pod, err := s.pod(w, owner, i)
			if err != nil {
				return nil, err
			}
			if err := write(pod); err != nil {
				return nil, err
			}
		}
	}
	return b.Bytes(), nil
}

func (s *scheduler) count(w workload) int {
	switch {
	case w.Kind == "DaemonSet":
		return len(s.nodes)
	case w.Spec.Replicas == nil:
		return 1
	}
	return *w.Spec.Replicas
}

func ownerOf(t metav1.TypeMeta, m metav1.ObjectMeta) metav1.OwnerReference {
	yes := true
	return metav1.OwnerReference{APIVersion: t.APIVersion, Kind: t.Kind, Name: m.Name, UID: cmp.Or(m.UID, types.UID(m.Namespace+"-"+m.Name)), Controller: &yes}
}

// pod is the workload's i-th pod, running.
func (s *scheduler) pod(w workload, owner metav1.OwnerReference, i int) (*corev1.Pod, error) {
	node := s.nodes[i%len(s.nodes)]
	s.placed++
	p := &corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: *w.Spec.Template.ObjectMeta.DeepCopy(), Spec: *w.Spec.Template.Spec.DeepCopy()}
	p.Name, p.Namespace, p.OwnerReferences = podName(w, owner, i), w.Namespace, []metav1.OwnerReference{owner}
	p.UID = types.UID(fmt.Sprintf("%s-%s", p.Namespace, p.Name))
	if w.Kind != "DaemonSet" && p.Spec.NodeName == "" {
		node = s.nodes[s.placed%len(s.nodes)]
	}
	p.Spec.NodeName = node.Name
	p.Spec.ServiceAccountName = cmp.Or(p.Spec.ServiceAccountName, "default")
	p.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: fmt.Sprintf("10.244.0.%d", s.placed+10)}
	if p.Spec.HostNetwork {
		p.Status.PodIP = node.Status.Addresses[0].Address
	}
	p.Status.PodIPs = []corev1.PodIP{{IP: p.Status.PodIP}}
	for _, c := range p.Spec.Containers {
		ref, err := name.NewTag(c.Image)
		if err != nil {
			return nil, fmt.Errorf("image of %s/%s: %w", p.Namespace, p.Name, err)
		}
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{Name: c.Name, Image: c.Image, Ready: true,
			ImageID: ref.Context().String() + "@" + s.estate.Digests[ref.String()], State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Time{Time: built}}}})
	}
	return p, nil
}

func podName(w workload, owner metav1.OwnerReference, i int) string {
	if w.Kind == "StatefulSet" {
		return fmt.Sprintf("%s-%d", w.Name, i)
	}
	const letters = "bcdfghjklm"
	return fmt.Sprintf("%s-x%ct%c", owner.Name, letters[i%len(letters)], letters[len(w.Name)%len(letters)])
}
