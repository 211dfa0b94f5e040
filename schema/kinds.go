package schema

import (
	"slices"

	"github.com/breakwater-sec/breakwater/severity"
)

// named is what every namespaced thing has.
func named(more ...Property) []Property {
	return append([]Property{
		text("name", "Name", "The object's name."),
		dict("namespace", "Namespace", "The namespace it is in."),
		dict("cluster", "Cluster", "The cluster it is in."),
		list("labels", "Labels", "Its labels, each as key=value."),
	}, more...)
}

// clusterWide is what every cluster-scoped thing has.
func clusterWide(more ...Property) []Property {
	return append([]Property{
		text("name", "Name", "The object's name."),
		dict("cluster", "Cluster", "The cluster it is in."),
		list("labels", "Labels", "Its labels, each as key=value."),
	}, more...)
}

// names marks a property that may name other things than the node, or the edge's
// two ends.
func names(p Property) Property {
	p.Names = true
	return p
}

var (
	ended   = flag("ended", "Ended", "It has run to its end and does not start again: nobody gains anything from it.")
	exposed = insight(
		"exposed",
		"Exposed to the internet",
		"Traffic from the internet can arrive here: a route exists and no policy known to be enforced closes it.",
	)
	exposedPorts = list(
		"exposedPorts",
		"Exposed ports",
		"The ports and protocols that traffic from the internet can arrive at, such as 443/TCP.",
	)
	exposureWidth = enum("exposureWidth", "Exposure width", "Who can reach it: only listed address ranges, or any address.", "ranges", "any")
	critical      = insight(
		"critical",
		"Critical resource",
		"Marked as critical by the label or annotation breakwater.dev/critical, or by a built-in rule.",
	)
)

// losing adds what is lost with what runs, or with an identity.
func losing(more ...Property) []Property {
	return append(
		more,
		names(number("blastRadius", "Blast radius", "How many targets an attacker reaches who has this: nodes, cloud identities, Secrets by "+
			"namespace, what is marked critical, the cluster.")),
		names(text("worstTarget", "Worst target", "The one that gains an attacker most of all who has this.")),
		names(
			insight("reachesClusterAdmin", "Reaches cluster administrator", "An attacker who has this can come to do everything in the cluster."),
		),
	)
}

// ofImages are what the images that something runs say of it.
func ofImages(more ...Property) []Property {
	return append(
		more,
		insight(
			"severe",
			"High severity vulnerabilities",
			"An image it runs has a vulnerability of high or critical severity; unknown while one was not scanned.",
		),
		insight("rce", "Vulnerable to remote code execution", "An image it runs has a vulnerability that lets a remote attacker run code."),
		insight(
			"exploited",
			"Known exploited vulnerability",
			"An image it runs has a vulnerability in CISA's list of known exploited vulnerabilities.",
		),
	)
}

var workloadProperties = named(losing(
	number("replicas", "Replicas", "How many pods are wanted."),
	exposed, exposedPorts, exposureWidth, critical,
)...)

func workload(name, plural, sentence string) Kind {
	return Kind{Name: name, Label: name, Plural: plural, Group: "Kubernetes", Family: "Workload", Tenant: "namespace",
		Sentence: sentence, Properties: slices.Clone(workloadProperties)}
}

