package schema

// Composed is a connection of several edges that people name with one word.
// Nothing of it is stored: a query that uses it is expanded to its steps, and
// the expansion is what the query's text shows.
type Composed struct {
	Name     string // "RUNS_IMAGE"; no edge kind may have it
	From, To string
	Forward  string // from From's side: "images they run"
	Backward string // from To's side: "pods running them"
	Sentence string
	Steps    []Step // from From to To
}

// Step is one edge of a Composed, and the kind it arrives at.
type Step struct {
	Edge string
	In   bool // against the edge's direction
	To   string
}

// Composition is every composed connection.
var Composition = []Composed{
	{Name: "RUNS_IMAGE", From: "Pod", To: "Image", Forward: "images they run", Backward: "pods running them",
		Sentence: "A pod runs a container that uses the image.",
		Steps:    []Step{{Edge: "RUNS", To: "Container"}, {Edge: "USES_IMAGE", To: "Image"}}},
	{
		Name:     "RUNS_VULNERABILITY",
		From:     "Pod",
		To:       "Vulnerability",
		Forward:  "vulnerabilities in what they run",
		Backward: "pods running what has it",
		Sentence: "A pod runs a container whose image has the vulnerability.",
		Steps:    []Step{{Edge: "RUNS", To: "Container"}, {Edge: "USES_IMAGE", To: "Image"}, {Edge: "HAS_VULNERABILITY", To: "Vulnerability"}},
	},
	{
		Name:     "CONTAINER_HAS_VULNERABILITY",
		From:     "Container",
		To:       "Vulnerability",
		Forward:  "vulnerabilities of their images",
		Backward: "containers whose image has it",
		Sentence: "A container uses an image that has the vulnerability.",
		Steps:    []Step{{Edge: "USES_IMAGE", To: "Image"}, {Edge: "HAS_VULNERABILITY", To: "Vulnerability"}},
	},
	{Name: "NAMESPACE_RUNS_IMAGE", From: "Namespace", To: "Image", Forward: "images that run in them", Backward: "namespaces they run in",
		Sentence: "A pod of the namespace runs a container that uses the image.",
		Steps:    []Step{{Edge: "CONTAINS", To: "Pod"}, {Edge: "RUNS", To: "Container"}, {Edge: "USES_IMAGE", To: "Image"}}},
	{
		Name:     "POD_HOLDS",
		From:     "Pod",
		To:       "Permission",
		Forward:  "permissions of their service accounts",
		Backward: "pods whose service account holds them",
		Sentence: "A pod runs as a service account that holds the permission.",
		Steps:    []Step{{Edge: "RUNS_AS", To: "ServiceAccount"}, {Edge: "HOLDS", To: "Permission"}},
	},
	{
		Name:     "CONNECTS_TO",
		From:     "Container",
		To:       "Container",
		Forward:  "containers they can connect to",
		Backward: "containers that can connect to them",
		Sentence: "Network policies let the first container's pod connect to ports on which the second one listens.",
		Steps: []Step{
			{Edge: "TALKS_AS", To: "NetClass"}, {Edge: "CAN_TALK_TO", To: "NetClass"}, {Edge: "LISTENS_AS", In: true, To: "Container"},
		},
	},
	{Name: "NODE_RUNS_IMAGE", From: "Node", To: "Image", Forward: "images that run on them", Backward: "nodes they run on",
		Sentence: "A pod on the node runs a container that uses the image.",
		Steps:    []Step{{Edge: "RUNS_ON", In: true, To: "Pod"}, {Edge: "RUNS", To: "Container"}, {Edge: "USES_IMAGE", To: "Image"}}},
}
