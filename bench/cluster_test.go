package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// made is a cluster as `kubectl get -o json` prints it, of any size and always
// the same for its size: teams with a namespace each, who deploy ten workloads
// under accounts of their own; controllers and operators with the rights that
// they ask for; agents on every node of four pools; policies, secrets, webhooks,
// and some of the things that go wrong.
type made struct {
	objects []object
	pods    int
}

type object map[string]any

// list is a list of anything in an object.
type list = []any

// clusterOf has about this many pods.
func clusterOf(pods int) *made {
	m := &made{}
	nodes := max(4, pods/40)
	m.controlPlane()
	for n := range nodes {
		m.node(n)
	}
	m.builtInRoles()
	for i, o := range operators {
		m.operator(i, o)
	}
	for _, a := range agents {
		m.agent(a, nodes)
	}
	for team := 0; m.pods < pods; team++ {
		m.team(team, nodes)
	}
	return m
}

func (m *made) put(version, kind, namespace, name string, rest object) object {
	meta := object{"name": name, "uid": fmt.Sprintf("%08d-0000-4000-8000-000000000000", len(m.objects)),
		"resourceVersion": fmt.Sprint(len(m.objects)),
		"managedFields": list{object{"manager": "kube-controller-manager", "operation": "Update", "apiVersion": version,
			"fieldsType": "FieldsV1",
			"fieldsV1":   object{"f:metadata": object{"f:labels": object{}}}}}}
	if namespace != "" {
		meta["namespace"] = namespace
	}
	for _, of := range []string{"labels", "ownerReferences", "annotations"} {
		if rest[of] != nil {
			meta[of] = rest[of]
			delete(rest, of)
		}
	}
	o := object{"apiVersion": version, "kind": kind, "metadata": meta}
	for k, v := range rest {
		o[k] = v
	}
	m.objects = append(m.objects, o)
	return o
}

const perFile = 2000 // objects

