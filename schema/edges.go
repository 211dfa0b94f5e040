package schema

import "github.com/breakwater-sec/breakwater/severity"

func pairs(froms []string, tos ...string) []Pair {
	var out []Pair
	for _, f := range froms {
		for _, t := range tos {
			out = append(out, Pair{f, t})
		}
	}
	return out
}

func join(lists ...[]Pair) []Pair {
	var out []Pair
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

var (
	workloads  = []string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob"}
	identities = []string{"ServiceAccount", "User", "Group"}
	bindings   = []string{"RoleBinding", "ClusterRoleBinding"}
)

// ruleColumn and witness are on every derived edge: which attack rule made it
// and the stable ids ("Kind id") of up to four nodes that prove it.
var derivedProperties = []Property{
	dict("rule", "Rule", "The attack rule that made this edge."),
	names(list("witness", "Witness", "The nodes that prove it, as kind and id.")),
	names(text("uncertain", "Uncertain", "What could not be seen and might prevent this; empty if nothing.")),
}

// Edges is every kind of edge.
var Edges = []Edge{
	{Name: "CONTAINS", Verb: "contains", Inverse: "is in",
		Sentence: "A cluster contains namespaces and nodes; a namespace contains its objects.",
		Joins: join(
			pairs([]string{"Cluster"}, "Namespace", "Node"),
			pairs(
				[]string{"Namespace"},
				append(
					[]string{"Pod", "Service", "Ingress", "NetworkPolicy", "ServiceAccount", "Secret", "ConfigMap", "Role", "RoleBinding"},
					workloads...)...),
		)},
	{Name: "OWNS", Verb: "owns", Inverse: "is owned by",
		Sentence: "A workload makes and keeps pods, directly or through another workload.",
		Joins: join(pairs([]string{"Deployment"}, "ReplicaSet", "Pod"), pairs([]string{"CronJob"}, "Job", "Pod"),
			pairs([]string{"ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job"}, "Pod"))},
	{Name: "RUNS", Verb: "runs", Inverse: "runs in", Sentence: "A pod runs containers.", Joins: pairs([]string{"Pod"}, "Container")},
	{Name: "RUNS_ON", Verb: "runs on", Inverse: "runs", Sentence: "A pod runs on a node.", Joins: pairs([]string{"Pod"}, "Node")},
	{
		Name:     "USES_IMAGE",
		Verb:     "uses image",
		Inverse:  "is used by",
		Sentence: "A container uses an image, by the digest that the node resolved.",
		Joins:    pairs([]string{"Container"}, "Image"),
	},
	{Name: "STORED_IN", Verb: "is stored in", Inverse: "stores", Sentence: "An image is stored in a repository, a repository in a registry.",
		Joins: []Pair{{"Image", "Repository"}, {"Repository", "Registry"}}},
	{Name: "HAS_PACKAGE", Verb: "has package", Inverse: "is in image", Sentence: "An image contains a package.",
		Joins: pairs([]string{"Image"}, "Package"), Coverage: Pair{"Image", "scanned"},
		Properties: []Property{dict("layer", "Layer", "The digest of the layer that brought it.")}},
	{Name: "AFFECTED_BY", Verb: "is affected by", Inverse: "affects", Sentence: "An advisory says that this package version is affected.",
		Joins: pairs([]string{"Package"}, "Vulnerability"),
		Properties: []Property{
			text("fixed", "Fixed in", "The first version that is not affected, where there is one."),
			enum("severity", "Severity here", "The severity for this package in this distribution.", severity.Scale...),
			text("advisory", "Advisory", "The advisory's id and source."),
		}},
	{
		Name:     "HAS_VULNERABILITY",
		Verb:     "has vulnerability",
		Inverse:  "is found in",
		Sentence: "An image has a vulnerability, through a package that advisories call affected.",
		Joins:    pairs([]string{"Image"}, "Vulnerability"),
		Coverage: Pair{"Image", "scanned"},
		Properties: []Property{
			text("package", "Package", "The package and its installed version."),
			text("installed", "Installed", "The installed version."),
			text("fixed", "Fixed in", "The first version that is not affected, empty if there is none yet."),
			enum("severity", "Severity here", "The severity for this package in this distribution.", severity.Scale...),
			dict("layer", "Layer", "The digest of the layer that brought the package."),
		},
	},
	{Name: "NODE_HAS_VULNERABILITY", Verb: "runs what has", Inverse: "is in what is run by",
		Sentence: "The kernel, container runtime or kubelet of a node has a vulnerability, by the version that it reports.",
		Joins:    pairs([]string{"Node"}, "Vulnerability"), Coverage: Pair{"Node", "assessed"},
		Properties: []Property{
			dict("part", "Part", "kernel, container runtime or kubelet."),
			text("package", "Package", "The package that the version stands for, and the version."),
			text("fixed", "Fixed in", "The first version that is not affected, empty if there is none yet."),
			enum("severity", "Severity here", "The severity for this package.", severity.Scale...),
			text("advisory", "Advisory", "The advisory's id and source."),
		}},
	{Name: "ROUTES_TO", Verb: "routes to", Inverse: "is reached through", Step: true,
		Sentence: "Traffic arrives: from the internet through load balancers, ingresses, services and nodes to pods. " +
			"Each hop's own source is held against the network policies.",
		Joins: join(pairs([]string{"Internet"}, "Service", "Ingress", "Node"), pairs([]string{"Ingress"}, "Service"),
			pairs([]string{"Service", "Node"}, "Pod")),
		Properties: []Property{
			list("ports", "Ports", "The ports on the far side, such as 8080/TCP."),
			enum("width", "Width", "Who can use it: listed address ranges, or any address.", "ranges", "any"),
			names(text("via", "Through", "What carries the traffic, in words with the objects' names.")),
			names(text("uncertain", "Uncertain", "What could not be seen and might prevent this; empty if nothing.")),
			names(dict("source", "From", "Who sends this hop's packets: internet, the node, or the ingress controller's pods.")),
			flag("internet", "From the internet", "Traffic that began at the internet can use this hop."),
			names(list("evidence", "Evidence", "The objects that make it, as kind and id; pods by their workload.")),
		}},
	{
		Name:     "SELECTS",
		Verb:     "selects",
		Inverse:  "is selected by",
		Sentence: "A network policy selects a pod.",
		Joins:    pairs([]string{"NetworkPolicy"}, "Pod"),
	},
	{Name: "TALKS_AS", Verb: "sends as one of", Inverse: "holds the sender", Step: true,
		Sentence: "What a container sends is, to network policies, what all pods of the class send.",
		Joins:    pairs([]string{"Container"}, "NetClass")},
	{Name: "CAN_TALK_TO", Verb: "can talk to", Inverse: "can be talked to by", Step: true,
		Sentence: "Network policies let every pod of the first class connect to every pod of the second.",
		Joins:    pairs([]string{"NetClass"}, "NetClass"),
		Properties: []Property{
			list("ports", "Ports", "The ports that are open to it, such as 6379/TCP."),
			names(text("uncertain", "Uncertain", "What could not be seen and might prevent this; empty if nothing.")),
		}},
	{Name: "LISTENS_AS", Verb: "listens as one of", Inverse: "holds the listener",
		Sentence:   "A container listens on ports that it declares or a Service leads to, and network policies see its pod as one of the class.",
		Joins:      pairs([]string{"Container"}, "NetClass"),
		Properties: []Property{flag("open", "Asks nobody", "These are the ports of the open service that the container runs.")}},
	{
		Name:     "MOUNTS",
		Verb:     "mounts",
		Inverse:  "is mounted by",
		Sentence: "A container mounts a volume, or gets a Secret or ConfigMap as file or variable.",
		Joins:    pairs([]string{"Container"}, "Volume", "Secret", "ConfigMap"),
		Properties: []Property{
			text("path", "Mount path", "Where in the container."),
			flag("readOnly", "Read only", "The container cannot write to it."),
			dict("how", "How", "volume, device, env or envFrom."),
			flag("withoutToken", "Without the token", "The container gets keys of a service account token's Secret beside the token itself."),
			text("hostFolder", "Host folder", "The folder or file of the node that the container sees there."),
			list("opens", "Opens", "What using that folder opens to an attacker, such as start-up or runtime-socket."),
		},
	},
	{Name: "NEEDS", Verb: "needs", Inverse: "is needed by",
		Sentence: "The node gets the Secret for a pod, and no container sees it: to pull images, or to mount a volume.",
		Joins:    pairs([]string{"Pod"}, "Secret"), Properties: []Property{dict("how", "How", "image pull or volume.")}},
	{Name: "SHARES_PROCESSES", Verb: "sees the processes of", Inverse: "shows its processes to",
		Sentence: "Both containers of one pod share a process namespace.", Joins: pairs([]string{"Container"}, "Container"),
		Properties: []Property{flag("able", "May act on them", "The first has the user or the capability that it takes to enter the second; "+
			"unknown where an image decides on the user.")}},
	{Name: "SHARES_VOLUME", Verb: "writes a volume of", Inverse: "reads a volume written by",
		Sentence: "Both containers of one pod mount the same volume, and the first can write to it.",
		Joins:    pairs([]string{"Container"}, "Container"), Properties: []Property{text("volume", "Volume", "The volume's name and type.")}},
	{
		Name:       "RUNS_AS",
		Verb:       "runs as",
		Inverse:    "is used by",
		Sentence:   "A pod runs as a service account, a node's kubelet as a user and a group.",
		Joins:      join(pairs([]string{"Pod"}, "ServiceAccount"), pairs([]string{"Node"}, "User", "Group")),
		Properties: []Property{flag("token", "Token mounted", "The account's token is mounted.")},
	},
	{
		Name:     "BOUND_BY",
		Verb:     "is bound by",
		Inverse:  "binds",
		Sentence: "A binding names this identity.",
		Joins:    pairs(identities, bindings...),
	},
	{Name: "GRANTS", Verb: "grants", Inverse: "is granted by", Sentence: "A binding grants a role.",
		Joins: []Pair{{"RoleBinding", "Role"}, {"RoleBinding", "ClusterRole"}, {"ClusterRoleBinding", "ClusterRole"}}},
	{Name: "HOLDS", Verb: "holds", Inverse: "is held by", Step: true,
		Sentence: "An identity effectively has a permission; binding and rule prove it.",
		Joins:    pairs(identities, "Permission"),
		Properties: []Property{
			names(text("binding", "Binding", "Kind and name of the binding that gives it.")),
			names(text("role", "Role", "Kind and name of the role that contains the rule.")),
			names(text("witnessRule", "Rule", "The rule in words.")),
		}},
	{Name: "COVERS", Verb: "covers", Inverse: "is covered by", Through: "CONTAINS",
		Sentence: "Where a permission holds: in a namespace, or in a cluster and so in each of its namespaces.",
		Joins:    pairs([]string{"Permission"}, "Cluster", "Namespace")},
	{Name: "NAMES", Verb: "names", Inverse: "is named by",
		Sentence: "A permission that is limited to named objects names this one.",
		Joins: pairs([]string{"Permission"}, append([]string{"Pod", "Secret", "ConfigMap", "ServiceAccount", "User", "Group", "Role",
			"ClusterRole", "RoleBinding", "ClusterRoleBinding", "Node", "Namespace", "AdmissionWebhook"}, workloads...)...)},
	{Name: "GIVES", Verb: "gives", Inverse: "is given by",
		Sentence: "A permission gives this one: by a role that may be bound or written, or a policy that may be removed.",
		Joins:    pairs([]string{"Permission"}, "Permission")},
	{Name: "TOKEN_OF", Verb: "holds a token of", Inverse: "has a token in",
		Sentence: "The Secret holds a token of the service account that does not expire.",
		Joins:    pairs([]string{"Secret"}, "ServiceAccount")},

	{Name: "FEDERATES", Verb: "is federated with", Inverse: "takes tokens of",
		Sentence: "A cloud takes this service account for one of its own identities, as the account's annotation or the cloud itself says.",
		Joins:    pairs([]string{"ServiceAccount"}, "CloudIdentity"),
		Properties: []Property{
			dict("how", "How", "The provider's name for it, such as EKS Pod Identity."),
			dict("audience", "Audience", "The audience of the tokens that the cloud takes; empty where its metadata service asks for them."),
		}},
	{Name: "HOLDS_TOKEN_FOR", Verb: "holds a token for", Inverse: "is acted as from",
		Sentence:   "A container mounts a token that the cloud exchanges for credentials of the identity, or its webhook would mount one.",
		Joins:      pairs([]string{"Container"}, "CloudIdentity"),
		Properties: []Property{dict("how", "How", "The provider's name for it, such as EKS Pod Identity.")}},
	{Name: "HAS_IDENTITY", Verb: "has the identity", Inverse: "is the identity of",
		Sentence: "A machine's own identity in its cloud, which the metadata service gives to what runs there.",
		Joins:    pairs([]string{"Node"}, "CloudIdentity")},
	{Name: "TAKEN_FOR", Verb: "is taken for", Inverse: "is who takes",
		Sentence:   "The cluster takes this identity of its cloud for one of its users, or for a member of a group.",
		Joins:      pairs([]string{"CloudIdentity"}, "User", "Group"),
		Properties: []Property{dict("how", "How", "The provider's name for it, such as EKS access entry.")}},
	{Name: "REFUSES_PODS_AS", Verb: "refuses pods that run as", Inverse: "is not run as in",
		Sentence: "An admission policy lets no pod into the namespace that runs as this account.",
		Joins:    pairs([]string{"Namespace"}, "ServiceAccount")},
	{Name: "TAKES_ANYBODY_FOR", Verb: "takes anybody for", Inverse: "is anybody in",
		Sentence: "A request without a credential is one of this user, or of a member of this group, which holds a permission.",
		Joins:    pairs([]string{"Cluster"}, "User", "Group")},
	{Name: "GRANTED", Verb: "is granted", Inverse: "is granted to",
		Sentence: "The cloud's own policies let this identity read or control something of the cloud, machines and clusters among it.",
		Joins:    pairs([]string{"CloudIdentity"}, "CloudResource", "Cluster", "Node", "Repository"),
		Properties: []Property{
			dict("gain", "What", "reads, controls or pushes."),
			dict("how", "How", "What grants it, where that is named."),
		}},

	{Name: "CAN_EXPLOIT", Verb: "can be exploited in", Inverse: "can be exploited through", Derived: true, Step: true,
		Sentence: "Who can send traffic to the pod can exploit a vulnerability in what the container runs, and run code in it.",
		Joins:    pairs([]string{"Pod"}, "Container"), Properties: derivedProperties},
	{Name: "CAN_TAKE_OVER", Verb: "can take over", Inverse: "can be taken over by", Derived: true, Step: true,
		Sentence: "Full control is gained.",
		Joins: join(pairs([]string{"Container", "Permission"}, "Node"), pairs([]string{"Permission"}, workloads...),
			pairs([]string{"Container", "Node", "Permission", "CloudIdentity", "NetClass"}, "Cluster"),
			pairs([]string{"Permission"}, "Namespace"), pairs([]string{"CloudIdentity"}, "CloudResource", "Node", "Repository")),
		Properties: derivedProperties},
	{Name: "CAN_ACT_AS", Verb: "can act as", Inverse: "can be used by", Derived: true, Step: true,
		Sentence: "The identity's credentials are gained.",
		Joins: join(
			pairs([]string{"Container", "Node", "Permission", "Secret", "NetClass", "Pod"}, append([]string{"CloudIdentity"}, identities...)...),
			pairs([]string{"ServiceAccount", "CloudIdentity"}, "CloudIdentity"), pairs([]string{"CloudIdentity"}, identities...)),
		Properties: derivedProperties},
	{Name: "CAN_ESCALATE_TO", Verb: "can gain", Inverse: "can be gained with", Derived: true, Step: true,
		Sentence: "One permission is enough to give oneself the other.",
		Joins:    pairs([]string{"Permission"}, "Permission"), Properties: derivedProperties},
	{Name: "CAN_EXECUTE_IN", Verb: "can execute in", Inverse: "can be entered from", Derived: true, Step: true,
		Sentence:   "Code can be run there.",
		Joins:      pairs([]string{"Container", "Permission", "Node", "Repository", "Registry", "NetClass"}, "Container"),
		Properties: derivedProperties},
	{Name: "CAN_READ", Verb: "can read", Inverse: "can be read by", Derived: true, Step: true,
		Sentence: "The content is known: a Secret's values, a cloud resource's data.",
		Joins: join(pairs([]string{"Container", "Permission", "Node", "NetClass", "Pod"}, "Secret", "ConfigMap"),
			pairs([]string{"Container", "CloudIdentity"}, "CloudResource")),
		Properties: derivedProperties},
	{Name: "CAN_TAMPER", Verb: "can tamper with", Inverse: "can be tampered with by", Derived: true, Step: true,
		Sentence:   "What the other reads or receives can be read and changed, which is influence and not control.",
		Joins:      join(pairs([]string{"Container"}, "Container", "Node"), pairs([]string{"Permission"}, "Cluster")),
		Properties: derivedProperties},
}
