package collect

// PodShape is the security-relevant part of a pod's spec. It is interned by
// content: all replicas of a workload share one.
type PodShape struct {
	ServiceAccount string `json:"serviceAccount,omitempty"` // never empty after reading: "default" applies
	// AutomountToken is the pod's own setting; nil leaves it to the account.
	AutomountToken        *bool  `json:"automountToken,omitempty"`
	HostNetwork           bool   `json:"hostNetwork,omitempty"`
	HostPID               bool   `json:"hostPID,omitempty"`
	HostIPC               bool   `json:"hostIPC,omitempty"`
	HostUsers             *bool  `json:"hostUsers,omitempty"`
	ShareProcessNamespace bool   `json:"shareProcessNamespace,omitempty"`
	RuntimeClass          string `json:"runtimeClass,omitempty"`
	// NodeSelector is what the labels of its node must be.
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// Placing is what else it asks of its node, while it has none.
	Placing    *Placing         `json:"placing,omitempty"`
	Security   PodSecurity      `json:"security,omitzero"`
	Containers []ContainerShape `json:"containers"`
	// More is how many containers are not kept, beyond MaxContainers.
	More             int      `json:"more,omitempty"`
	Volumes          []Volume `json:"volumes,omitempty"`
	ImagePullSecrets []string `json:"imagePullSecrets,omitempty"`
}

// MaxContainers is how many containers of a pod are kept: each may act on each other, so they cost their square, and
// who makes a pod may write thousands into it. Honest pods have a few.
const MaxContainers = 64

// PodSecurity is the pod-level securityContext.
type PodSecurity struct {
	RunAsUser    *int64            `json:"runAsUser,omitempty"`
	RunAsGroup   *int64            `json:"runAsGroup,omitempty"`
	RunAsNonRoot *bool             `json:"runAsNonRoot,omitempty"`
	Seccomp      string            `json:"seccomp,omitempty"` // type, or "Localhost:profile"
	AppArmor     string            `json:"appArmor,omitempty"`
	Sysctls      map[string]string `json:"sysctls,omitempty"`
}

// ContainerType tells the three lists of a pod spec apart.
type ContainerType string

const (
	Regular   ContainerType = "container"
	Init      ContainerType = "init"
	Sidecar   ContainerType = "sidecar" // an init container that keeps running (restartPolicy Always)
	Ephemeral ContainerType = "ephemeral"
)

// ContainerShape is one container of a PodShape.
type ContainerShape struct {
	Name            string          `json:"name"`
	Type            ContainerType   `json:"type,omitempty"` // empty means Regular
	Image           string          `json:"image"`          // as written in the spec
	Command         []string        `json:"command,omitempty"`
	Args            []string        `json:"args,omitempty"`
	Ports           []ContainerPort `json:"ports,omitempty"`
	Privileged      bool            `json:"privileged,omitempty"`
	AllowEscalation *bool           `json:"allowEscalation,omitempty"`
	ReadOnlyRoot    bool            `json:"readOnlyRoot,omitempty"`
	Stdin           bool            `json:"stdin,omitempty"`
	RunAsUser       *int64          `json:"runAsUser,omitempty"`
	RunAsNonRoot    *bool           `json:"runAsNonRoot,omitempty"`
	// HostProcess is set for a container of a Windows node that runs outside of any isolation.
	HostProcess bool     `json:"hostProcess,omitempty"`
	AddCaps     []string `json:"addCaps,omitempty"` // without CAP_, upper case
	DropCaps    []string `json:"dropCaps,omitempty"`
	ProcMount   string   `json:"procMount,omitempty"`
	Seccomp     string   `json:"seccomp,omitempty"`
	AppArmor    string   `json:"appArmor,omitempty"`
	SELinuxType string   `json:"seLinuxType,omitempty"`
	Mounts      []Mount  `json:"mounts,omitempty"`
	// Devices are volumes that the container is given as raw devices, by their names.
	Devices []string `json:"devices,omitempty"`
	// References to Secrets and ConfigMaps by name; values of env are not kept.
	EnvSecrets    []KeyRef `json:"envSecrets,omitempty"`
	EnvConfigMaps []KeyRef `json:"envConfigMaps,omitempty"`
	// NoCloudToken is set where the pod asks that webhooks of clouds give this
	// container no token.
	NoCloudToken bool `json:"noCloudToken,omitempty"`
}

// ContainerPort is a declared port.
type ContainerPort struct {
	Name     string `json:"name,omitempty"`
	Port     int32  `json:"port"`
	HostPort int32  `json:"hostPort,omitempty"`
	HostIP   string `json:"hostIP,omitempty"`
	Protocol string `json:"protocol,omitempty"` // "TCP" if empty
}

// Mount places a volume in a container.
type Mount struct {
	Volume  string `json:"volume"`
	Path    string `json:"path"`
	SubPath string `json:"subPath,omitempty"`
	// Expanded says that SubPath has variables, which the kubelet puts in.
	Expanded bool `json:"expanded,omitempty"`
	ReadOnly bool `json:"readOnly,omitempty"`
	// Propagation is HostToContainer or Bidirectional, empty for None.
	Propagation string `json:"propagation,omitempty"`
}

