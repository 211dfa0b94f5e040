package collect

// Cloud is what clouds say of themselves, read from files in the providers' own
// formats. No field holds a credential.
type Cloud struct {
	Clusters     []CloudCluster
	Accesses     []CloudAccess
	Roles        []CloudRole
	Associations []CloudAssociation
	Machines     []CloudMachines
	Grants       []CloudGrant
	Repositories []CloudRepository
	// Gaps is what of the files was not understood.
	Gaps []Gap
}

// CloudCluster is a managed cluster as its provider describes it; nil is not said.
type CloudCluster struct {
	Provider, Name, Account, Endpoint string
	// Public says whether its API server has an address of the internet, and Ranges
	// who may connect to it then; none is everybody.
	Public *bool
	Ranges []string
	// PrivateEndpoint says whether its API server has an address inside too.
	PrivateEndpoint *bool
	// PrivateNodes says whether its nodes have no addresses of the internet.
	PrivateNodes *bool
	// CloudRoles says whether roles of the cloud decide inside the cluster.
	CloudRoles *bool
}

// CloudAccess says for whom a cluster takes an identity of its cloud.
type CloudAccess struct {
	Provider, Identity string
	// Cluster is the one that does, "" where the file does not say which.
	Cluster string
	User    string
	Groups  []string
	// Admin may do everything in the cluster.
	Admin bool
	// How is the provider's name for it.
	How string
}

// CloudRole is whom an identity's own policy lets act as it. Subjects are service
// accounts as
// "namespace:name", with * for any.
type CloudRole struct {
	Provider, Identity string
	Subjects           []string
	// PodIdentity says that it lets in what EKS Pod Identity joins to it.
	PodIdentity bool
}

// CloudAssociation joins a service account to an identity.
type CloudAssociation struct {
	Provider, Identity, Cluster, Namespace, Account string
}

// CloudMachines is a pool of machines: the identity that they have, and whether their
// metadata service answers only the machine itself. Pool or Instance says which.
type CloudMachines struct {
	Provider, Cluster, Pool, Instance, Identity string
	MetadataLocal                               *bool
}

// CloudGrant says what an identity may do with something of its cloud.
type CloudGrant struct {
	Provider, Identity string
	Gain               Gain
	// Type and Resource name what, as the provider does; * is any of the type.
	Type, Resource string
}

// Gain is what a grant lets somebody do.
type Gain string

const (
	Reads    Gain = "reads"
	Controls Gain = "controls"
	Pushes   Gain = "pushes"
)

// CloudRepository is a repository of images as its registry's provider describes it.
type CloudRepository struct {
	Provider, Name string
	// MutableTags says whether a tag may be moved to another image.
	MutableTags *bool
	// ScanOnPush says whether the provider scans what is pushed.
	ScanOnPush *bool
}
