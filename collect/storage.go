package collect

// PersistentVolume is storage that a claim can be given.
type PersistentVolume struct {
	Key
	Labels map[string]string `json:"labels,omitempty"`
	// Path is the folder or device of a node that the volume is; empty for others.
	Path string `json:"path,omitempty"`
	// Pinned says that only pods on some nodes get it.
	Pinned bool `json:"pinned,omitempty"`
	// Claim is the claim it is given to, or reserved for.
	Claim Key `json:"claim,omitzero"`
	// Class, Modes and Size decide which claims it may be given to.
	Class string   `json:"class,omitempty"`
	Modes []string `json:"modes,omitempty"`
	Size  int64    `json:"size,omitempty"` // bytes
	Block bool     `json:"block,omitempty"`
}

// PersistentVolumeClaim is what a pod asks for storage with.
type PersistentVolumeClaim struct {
	Key
	// Volume is the PersistentVolume that it has, empty while it waits for one.
	Volume string `json:"volume,omitempty"`
	// Class is the storage class it names; nil leaves it to the cluster's default.
	Class  *string           `json:"class,omitempty"`
	Modes  []string          `json:"modes,omitempty"`
	Size   int64             `json:"size,omitempty"`
	Block  bool              `json:"block,omitempty"`
	Labels map[string]string `json:"labels,omitempty"` // that a volume must have
}