// KeyRef names a Secret or ConfigMap, and one key of it where one was named.
type KeyRef struct {
	Name string `json:"name"`
	Key  string `json:"key,omitempty"`
}

// Volume is a pod volume: Type says which of the other fields count.
type Volume struct {
	Name string `json:"name"`
	// Type is the volume source's field name: hostPath, secret, configMap,
	// projected, emptyDir, persistentVolumeClaim, csi, downwardAPI, nfs, image, …
	Type     string   `json:"type"`
	Path     string   `json:"path,omitempty"` // hostPath
	HostType string   `json:"hostType,omitempty"`
	Secrets  []string `json:"secrets,omitempty"` // secret, projected
	// Items are the keys that a volume shows of its Secrets: all of one that is not among them.
	Items      []KeyRef `json:"items,omitempty"`
	ConfigMaps []string `json:"configMaps,omitempty"`
	// NodeSecrets are what the node mounts the volume with; no container sees them.
	NodeSecrets []string `json:"nodeSecrets,omitempty"`
	Claim       string   `json:"claim,omitempty"`
	// ReadOnly is the volume's own word, for every container that mounts it.
	ReadOnly bool   `json:"readOnly,omitempty"`
	Driver   string `json:"driver,omitempty"` // csi
	// Token is set for a projected service account token, with its audience.
	Token    bool   `json:"token,omitempty"`
	Audience string `json:"audience,omitempty"`
	// Audiences are those of all its projected tokens, but for the API server's.
	Audiences []string `json:"audiences,omitempty"`
}

// Pod is a place: a shape running somewhere. Labels and Shape are interned.
type Pod struct {
	Key
	UID    string
	Node   string
	IPs    []string
	HostIP string
	Phase  string // Pending, Running, Succeeded, Failed, Unknown
	Owner  OwnerRef
	Labels *Labels
	Shape  *PodShape
	// Images are the resolved images of the shape's containers, by position:
	// status.containerStatuses[].imageID, empty while unknown. Interned.
	Images *Images
	// ContainerIDs is what the runtime calls the shape's containers, by position,
	// without the runtime's name before it; empty while unknown. nil if all are.
	ContainerIDs []string
	// Ended tells, by position, which of the shape's containers have run to their end
	// and do not start again. nil if none has.
	Ended []bool
	// Made is true for a pod that a manifest's workload would create and that
	// nobody has seen running.
	Made bool
}

// OwnerRef is the controlling owner as the object itself names it.
type OwnerRef struct{ Kind, Name, UID string }

// Labels is an interned label set.
type Labels struct{ Map map[string]string }

// Images is an interned list of image ids, aligned with PodShape.Containers:
// "registry/repo@sha256:…" or "sha256:…", as the kubelet reports them.
type Images struct{ IDs []string }

// Node is a machine of the cluster.
type Node struct {
	Name             string            `json:"name"`
	UID              string            `json:"uid,omitempty"`
	Labels           map[string]string `json:"labels,omitempty"`
	Taints           []string          `json:"taints,omitempty"` // key=value:effect
	InternalIPs      []string          `json:"internalIPs,omitempty"`
	ExternalIPs      []string          `json:"externalIPs,omitempty"`
	PodCIDRs         []string          `json:"podCIDRs,omitempty"`
	ProviderID       string            `json:"providerID,omitempty"`
	KubeletVersion   string            `json:"kubeletVersion,omitempty"`
	ContainerRuntime string            `json:"containerRuntime,omitempty"`
	KernelVersion    string            `json:"kernelVersion,omitempty"`
	OSImage          string            `json:"osImage,omitempty"`
	Ready            bool              `json:"ready,omitempty"`
}

// WorkloadKey names a workload; kinds share names.
type WorkloadKey struct {
	Kind string // Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob, ReplicationController
	Key
}

// Workload is anything that makes pods.
type Workload struct {
	WorkloadKey
	UID         string
	Owner       OwnerRef
	Labels      *Labels
	Annotations map[string]string // those that security reads, such as criticality marks
	Replicas    int32             // wanted
	// Shape and PodLabels are the template's.
	Shape     *PodShape
	PodLabels *Labels
	// Claims are those that the first pod of a StatefulSet gets, by the names of its volumes: for pods that are made of it,
	// so dumps, which have the pods, do without.
	Claims map[string]PersistentVolumeClaim
}

// EndpointSlice is a service's addresses as the API server publishes them.
type EndpointSlice struct {
	Key
	Service string // label kubernetes.io/service-name
	Ports   []EndpointPort
	// Pods targeted, ready or not; addresses without a pod are kept apart.
	Pods      []Key
	Addresses []string
}

// EndpointPort is a port of an EndpointSlice.
type EndpointPort struct {
	Name     string `json:"name,omitempty"`
	Port     int32  `json:"port"`
	Protocol string `json:"protocol,omitempty"`
}

// ConfigMap is the name of a ConfigMap.
type ConfigMap struct {
	Key
	Labels map[string]string
}

// Secret is the name and type of a Secret. There is no field for data.
type Secret struct {
	Key
	Type string
	// Account is the service account whose token it holds; empty if it holds none.
	Account string `json:",omitempty"`
}
