package audit

import (
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/event"
)

// Source is what rules name as their logsource.
var Source = event.Source{Product: "kubernetes", Service: "audit"}

// Index are the fields by which rules are found; each has one value at most.
var Index = []string{"objectRef.resource", "objectRef.subresource", "verb", "objectRef.apiGroup"}

// Forms are other ways to name the log: SigmaHQ's rules give a category.
var Forms = []event.Source{{Product: "kubernetes", Service: "audit", Category: "application"}}

// Aliases are names of fields in other people's rules, by what we call them.
var Aliases = map[string]string{
	"apiGroup": "objectRef.apiGroup", "namespace": "objectRef.namespace", "resource": "objectRef.resource",
	"subresource": "objectRef.subresource", "username": "user.username",
	"annotations.authorization.k8s.io/decision": "authorization.decision",
	"annotations.authorization.k8s.io/reason":   "authorization.reason",

	"capabilities": "container.addedCapability", "hostPath": "container.hostPath", "image": "container.image",
	"requestObject.spec.hostIPC": "pod.hostIPC", "requestObject.spec.hostNetwork": "pod.hostNetwork",
	"requestObject.spec.hostPID": "pod.hostPID", "requestObject.spec.nodeName": "pod.node",
	"requestObject.spec.serviceAccountName":                          "pod.serviceAccount",
	"requestObject.spec.containers.image":                            "container.image",
	"requestObject.spec.containers.securityContext.capabilities.add": "container.addedCapability",
	"requestObject.spec.volumes.hostPath.path":                       "container.hostPath",

	"requestObject.roleRef.kind": "binding.roleKind", "requestObject.roleRef.name": "binding.role",
	"requestObject.rules.resources": "role.resource", "requestObject.rules.verbs": "role.verb",
}

// Says is what an alert tells of a rule that says nothing itself.
var Says = []string{
	"{actor.name} ({actor.class}) asked to {verb} {object.kind} {objectRef.namespace}/{objectRef.name}, from {source.address}.",
	"The address asked for was {request.path}, and the answer {responseStatus.code}.",
}

// Level is the field that says how much of an event was kept, MetadataLevel the value that says that nothing of what was written was.
const (
	Level         = "level"
	MetadataLevel = "Metadata"
)

// Fields are all that a rule may ask of an audit event.
var Fields = marked(slices.Concat(requestFields, detailFields))

// ofWritten are the beginnings of the names of fields that are read of what a request wrote.
var ofWritten = []string{"change.", "known.", "pod.", "container.", "volume.", "role.", "binding.", "service.", "ingress.", "webhook.",
	"policy.", "namespace.", "networkPolicy.", "apiService.", "conversion.", "node.", "csr.",
	"account.", "token.seconds", "configMap.", "claim."}

func marked(fields []event.Field) []event.Field {
	for i := range fields {
		fields[i].Written = slices.ContainsFunc(ofWritten, func(begin string) bool { return strings.HasPrefix(fields[i].Name, begin) })
	}
	return fields
}

