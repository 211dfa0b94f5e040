package collect

// Registry says which registry to read, and what of it.
type Registry struct {
	// Host is the registry's name as image references write it.
	Host string `json:"host"`
	// Repositories are names or patterns ("shop/*"); empty means all that the
	// registry lists.
	Repositories []string `json:"repositories,omitempty"`
	// Tags is how many tags of one repository are read at most; 0 is the bound
	// of the reader.
	Tags int `json:"tags,omitempty"`
	// Insecure says that it speaks plain HTTP.
	Insecure bool `json:"insecure,omitempty"`
}

// Permission is one thing that reading a registry needs, tried.
type Permission struct {
	What  string          `json:"what"`
	State PermissionState `json:"state"`
	// Why, in the registry's words where it refuses.
	Why string `json:"why"`
	// Blind is what is not seen therefore.
	Blind string `json:"blind"`
}

// PermissionState says whether something may be done.
type PermissionState string

const (
	Allowed PermissionState = "ok"
	Refused PermissionState = "refused"
	// Untried: something else stood in the way.
	Untried PermissionState = "unknown"
)

// Tag is what a registry says a name stands for.
type Tag struct {
	Name string
	// Digest is of the index or manifest behind the tag.
	Digest string
}
