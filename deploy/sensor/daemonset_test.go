package sensor

import (
	"bytes"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"
)

// manifest decodes strictly: a key that Kubernetes does not know is an error.
func manifest(t *testing.T) (ns corev1.Namespace, ds appsv1.DaemonSet) {
	t.Helper()
	documents := bytes.Split(DaemonSet, []byte("\n---\n"))
	if len(documents) != 2 {
		t.Fatalf("%d documents", len(documents))
	}
	for i, into := range []any{&ns, &ds} {
		if err := yaml.UnmarshalStrict(documents[i], into); err != nil {
			t.Fatal(err)
		}
	}
	return ns, ds
}

func TestTheSensorGetsNoWayIntoTheCluster(t *testing.T) {
	ns, ds := manifest(t)
	pod := ds.Spec.Template.Spec
	if ds.APIVersion != "apps/v1" || ds.Kind != "DaemonSet" || ds.Namespace != ns.Name {
		t.Errorf("%s %s in %s", ds.APIVersion, ds.Kind, ds.Namespace)
	}
	if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken || pod.ServiceAccountName != "" {
		t.Error("it gets a token of the API server")
	}
	if pod.HostPID || pod.HostNetwork || pod.HostIPC {
		t.Error("it shares a namespace with the node")
	}
	for _, v := range pod.Volumes {
		if v.HostPath != nil || v.Projected != nil {
			t.Errorf("volume %s is of the node or of the API server", v.Name)
		}
	}
}

func TestTheSensorMayDoTwoThingsAndNoMore(t *testing.T) {
	_, ds := manifest(t)
	pod := ds.Spec.Template.Spec
	if len(pod.Containers) != 1 || len(pod.InitContainers) != 0 {
		t.Fatal("want one container")
	}
	c := pod.Containers[0].SecurityContext
	if !slices.Equal(c.Capabilities.Drop, []corev1.Capability{"ALL"}) ||
		!slices.Equal(c.Capabilities.Add, []corev1.Capability{"BPF", "PERFMON"}) {
		t.Errorf("capabilities %+v", c.Capabilities)
	}
	if *c.Privileged || *c.AllowPrivilegeEscalation || !*c.ReadOnlyRootFilesystem ||
		c.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		t.Errorf("security context %+v", c)
	}
	for _, v := range pod.Containers[0].VolumeMounts {
		if v.Name != "buffer" && !v.ReadOnly {
			t.Errorf("it may write to %s", v.MountPath)
		}
	}
}

func TestTheSensorIsOnEveryNodeAndCostsLittle(t *testing.T) {
	_, ds := manifest(t)
	pod := ds.Spec.Template.Spec
	if len(pod.Tolerations) != 1 || pod.Tolerations[0].Operator != corev1.TolerationOpExists || pod.Tolerations[0].Key != "" ||
		pod.Tolerations[0].Effect != "" {
		t.Errorf("tolerations %+v", pod.Tolerations)
	}
	r := pod.Containers[0].Resources
	for name, list := range map[string]corev1.ResourceList{"requests": r.Requests, "limits": r.Limits} {
		if list.Cpu().Cmp(resource.MustParse("100m")) != 0 || list.Memory().Cmp(resource.MustParse("64Mi")) != 0 {
			t.Errorf("%s %v", name, list)
		}
	}
	limit := map[string]*resource.Quantity{}
	for _, v := range pod.Volumes {
		if v.EmptyDir != nil {
			limit[v.Name] = v.EmptyDir.SizeLimit
		}
	}
	// The pod is evicted beyond the volume's limit: the sensor's own comes first.
	if l := limit["buffer"]; l == nil || l.Cmp(resource.MustParse("64Mi")) <= 0 ||
		!slices.Contains(pod.Containers[0].Args, "--buffer-size=64MiB") {
		t.Errorf("buffer of %v, arguments %v", l, pod.Containers[0].Args)
	}
}

func TestTheSensorKnowsItsNodeAndItsServer(t *testing.T) {
	_, ds := manifest(t)
	c := ds.Spec.Template.Spec.Containers[0]
	from := map[string]*corev1.EnvVarSource{}
	for _, e := range c.Env {
		from[e.Name] = e.ValueFrom
	}
	if n := from["NODE_NAME"]; n == nil || n.FieldRef == nil || n.FieldRef.FieldPath != "spec.nodeName" {
		t.Errorf("NODE_NAME from %+v", n)
	}
	if n := from["POD_UID"]; n == nil || n.FieldRef == nil || n.FieldRef.FieldPath != "metadata.uid" {
		t.Errorf("POD_UID from %+v", n)
	}
	if s := from["BREAKWATER_SERVER"]; s == nil || s.ConfigMapKeyRef == nil {
		t.Errorf("BREAKWATER_SERVER from %+v", s)
	}
	keys := map[string]bool{}
	for _, v := range ds.Spec.Template.Spec.Volumes {
		if v.Secret != nil {
			for _, i := range v.Secret.Items {
				keys[c.VolumeMounts[0].MountPath+"/"+i.Path] = true
			}
		}
	}
	if !keys["/etc/breakwater/token"] || !keys["/etc/breakwater/ca.crt"] ||
		!slices.Contains(c.Args, "--token-file=/etc/breakwater/token") || !slices.Contains(c.Args, "--ca=/etc/breakwater/ca.crt") {
		t.Errorf("secret %v, arguments %v", keys, c.Args)
	}
}
