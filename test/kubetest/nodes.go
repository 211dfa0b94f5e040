package kubetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// Nodes says which nodes to pretend.
type Nodes struct {
	Number int
	// External gives node i a public address, or none if it returns "".
	External func(i int) string
	// ImageID is what a node says it resolved an image reference to, such as
	// "registry/repo@sha256:…". Nil makes up digests; "" leaves the pod waiting.
	ImageID func(ref string) string
}

// fake is the kubelets and the scheduler of pretended nodes.
type fake struct {
	c     *Cluster
	o     Nodes
	mu    sync.Mutex
	bound int
	ips   int
}

// PretendNodes registers nodes named node-1, node-2, … and, until the cluster
// stops, binds pods to them and says that they run.
func (c *Cluster) PretendNodes(t testing.TB, o Nodes) {
	t.Helper()
	if err := c.RunNodes(o); err != nil {
		t.Fatal(err)
	}
}

// RunNodes is PretendNodes without a test.
func (c *Cluster) RunNodes(o Nodes) error {
	if o.ImageID == nil {
		o.ImageID = madeUpDigest
	}
	f := &fake{c: c, o: o}
	for i := range o.Number {
		if err := f.register(i); err != nil {
			return err
		}
	}
	work := make(chan *corev1.Pod, 1024)
	for range 8 {
		c.nodes.Go(func() {
			for p := range work {
				f.move(p)
			}
		})
	}
	c.nodes.Go(func() {
		defer close(work)
		f.follow(work)
	})
	return nil
}

// madeUpDigest is the same for the same reference, and no real image.
func madeUpDigest(ref string) string {
	repo, _, _ := strings.Cut(ref, "@")
	if i := strings.LastIndex(repo, ":"); i > strings.LastIndex(repo, "/") {
		repo = repo[:i]
	}
	return fmt.Sprintf("%s@sha256:%064x", repo, []byte(ref)[:min(32, len(ref))])
}

func nodeName(i int) string { return fmt.Sprintf("node-%d", i+1) }
func nodeIP(i int) string   { return fmt.Sprintf("192.168.%d.%d", i/250, i%250+1) }

func (f *fake) register(i int) error {
	much := corev1.ResourceList{"cpu": resource.MustParse("64"), "memory": resource.MustParse("256Gi"), "pods": resource.MustParse("1000")}
	n := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:   nodeName(i),
			Labels: map[string]string{"kubernetes.io/hostname": nodeName(i), "kubernetes.io/os": "linux"},
		},
	}
	n.Status = corev1.NodeStatus{Capacity: much, Allocatable: much,
		NodeInfo: corev1.NodeSystemInfo{
			KubeletVersion:          "v1.37.2",
			OperatingSystem:         "linux",
			Architecture:            "amd64",
			ContainerRuntimeVersion: "containerd://2.1.4",
			OSImage:                 "Debian GNU/Linux 12",
		},
		Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: nodeIP(i)}},
		Conditions: []corev1.NodeCondition{
			{
				Type:               corev1.NodeReady,
				Status:             corev1.ConditionTrue,
				Reason:             "Pretended",
				LastHeartbeatTime:  metav1.Now(),
				LastTransitionTime: metav1.Now(),
			},
		}}
	if f.o.External != nil {
		if ip := f.o.External(i); ip != "" {
			n.Status.Addresses = append(n.Status.Addresses, corev1.NodeAddress{Type: corev1.NodeExternalIP, Address: ip})
		}
	}
	_, err := f.c.Client.CoreV1().Nodes().Create(f.c.ctx, n, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		err = nil
	}
	return err
}