// requestFields are those of the request, and of what it writes of pods and rights.
var requestFields = []event.Field{
	{Name: "verb", Sentence: "What was asked: create, get, list, watch, update, patch, delete, deletecollection. " +
		"Over a WebSocket exec, attach and port-forward are a get.", Example: "create"},
	{Name: "level", Sentence: "How much the audit policy kept: Metadata, Request, RequestResponse.", Example: "RequestResponse"},
	{Name: "stage", Sentence: "ResponseStarted, ResponseComplete or Panic. " +
		"Events of the stage RequestReceived are not shown to rules: they do not say how it ended.", Example: "ResponseComplete"},
	{Name: "requestURI", Sentence: "The address asked for, without the values of unknown parameters.",
		Example: "/api/v1/namespaces/shop/pods?limit=500"},
	{Name: "request.path", Sentence: "The address without its parameters.", Example: "/api/v1/namespaces/shop/pods"},
	{Name: "userAgent", Sentence: "What the client calls itself; it may say anything.", Example: "kubectl/v1.37.2 (linux/amd64)"},
	{Name: "sourceIPs", Sentence: "Every address the request claims to have passed. " +
		"All but the last are text that a client may have made up: use source.address.", Example: "203.0.113.7"},
	{Name: "user.username", Sentence: "The authenticated user; absent if authentication failed.", Example: "alice"},
	{Name: "user.groups", Sentence: "The groups of the authenticated user.", Example: "system:masters"},
	{Name: "impersonatedUser.username", Sentence: "As whom the user asked to act.", Example: "system:serviceaccount:shop:builder"},
	{Name: "impersonatedUser.groups", Sentence: "The groups of whom the user asked to act as.", Example: "system:masters"},
	{Name: "objectRef.resource", Sentence: "The kind of thing asked for, as in the address.", Example: "pods"},
	{Name: "objectRef.subresource", Sentence: "The part of the thing asked for.", Example: "exec"},
	{Name: "objectRef.apiGroup", Sentence: "The API group of the thing; absent for the core group.", Example: "apps"},
	{Name: "objectRef.namespace", Sentence: "The namespace of the thing.", Example: "shop"},
	{Name: "objectRef.name", Sentence: "The name of the thing. If the server chose it, it is read from the answer.", Example: "web"},
	{Name: "responseStatus.code", Sentence: "The HTTP status. 101 says that a stream was opened, not that what ran in it succeeded.",
		Example: "201", Number: true},
	{Name: "authorization.decision", Sentence: "allow or forbid, as the API server decided.", Example: "allow"},
	{Name: "authorization.reason", Sentence: "Why the API server decided so, in its words.",
		Example: `RBAC: allowed by ClusterRoleBinding "ops"`},

	{Name: "outcome", Sentence: "success (2xx), upgraded (101), denied (401, 403), failed (all else), dry-run (nothing was kept). " +
		"Absent if the event does not tell.", Example: "success"},
	{Name: "actor.class", Sentence: "Who acts: person, service-account, node, controller (a loop of the controller manager), " +
		"control-plane, cloud-managed, anonymous, or unknown if authentication failed. An impersonator counts as what he is.", Example: "person"},
	{Name: "actor.name", Sentence: "The user name of who acts, or system:anonymous.", Example: "alice"},
	{Name: "actor.namespace", Sentence: "The namespace of the service account that acts.", Example: "kube-system"},
	{Name: "actor.clusterAdmin", Sentence: "true if the API server allowed the request because who acts holds cluster-admin in the whole " +
		"cluster. Absent if others allow it too, and of who acts as somebody else.", Example: "true"},
	{Name: "source.address", Sentence: "Where the request came from: the last hop that is not a configured proxy.", Example: "203.0.113.7"},
	{Name: "source.class", Sentence: "loopback, private or public, of source.address.", Example: "public"},
	{Name: "source.claimed", Sentence: "What the client says lies behind source.address.", Example: "198.51.100.1"},

	{Name: "change.unknown", Sentence: "Why all that the request states counts as its change: a request that states an object whole changes " +
		"what it was not before, where the log told that.", Example: "how it was before is not known, so all that the request states counts"},
	{Name: "object.kind", Sentence: "The kind of thing asked for, in the singular.", Example: "Deployment"},
	{Name: "pod.serviceAccount", Sentence: "The service account of the pods that a request makes, directly or by a workload's " +
		"template. Of a patch, what it names counts alone, and of every change, what was not so before, where the log told that. " +
		"The same holds for every field of pod, container, role and binding.",
		Example: "default"},
	{Name: "pod.hostNetwork", Sentence: "true if the pods use the node's network.", Example: "true"},
	{Name: "pod.hostPID", Sentence: "true if the pods see the node's processes.", Example: "true"},
	{Name: "pod.hostIPC", Sentence: "true if the pods share the node's IPC.", Example: "true"},
	{Name: "pod.node", Sentence: "The node that the request itself chose, past the scheduler.", Example: "worker-1"},
	{Name: "pod.mirror", Sentence: "true if the pod only shows what a node started from a file of its own (a static pod): the node itself " +
		"writes it, under its own name.", Example: "true"},
	{Name: "pod.mirrorClaimed", Sentence: "true if the pod says of itself that it only shows what a node started, whoever wrote it.", Example: "true"},
	{Name: "container.name", Sentence: "Names of the containers, init and ephemeral ones included.", Example: "app"},
	{Name: "container.image", Sentence: "The images as the request names them.", Example: "docker.io/library/nginx:1.27"},
	{Name: "container.command", Sentence: "What containers run instead of their images' own programs, each in one line.", Example: "sh -c id"},
	{Name: "container.privileged", Sentence: "Names of the containers that are privileged.", Example: "app"},
	{Name: "container.reprogrammed", Sentence: "Names of the containers that were privileged before the request, and whose image or command " +
		"it changes.", Example: "app"},
	{Name: "container.addedCapability", Sentence: "Linux capabilities that containers add.", Example: "SYS_ADMIN"},
	{Name: "container.hostPath", Sentence: "Folders of the node that containers mount, subPath included.", Example: "/data"},
	{Name: "container.sensitiveHostPath",
		Sentence: "Those of them that give more than their files: parts of the system, the kubelet's and the container runtimes' folders " +
			"and sockets, or a folder above such.", Example: "/etc"},
	{Name: "container.writableSensitiveHostPath", Sentence: "Sensitive folders that a container mounts without readOnly.", Example: "/"},
	{Name: "container.privilegedSensitiveHostPath", Sentence: "Sensitive folders that a privileged container mounts.", Example: "/dev"},

	{Name: "known.infrastructure", Sentence: "The project of which all images of the pods are, if it is known to need much of its nodes " +
		"(event/audit/infrastructure.yaml).", Example: "Cilium"},
	{Name: "known.beyond", Sentence: "What the pods ask for beyond what that project's own manifest does.", Example: "folder /root"},

	{Name: "volume.hostPath", Sentence: "The folder of the node that a written PersistentVolume opens to who claims it.", Example: "/data"},
	{Name: "volume.sensitiveHostPath", Sentence: "The same, if it gives more than its files.", Example: "/"},

	{Name: "exec.action", Sentence: "exec, attach, portforward or log, of a pod. " +
		"The same through nodes/proxy, which speaks to the kubelet, counts as well.", Example: "exec"},
	{Name: "exec.pod", Sentence: "The pod that was to be entered.", Example: "shop/web-1"},
	{Name: "exec.node", Sentence: "The node whose kubelet was asked, if it was.", Example: "worker-1"},
	{Name: "exec.command", Sentence: "What exec was asked to run, in one line.", Example: "/bin/sh -c id"},
	{Name: "exec.container", Sentence: "The container that exec, attach or logs named.", Example: "app"},

	{Name: "role.verb", Sentence: "Verbs that a written role allows.", Example: "*"},
	{Name: "role.resource", Sentence: "Resources that a written role is about.", Example: "secrets"},
	{Name: "role.everything", Sentence: "true if one rule of a written role allows every verb on every resource.", Example: "true"},
	{Name: "binding.role", Sentence: "The role that a written binding gives.", Example: "cluster-admin"},
	{Name: "binding.roleKind", Sentence: "Role or ClusterRole.", Example: "ClusterRole"},
	{Name: "binding.subject", Sentence: "To whom a written binding gives its role.", Example: "ServiceAccount shop/builder"},
	{Name: "binding.clusterAdmin", Sentence: "true if the role is the ClusterRole cluster-admin.", Example: "true"},
}