// Kinds is every kind of node.
var Kinds = []Kind{
	{Name: "Image", Label: "Container image", Plural: "Container images", Group: "Images", Shared: true,
		Coverage: "scanned", Uncovered: "were never scanned", Partly: "partly", InPart: "were read in part",
		Sentence: "A container image by digest, in a registry or seen running. One that was never scanned is unknown, not clean.",
		Properties: []Property{
			text("name", "Name", "The reference it was first seen under, such as docker.io/library/nginx:1.27."),
			dict("registry", "Registry", "The registry host."),
			dict("repository", "Repository", "The repository within the registry."),
			list("tags", "Tags", "The tags it was seen under."),
			text("digest", "Digest", "The manifest digest, sha256:…"),
			dict("platform", "Platform", "Operating system and architecture, such as linux/amd64."),
			dict("distribution", "Distribution", "The distribution and release inside, such as Debian 12."),
			flag("scanned", "Scanned", "Whether its packages have been read."),
			flag("partly", "Read in part", "Whether something in it was not looked into or could not be judged: "+
				"a vulnerability that is not listed is unknown then."),
			enum("scan", "Scan state", "Where its assessment stands.", "unknown", "queued", "scanning", "failed", "unsupported", "done"),
			text("scanError", "Scan error", "Why it could not be assessed."),
			moment("scannedAt", "Scanned at", "When its packages were read."),
			number("packages", "Packages", "How many packages it contains."),
			enum("severity", "Highest severity", "The highest severity among its vulnerabilities.", severity.Scale...),
			number("criticals", "Critical vulnerabilities", "How many vulnerabilities of critical severity it has."),
			number("highs", "High vulnerabilities", "How many vulnerabilities of high severity it has."),
			number("vulnerabilities", "Vulnerabilities", "How many vulnerabilities it has."),
			insight("severe", "High severity vulnerabilities", "Has at least one vulnerability of high or critical severity."),
			insight(
				"rce",
				"Vulnerable to remote code execution",
				"Has a vulnerability that lets a remote attacker run code, by the documented rule.",
			),
			flag(
				"unclear",
				"May be remote code execution",
				"Has a vulnerability of high or critical severity that may let a remote attacker run code: "+
					"no advisory says what exploiting it gives, or they contradict each other.",
			),
			insight("reads", "Lets strangers read files or memory",
				"Has a vulnerability that lets a remote attacker read files or memory of what runs the image, by the documented rule."),
			insight("exploited", "Known exploited vulnerability", "Has a vulnerability in CISA's list of known exploited vulnerabilities."),
			insight("running", "Running", "Some container that is not finished uses it."),
			insight("listed", "In a registry", "A connected registry lists it."),
		}},
	{Name: "Vulnerability", Label: "Vulnerability", Plural: "Vulnerabilities", Group: "Images", Shared: true, Dependent: true,
		Sentence: "A published vulnerability. Its id is the CVE id where it has one, otherwise the advisory's.",
		Properties: []Property{
			text("title", "Title", "The advisory's summary."),
			list("aliases", "Aliases", "Other ids of the same vulnerability."),
			enum("severity", "Severity", "The distribution's rating, else CVSS, else the GitHub advisory's level.", severity.Scale...),
			dict("severitySource", "Severity source", "Where the severity comes from."),
			float("cvss", "CVSS score", "The CVSS base score."),
			text("cvssVector", "CVSS vector", "The CVSS vector."),
			float("epss", "EPSS", "Probability of exploitation in the next 30 days, where known."),
			insight("rce", "Remote code execution", "Lets a remote attacker run code, by the documented rule."),
			enum("impact", "Impact", "What an attacker has who exploits it, by the documented rule.",
				"unknown", "denial of service", "bypass", "disclosure", "privilege escalation", "code execution"),
			flag(
				"unclear",
				"May be remote code execution",
				"It is grave, a stranger may reach it, and whether code can be run is not told or contradicted.",
			),
			flag("reads", "Discloses files or memory", "A stranger across the network can read files or memory of what has it."),
			insight("kev", "Known exploited", "In CISA's list of known exploited vulnerabilities."),
			list("cwes", "Weaknesses", "CWE ids."),
			moment("published", "Published", "When it was published."),
			moment("modified", "Modified", "When the advisory last changed."),
		}},
	{Name: "Package", Label: "Package", Plural: "Packages", Group: "Images", Shared: true, Dependent: true,
		Sentence: "One version of a software package, with the distribution release it belongs to. Its id is the package URL.",
		Properties: []Property{
			text("name", "Name", "The package's name."),
			text("version", "Version", "The installed version."),
			dict("ecosystem", "Ecosystem", "OSV ecosystem, such as Debian:12 or Go."),
			text("source", "Source package", "The source package that advisories name."),
		}},
	{Name: "Repository", Label: "Repository", Plural: "Repositories", Group: "Images", Shared: true, Dependent: true,
		Sentence: "An image repository in a registry.",
		Properties: []Property{
			text("name", "Name", "Registry and repository."),
			dict("registry", "Registry", "The registry host."),
		}},
	{Name: "Registry", Label: "Registry", Plural: "Registries", Group: "Images", Shared: true, Dependent: true,
		Sentence:   "A container registry that some image comes from.",
		Properties: []Property{text("name", "Host", "The registry's host.")}},

	{Name: "Cluster", Label: "Cluster", Plural: "Clusters", Group: "Kubernetes",
		Sentence: "A Kubernetes cluster.",
		Properties: []Property{
			text("name", "Name", "The cluster's name here."),
			text("version", "Version", "The API server's version."),
			enum(
				"policyEnforcement",
				"Policy enforcement",
				"Whether something enforces network policies: a known network plugin, none seen, or unknown.",
				"unknown",
				"none",
				"enforced",
			),
			text("networkPlugin", "Network plugin", "The recognised network plugin."),
			dict("provider", "Cloud", "Whose managed cluster it is: aws, azure or gcp; known from what the cloud says."),
			insight("apiPublic", "API server on the internet", "Its API server has an address of the internet, as its cloud says."),
			list("apiRanges", "API clients", "The address ranges that may connect to its API server; none where everybody may."),
			flag("privateNodes", "Private nodes", "Its nodes have no addresses of the internet, as its cloud says."),
			flag("eks", "EKS", "It is a cluster of Amazon EKS, as its version, its nodes or its cloud say."),
			flag("cloudRoles", "Roles of the cloud", "Roles of the cloud decide inside the cluster, as its cloud says."),
			critical,
		}},
	{Name: "Namespace", Label: "Namespace", Plural: "Namespaces", Group: "Kubernetes", Tenant: "name",
		Sentence: "A namespace.",
		Properties: clusterWide(
			dict("podSecurity", "Pod Security level", "The enforced Pod Security Standard, from the namespace's label."),
			insight("admitsNodeTakeover", "Admits pods that take over nodes",
				"Nothing that is known of refuses a new pod that takes over the node it runs on; unknown where that cannot be decided."),
			insight("admitsNodeTakeoverByWorkload", "Admits workloads that take over nodes",
				"The same for the pods of a new or changed workload."),
			insight("admitsNodeTakeoverByDebugging", "Admits debugging containers that take over nodes",
				"The same for a container that is added to a running pod."),
			insight("admitsNodeTakeoverRelabelled", "Admits pods that take over nodes once it is relabelled",
				"The same for a new pod, when the namespace's labels are changed first."),
			critical,
		)},
	{Name: "Node", Label: "Node", Plural: "Nodes", Group: "Kubernetes",
		Coverage: "assessed", Uncovered: "were never held against advisories", Partly: "partly", InPart: "are known in part",
		Sentence: "A machine of a cluster.",
		Properties: clusterWide(losing(
			list("addresses", "Addresses", "Its addresses."),
			list("publicAddresses", "Public addresses", "Addresses reachable from the internet as far as addresses tell."),
			dict("os", "Operating system", "The operating system it reports."),
			dict("kernel", "Kernel", "The kernel version it reports."),
			dict("runtime", "Container runtime", "The container runtime it reports."),
			dict("kubelet", "Kubelet version", "The kubelet version it reports."),
			list("roles", "Roles", "Its node-role labels."),
			dict("provider", "Cloud", "Whose machine it is: aws, azure or gcp."),
			flag("metadataServer", "Workload identity", "GKE's metadata server runs on it: pods get their own identity from it, not the node's."),
			flag("metadataLocal", "Metadata for itself only", "Its metadata service does not answer over the network of its pods: "+
				"it is switched off, or asks for a token that goes one hop only."),
			insight("controlPlane", "Control plane", "Runs the control plane."),
			flag("assessed", "Assessed", "Whether the versions that it reports were held against advisories."),
			flag("partly", "Assessed in part", "Whether advisories could not speak of some of what it runs: "+
				"a vulnerability that is not listed is unknown then."),
			enum("severity", "Highest severity", "The highest severity among the vulnerabilities of what it runs.", severity.Scale...),
			number("criticals", "Critical vulnerabilities", "How many vulnerabilities of critical severity its software has."),
			number("highs", "High vulnerabilities", "How many vulnerabilities of high severity its software has."),
			number("vulnerabilities", "Vulnerabilities", "How many vulnerabilities its kernel, container runtime and kubelet have."),
			insight("exploited", "Known exploited", "What it runs has a vulnerability that is known to be exploited."),
			insight("kernelEscapes", "Kernel lets programs gain it",
				"Its kernel has a grave vulnerability by which a program on it gains more rights; unknown where its version tells nothing."),
			insight("runtimeEscapes", "Container runtime lets containers out",
				"Its container runtime has a vulnerability by which a container gains the node."),
			insight("kubeletEscapes", "Kubelet lets pods out", "Its kubelet has a vulnerability by which a pod gains the node."),
			exposed, exposedPorts, exposureWidth, critical,
		)...)},
	workload("Deployment", "Deployments", "A Deployment and the pods it keeps."),
	workload("StatefulSet", "StatefulSets", "A StatefulSet and the pods it keeps."),
	workload("DaemonSet", "DaemonSets", "A DaemonSet: a pod on every matching node."),
	workload("ReplicaSet", "ReplicaSets", "A ReplicaSet, usually made by a Deployment."),
	workload("ReplicationController", "ReplicationControllers", "A ReplicationController, the ReplicaSet of Kubernetes before Deployments."),
	workload("Job", "Jobs", "A Job that runs to its end."),
	workload("CronJob", "CronJobs", "A CronJob that makes Jobs on a schedule."),
	{Name: "Pod", Label: "Pod", Plural: "Pods", Group: "Kubernetes", Tenant: "namespace", Over: "ended",
		Sentence: "A pod: one or more containers that share a place.",
		Properties: named(losing(ofImages(
			text("workload", "Workload", "Kind and name of the workload that owns it in the end, such as Deployment/web."),
			dict("phase", "Phase", "Pending, Running, Succeeded, Failed or Unknown."),
			ended,
			names(dict("node", "Node", "The node it was bound to.")),
			text("ip", "Address", "Its address."),
			dict("serviceAccount", "Service account", "The service account it runs as."),
			flag("made", "From a manifest", "Nobody has seen it running: a manifest would make it, on a node that is chosen for it here."),
			insight("hostNetwork", "Host network", "Uses its node's network: it listens on the node's addresses and can reach what the node can."),
			insight("hostPID", "Host processes", "Sees and can signal its node's processes."),
			insight("hostIPC", "Host IPC", "Shares its node's inter-process communication."),
			flag("shareProcesses", "Shared process namespace", "Its containers see each other's processes."),
			insight("privileged", "Privileged container", "Runs at least one privileged container."),
			flag("reachesMetadata", "Reaches the metadata service", "No policy known to be enforced keeps it from its cloud's metadata service."),
			flag("reachesMetadataServer", "Reaches GKE's metadata server", "The same for GKE's own server, which gives it its own identity."),
			insight("tokenMounted", "Token mounted", "The service account's token is mounted into its containers."),
			flag(
				"tokenForNode",
				"Token for its node",
				"The API server gives the pod's node tokens of its account: those that the pod mounts, and "+
					"before Kubernetes 1.33 any.",
			),
			dict("runtimeClass", "Runtime class", "The runtime class, where one is set."),
			flag(
				"runtimeSandboxed",
				"Sandboxed runtime",
				"Runs in a sandbox with a kernel of its own, such as gVisor or Kata Containers; unknown for a runtime class of another name.",
			),
			flag("userNamespace", "User namespace", "Its users are not the node's: root inside is nobody outside."),
			insight("clusterAdmin", "Cluster administrator", "Its service account may do everything in the cluster."),
			exposed,
			exposedPorts,
			exposureWidth,
			critical,
		)...)...)},
	{Name: "Container", Label: "Container", Plural: "Containers", Group: "Kubernetes", Tenant: "namespace", Over: "ended",
		Sentence: "A container of a pod.",
		Properties: losing(ofImages(
			text("name", "Name", "The container's name."),
			dict("namespace", "Namespace", "The namespace its pod is in."),
			dict("cluster", "Cluster", "The cluster its pod is in."),
			text("pod", "Pod", "Its pod's name."),
			text("workload", "Workload", "Kind and name of the workload that owns its pod."),
			dict("type", "Type", "container, init, sidecar or ephemeral."),
			ended,
			dict("image", "Image reference", "The image as the pod's spec writes it."),
			insight("privileged", "Privileged", "Has every capability and sees the node's devices."),
			list("capabilities", "Added capabilities", "Capabilities added to the default set, ALL included."),
			list("effectiveCapabilities", "Effective capabilities", "What its root may do: the runtime's default set, with what is added and "+
				"without what is dropped. ALL stands there for a privileged one only."),
			insight("hostProcess", "HostProcess", "Runs on its Windows node outside of any isolation."),
			flag("unmaskedProc", "Unmasked /proc", "The kernel's settings in its /proc can be written to."),
			dict("seccomp", "Seccomp profile", "The profile that the spec names; none is left to the node."),
			dict("appArmor", "AppArmor profile", "The profile that the spec names; none is left to the node."),
			flag(
				"kernelGuarded",
				"Kept from the kernel",
				"False where nothing stands between its programs and their node's kernel; unknown where "+
					"a seccomp profile or a user namespace may.",
			),
			flag("tokenMounted", "Token mounted", "The service account's token for the API server lies in its file system."),
			list("tokenAudiences", "Token audiences", "For whom else it has tokens of its service account, such as a cloud."),
			flag("allowEscalation", "Privilege escalation allowed", "A process may gain more privileges than its parent; unset means it may."),
			flag("runsAsRoot", "Runs as root", "Runs as user 0; unknown where neither the pod nor the image says."),
			flag("stdin", "Keeps its input open", "Its standard input is kept open: who attaches to it can type."),
			flag("readOnlyRoot", "Read-only root", "Its root filesystem is read-only."),
			list("ports", "Ports", "Declared ports, such as 8080/TCP."),
			dict("openService", "Open service", "What it runs that asks nobody who they are, such as Tiller; known by image and arguments."),
			insight(
				"openExecutes",
				"Runs code for anybody",
				"What it runs lets those who reach it run code there, by design and without credentials.",
			),
			flag("tagMoves", "Tag can be moved", "Its image is named by a tag, and the registry's provider says that tags can be moved; "+
				"false by digest, or where tags cannot."),
			flag("thirdParty", "Third-party image", "Its image comes from a registry where others publish."),
			flag(
				"unknownRegistry",
				"Unknown registry",
				"Its image comes from a registry that is none of the known ones; unknown where nobody has "+
					"said which are one's own.",
			),
			list("hostPorts", "Host ports", "Ports opened on the node's addresses."),
			insight(
				"exposed",
				"Exposed to the internet",
				"Traffic from the internet can arrive at a port that this container declares, or that no container of its pod declares.",
			),
			exposedPorts,
		)...)},
	{Name: "Volume", Label: "Volume", Plural: "Volumes", Group: "Kubernetes", Tenant: "namespace",
		Sentence: "A volume that a workload's pods declare.",
		Properties: named(
			dict("type", "Type", "The volume source, such as hostPath or persistentVolumeClaim."),
			text("path", "Path", "The host's path of a hostPath volume."),
			text("workload", "Workload", "Kind and name of the workload that declares it."),
			insight("hostPath", "Host folder", "Mounts a folder of the node."),
		)},
	{Name: "Service", Label: "Service", Plural: "Services", Group: "Network", Tenant: "namespace",
		Sentence: "A Service: a stable address for pods.",
		Properties: named(
			dict("type", "Type", "ClusterIP, NodePort, LoadBalancer or ExternalName."),
			list("ports", "Ports", "Ports, such as 80/TCP."),
			list("addresses", "External addresses", "Load balancer addresses and external addresses."),
			exposed, exposedPorts, exposureWidth,
		)},
	{Name: "Ingress", Label: "Ingress", Plural: "Ingresses", Group: "Network", Tenant: "namespace",
		Sentence: "An Ingress: HTTP routes that an ingress controller serves.",
		Properties: named(
			dict("class", "Class", "The ingress class in effect."),
			list("hosts", "Hosts", "The host names it answers to; * for any."),
			flag("tls", "TLS", "Names a TLS certificate."),
			exposed, exposedPorts, exposureWidth,
		)},
	{Name: "NetworkPolicy", Label: "Network policy", Plural: "Network policies", Group: "Network", Tenant: "namespace",
		Sentence: "A NetworkPolicy. It protects only where the network plugin enforces it.",
		Properties: named(
			flag("ingress", "Restricts ingress", "Restricts traffic to the pods it selects."),
			flag("egress", "Restricts egress", "Restricts traffic from the pods it selects."),
		)},
	{Name: "NetClass", Label: "Network class", Plural: "Network classes", Group: "Network",
		Sentence: "Pods that no network policy tells apart: as senders, or as what listens on the same ports.",
		Properties: []Property{
			names(text("name", "Name", "Whom it is made of, in words.")),
			dict("cluster", "Cluster", "The cluster it is in."),
			dict("direction", "Direction", "sends or listens."),
			number("pods", "Pods", "How many pods it is made of."),
			list("ports", "Ports", "What they listen on, such as 6379/TCP."),
			flag("unrestricted", "Unrestricted", "No network policy restricts them in this direction."),
		}},
	{Name: "Internet", Label: "Internet", Plural: "Internet", Group: "Network", Shared: true,
		Sentence: "Anyone outside: where attack paths begin.", Properties: []Property{text("name", "Name", "Internet.")}},
	{Name: "ConfigMap", Label: "ConfigMap", Plural: "ConfigMaps", Group: "Kubernetes", Tenant: "namespace",
		Sentence: "A ConfigMap's name; its data is never read.", Properties: named()},
	{Name: "Secret", Label: "Secret", Plural: "Secrets", Group: "Kubernetes", Tenant: "namespace",
		Sentence:   "A Secret's name, known from what refers to it; its data is never read.",
		Properties: named(dict("type", "Type", "The Secret's type, where metadata was opted in to."), critical)},
	{Name: "AdmissionWebhook", Label: "Admission webhook", Plural: "Admission webhooks", Group: "Kubernetes",
		Sentence: "A webhook that the API server asks before it stores an object.",
		Properties: clusterWide(
			dict("type", "Type", "validating or mutating."),
			flag("failsOpen", "Fails open", "If it does not answer, the object is let in."),
		)},

	{
		Name:     "ServiceAccount",
		Label:    "Service account",
		Plural:   "Service accounts",
		Group:    "Identity",
		Family:   "Identity",
		Tenant:   "namespace",
		Sentence: "The identity pods run as.",
		Properties: named(losing(
			flag("automount", "Automounts its token", "Pods get its token unless they decline."),
			insight("clusterAdmin", "Cluster administrator", "May do everything in the cluster."),
			critical,
		)...),
	},
	{Name: "User", Label: "User", Plural: "Users", Group: "Identity", Family: "Identity",
		Sentence:   "A user that some binding names; Kubernetes itself keeps no users.",
		Properties: clusterWide(losing(insight("clusterAdmin", "Cluster administrator", "May do everything in the cluster."))...)},
	{Name: "Group", Label: "Group", Plural: "Groups", Group: "Identity", Family: "Identity",
		Sentence: "A group that some binding names, or that Kubernetes implies.",
		Properties: clusterWide(losing(
			insight("clusterAdmin", "Cluster administrator", "May do everything in the cluster."),
			insight("everyone", "Everyone", "Includes callers who have not proved who they are, or everybody who has."),
		)...)},
	{Name: "CloudIdentity", Label: "Cloud identity", Plural: "Cloud identities", Group: "Identity", Family: "Identity",
		Sentence: "An identity of a cloud that something in the cluster can act as: a role, a managed identity, a service account of the cloud.",
		Properties: []Property{
			text("name", "Name", "Its name or id, as the cloud writes it."),
			dict("provider", "Provider", "aws, azure or gcp."),
			dict("cluster", "Cluster", "The cluster that names it."),
			critical,
		}},
	{Name: "CloudResource", Label: "Cloud resource", Plural: "Cloud resources", Group: "Cloud",
		Sentence: "Something in a cloud account, such as a storage bucket, that a cloud identity may read or control.",
		Properties: []Property{
			text("name", "Name", "Its name or id, as the cloud writes it."),
			dict("type", "Type", "What it is, in the provider's words."),
			dict("provider", "Provider", "aws, azure or gcp."),
			dict("cluster", "Cluster", "The cluster through which it is known."),
			critical,
		}},
	{Name: "Role", Label: "Role", Plural: "Roles", Group: "Identity", Tenant: "namespace",
		Sentence: "Rules that a RoleBinding can grant in its namespace.", Properties: named()},
	{Name: "ClusterRole", Label: "ClusterRole", Plural: "ClusterRoles", Group: "Identity",
		Sentence: "Rules that a binding can grant in a namespace or everywhere.", Properties: clusterWide()},
	{Name: "RoleBinding", Label: "RoleBinding", Plural: "RoleBindings", Group: "Identity", Tenant: "namespace",
		Sentence: "Grants a role in one namespace.", Properties: named()},
	{Name: "ClusterRoleBinding", Label: "ClusterRoleBinding", Plural: "ClusterRoleBindings", Group: "Identity",
		Sentence: "Grants a ClusterRole everywhere.", Properties: clusterWide()},
	{Name: "Permission", Label: "Permission", Plural: "Permissions", Group: "Identity", Tenant: "namespace",
		Sentence: "One power in one scope, such as reading Secrets in namespace shop: the effective answer of the RBAC judge.",
		Properties: []Property{
			text("name", "Name", "The power and its scope in words."),
			dict("power", "Power", "The power's id, such as read-secrets."),
			dict("scope", "Scope", "cluster, namespace or names."),
			dict("namespace", "Namespace", "The namespace it is limited to; COVERS says where it holds, with the whole cluster too."),
			dict("cluster", "Cluster", "The cluster."),
		}},
}