// files writes the cluster into a folder.
func (m *made) files(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for f := 0; f*perFile < len(m.objects); f++ {
		b, err := json.Marshal(object{"apiVersion": "v1", "kind": "List", "items": m.objects[f*perFile : min(len(m.objects), (f+1)*perFile)]})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("objects-%d.json", f)), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// pools are the nodes' pools, with the share of nodes in each.
var pools = []string{"general", "general", "general", "memory", "spot", "gpu"}

func nodeName(n int) string { return fmt.Sprintf("node-%s-%d", pools[n%len(pools)], n) }

func (m *made) node(n int) {
	pool := pools[n%len(pools)]
	spec := object{"providerID": fmt.Sprintf("aws:///eu-central-1a/i-%017x", n)}
	if pool == "gpu" || pool == "spot" {
		spec["taints"] = list{object{"key": "pool", "value": pool, "effect": "NoSchedule"}}
	}
	m.put("v1", "Node", "", nodeName(n), object{"labels": object{"pool": pool, "kubernetes.io/hostname": nodeName(n)}, "spec": spec,
		"status": nodeStatus(fmt.Sprintf("10.0.%d.%d", n/250, n%250+1))})
}

func nodeStatus(ip string) object {
	return object{"addresses": list{object{"type": "InternalIP", "address": ip}},
		"conditions": list{object{"type": "Ready", "status": "True"}},
		"nodeInfo": object{"kubeletVersion": "v1.34.2", "kernelVersion": "6.12.40", "containerRuntimeVersion": "containerd://2.1.4",
			"osImage": "Bottlerocket", "operatingSystem": "linux", "architecture": "amd64"}}
}

func (m *made) controlPlane() {
	for _, ns := range []string{"kube-system", "default", "operators"} {
		m.put("v1", "Namespace", "", ns, object{"labels": object{"kubernetes.io/metadata.name": ns}})
	}
	for n := range 3 {
		name := fmt.Sprintf("control-plane-%d", n)
		m.put("v1", "Node", "", name, object{"labels": object{"node-role.kubernetes.io/control-plane": ""},
			"spec":   object{"taints": list{object{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}}},
			"status": nodeStatus(fmt.Sprintf("10.255.0.%d", n+1))})
		for _, c := range []string{"kube-apiserver", "etcd", "kube-scheduler", "kube-controller-manager"} {
			spec := podSpec("default", c)
			spec["hostNetwork"], spec["nodeName"], spec["automountServiceAccountToken"] = true, name, false
			mount(spec, "pki", object{"hostPath": object{"path": "/etc/kubernetes/pki"}}, true)
			m.pod("kube-system", c+"-"+name, object{"component": c}, nil, spec)
		}
	}
}

// podSpec is one container and what an API server fills in.
func podSpec(account, image string) object {
	return object{"serviceAccountName": account, "restartPolicy": "Always", "dnsPolicy": "ClusterFirst",
		"schedulerName": "default-scheduler",
		"tolerations": list{object{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute",
			"tolerationSeconds": 300}},
		"containers": list{object{"name": "app", "image": "registry.example/" + image + ":1.4.2", "imagePullPolicy": "IfNotPresent",
			"ports": list{object{"name": "http", "containerPort": 8080, "protocol": "TCP"}},
			"env": list{object{"name": "LOG_LEVEL", "value": "info"},
				object{"name": "POD_NAME", "valueFrom": object{"fieldRef": object{"fieldPath": "metadata.name"}}}},
			"resources":      object{"limits": object{"cpu": "1", "memory": "512Mi"}, "requests": object{"cpu": "100m", "memory": "256Mi"}},
			"readinessProbe": object{"httpGet": object{"path": "/ready", "port": "http"}, "periodSeconds": 10}}}}
}

func theContainer(spec object) object { return spec["containers"].(list)[0].(object) }

func secure(spec object, how object) { theContainer(spec)["securityContext"] = how }

// mount gives the container a volume.
func mount(spec object, name string, source object, readOnly bool) {
	volumes, _ := spec["volumes"].(list)
	source["name"] = name
	spec["volumes"] = append(volumes, source)
	c := theContainer(spec)
	mounts, _ := c["volumeMounts"].(list)
	c["volumeMounts"] = append(mounts, object{"name": name, "mountPath": "/mnt/" + name, "readOnly": readOnly})
}

// pod is one that runs, with the token that an API server mounts.
func (m *made) pod(namespace, name string, labels, owner, template object) {
	spec := object{}
	for k, v := range template {
		spec[k] = v
	}
	m.pods++
	if spec["nodeName"] == nil {
		spec["nodeName"] = nodeName(m.pods % max(4, m.pods/40))
	}
	if spec["automountServiceAccountToken"] != false {
		c := object{}
		for k, v := range theContainer(template) {
			c[k] = v
		}
		mounts, _ := c["volumeMounts"].(list)
		c["volumeMounts"] = append(mounts[:len(mounts):len(mounts)], object{"name": "kube-api-access", "readOnly": true,
			"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"})
		spec["containers"] = list{c}
		volumes, _ := spec["volumes"].(list)
		spec["volumes"] = append(volumes[:len(volumes):len(volumes)], object{"name": "kube-api-access", "projected": object{"sources": list{
			object{"serviceAccountToken": object{"expirationSeconds": 3607, "path": "token"}},
			object{"configMap": object{"name": "kube-root-ca.crt", "items": list{object{"key": "ca.crt", "path": "ca.crt"}}}}}}})
	}
	image := theContainer(template)["image"].(string)
	rest := object{"labels": labels, "spec": spec, "annotations": object{"checksum/config": strings.Repeat("a", 64)},
		"status": object{"phase": "Running", "podIP": fmt.Sprintf("10.%d.%d.%d", 2+m.pods/62500, m.pods/250%250, m.pods%250+1),
			"conditions": list{object{"type": "Ready", "status": "True"}, object{"type": "PodScheduled", "status": "True"}},
			"containerStatuses": list{object{"name": "app", "ready": true, "image": image, "imageID": image,
				"containerID": fmt.Sprintf("containerd://%064x", m.pods), "state": object{"running": object{"startedAt": "2026-03-01T08:00:00Z"}}}}}}
	if owner != nil {
		owner["controller"], owner["uid"] = true, "0b9e4a36-7a1f-4c4b-9a55-3f1d3a6d2f10"
		rest["ownerReferences"] = list{owner}
	}
	m.put("v1", "Pod", namespace, name, rest)
}

// workload is one of a kind with its pods, and where they are made by another's.
func (m *made) workload(kind, namespace, name string, replicas int, spec object) {
	labels := object{"app.kubernetes.io/name": name}
	selector := object{"matchLabels": labels}
	template := object{"metadata": object{"labels": labels}, "spec": spec}
	body := object{"spec": object{"replicas": replicas, "selector": selector, "template": template}}
	owner := object{"apiVersion": "apps/v1", "kind": kind, "name": name}
	switch kind {
	case "CronJob":
		m.put("batch/v1", kind, namespace, name, object{"spec": object{
			"schedule": "@daily", "jobTemplate": object{"spec": object{"template": template}}}})
		return
	case "Deployment":
		m.put("apps/v1", kind, namespace, name, body)
		for old := range 3 { // the last is the one that runs
			n := 0
			if old == 2 {
				n = replicas
			}
			m.put("apps/v1", "ReplicaSet", namespace, fmt.Sprintf("%s-%d", name, old), object{
				"ownerReferences": list{object{"apiVersion": "apps/v1", "kind": kind, "name": name, "controller": true, "uid": "1"}},
				"spec":            object{"replicas": n, "selector": selector, "template": template}})
		}
		owner = object{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name + "-2"}
	case "DaemonSet":
		m.put("apps/v1", kind, namespace, name, object{"spec": object{"selector": selector, "template": template}})
		for n := range replicas {
			spec["nodeName"] = nodeName(n)
			m.pod(namespace, fmt.Sprintf("%s-%05d", name, n), labels, owner, spec)
		}
		delete(spec, "nodeName")
		return
	default:
		m.put("apps/v1", kind, namespace, name, body)
	}
	for n := range replicas {
		m.pod(namespace, fmt.Sprintf("%s-%d", owner["name"], n), labels, owner, spec)
	}
}

// agents run on each node with what they need of it.
var agents = []string{"kube-proxy", "cni", "csi-node", "log-agent", "node-exporter"}

func (m *made) agent(name string, nodes int) {
	spec := podSpec(name, "agents/"+name)
	spec["hostNetwork"] = true
	switch name {
	case "log-agent":
		delete(spec, "hostNetwork")
		mount(spec, "logs", object{"hostPath": object{"path": "/var/log"}}, true)
	case "node-exporter":
		spec["hostPID"] = true
		mount(spec, "root", object{"hostPath": object{"path": "/"}}, true)
	case "csi-node":
		mount(spec, "kubelet", object{"hostPath": object{"path": "/var/lib/kubelet"}}, false)
		fallthrough
	default:
		secure(spec, object{"privileged": true})
	}
	m.account("kube-system", name)
	m.clusterRole(name, nil, rules("get,list,watch", "", "nodes,pods,services,endpoints"), rules("create,patch", "", "events"))
	m.bindCluster(name, name, account("kube-system", name))
	m.workload("DaemonSet", "kube-system", name, nodes, spec)
}