// follow lists and watches pods, from the start again whenever that ends.
func (f *fake) follow(work chan<- *corev1.Pod) {
	pods := f.c.Client.CoreV1().Pods("")
	for f.c.ctx.Err() == nil {
		list, err := pods.List(f.c.ctx, metav1.ListOptions{})
		if err != nil {
			time.Sleep(200 * time.Millisecond)
			continue
		}
		for i := range list.Items {
			work <- &list.Items[i]
		}
		w, err := pods.Watch(f.c.ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
		if err != nil {
			time.Sleep(200 * time.Millisecond)
			continue
		}
		for e := range w.ResultChan() {
			if p, ok := e.Object.(*corev1.Pod); ok && e.Type != watch.Deleted {
				work <- p
			}
		}
	}
}

// move takes a pod one step on: bound, then running, then gone. Errors are
// conflicts with a newer state, whose event follows.
func (f *fake) move(p *corev1.Pod) {
	pods := f.c.Client.CoreV1().Pods(p.Namespace)
	switch {
	case p.DeletionTimestamp != nil:
		now := int64(0)
		_ = pods.Delete(f.c.ctx, p.Name, metav1.DeleteOptions{GracePeriodSeconds: &now})
	case p.Spec.NodeName == "" && p.Spec.SchedulerName != corev1.DefaultSchedulerName: // another's
	case p.Spec.NodeName == "":
		f.mu.Lock()
		i := f.bound % f.o.Number
		f.bound++
		f.mu.Unlock()
		_ = pods.Bind(f.c.ctx, &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: p.Name, Namespace: p.Namespace},
			Target: corev1.ObjectReference{Kind: "Node", Name: nodeName(i)}}, metav1.CreateOptions{})
	case p.Status.Phase == corev1.PodPending || p.Status.Phase == "":
		if st, ok := f.running(p); ok {
			b, _ := json.Marshal(map[string]any{"status": st})
			_, _ = pods.Patch(f.c.ctx, p.Name, types.StrategicMergePatchType, b, metav1.PatchOptions{}, "status")
		}
	}
}

func (f *fake) running(p *corev1.Pod) (st corev1.PodStatus, ok bool) {
	var i int
	if _, err := fmt.Sscanf(p.Spec.NodeName, "node-%d", &i); err != nil || i < 1 || i > f.o.Number {
		return st, false
	}
	now, host := metav1.Now(), nodeIP(i-1)
	st = corev1.PodStatus{Phase: corev1.PodRunning, HostIP: host, HostIPs: []corev1.HostIP{{IP: host}}, StartTime: &now}
	ip := host
	if !p.Spec.HostNetwork {
		f.mu.Lock()
		f.ips++
		ip = fmt.Sprintf("10.%d.%d.%d", 244+f.ips/62500, f.ips/250%250, f.ips%250+1)
		f.mu.Unlock()
	}
	st.PodIP, st.PodIPs = ip, []corev1.PodIP{{IP: ip}}
	for _, t := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		st.Conditions = append(st.Conditions, corev1.PodCondition{Type: t, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	if st.InitContainerStatuses, ok = f.containers(p.Spec.InitContainers, now); ok {
		st.ContainerStatuses, ok = f.containers(p.Spec.Containers, now)
	}
	return st, ok
}

func (f *fake) containers(cs []corev1.Container, now metav1.Time) (out []corev1.ContainerStatus, ok bool) {
	for _, c := range cs {
		id := f.o.ImageID(c.Image)
		if id == "" {
			return nil, false
		}
		out = append(
			out,
			corev1.ContainerStatus{Name: c.Name, Image: c.Image, ImageID: id, ContainerID: "containerd://" + containerID(), Ready: true,
				State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}}},
		)
	}
	return out, true
}

// containerID is as long as a runtime's.
func containerID() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// WaitRunning waits until a namespace has this many running pods.
func (c *Cluster) WaitRunning(t testing.TB, namespace string, pods int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, 2*time.Minute)
	defer cancel()
	n := 0
	for ctx.Err() == nil {
		n = 0
		list, err := c.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{FieldSelector: "status.phase=Running"})
		if err == nil {
			if n = len(list.Items); n == pods {
				return
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%d pods run in %s, want %d", n, namespace, pods)
}
