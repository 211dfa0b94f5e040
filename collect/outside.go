package collect

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// OpenShift's Routes, and the Gateways and VirtualServices of Istio, as far as they
// say what leads where.

// Route (route.openshift.io/v1) is how a router leads a host to a Service.
type Route struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              RouteSpec   `json:"spec"`
	Status            RouteStatus `json:"status,omitzero"`
}

// DeepCopyObject is a copy whose metadata can be changed; its spec is shared.
func (o *Route) DeepCopyObject() runtime.Object {
	c := *o
	o.ObjectMeta.DeepCopyInto(&c.ObjectMeta)
	return &c
}

// RouteSpec is what leads where.
type RouteSpec struct {
	Host              string         `json:"host,omitempty"`
	Subdomain         string         `json:"subdomain,omitempty"`
	Path              string         `json:"path,omitempty"`
	To                RouteBackend   `json:"to"`
	AlternateBackends []RouteBackend `json:"alternateBackends,omitempty"`
	Port              *struct {
		TargetPort intstr.IntOrString `json:"targetPort"`
	} `json:"port,omitempty"`
	TLS *struct {
		Termination                   string `json:"termination,omitempty"`
		InsecureEdgeTerminationPolicy string `json:"insecureEdgeTerminationPolicy,omitempty"`
	} `json:"tls,omitempty"`
	WildcardPolicy string `json:"wildcardPolicy,omitempty"`
}

// RouteBackend is a Service; one of weight zero gets nothing.
type RouteBackend struct {
	Kind   string `json:"kind,omitempty"`
	Name   string `json:"name"`
	Weight *int32 `json:"weight,omitempty"`
}

// RouteStatus says which routers took the Route.
type RouteStatus struct {
	Ingress []RouteIngress `json:"ingress,omitempty"`
}

// RouteIngress is what one router says.
type RouteIngress struct {
	Host       string `json:"host,omitempty"`
	RouterName string `json:"routerName,omitempty"`
	Conditions []struct {
		Type   string `json:"type"`
		Status string `json:"status"`
	} `json:"conditions,omitempty"`
}

// IstioGateway (networking.istio.io) says what the proxies that it selects listen for.
type IstioGateway = Custom[IstioGatewaySpec]

// IstioGatewaySpec is its spec.
type IstioGatewaySpec struct {
	Selector map[string]string `json:"selector,omitempty"`
	Servers  []struct {
		Name string `json:"name,omitempty"`
		Port struct {
			Number   int32  `json:"number"`
			Protocol string `json:"protocol,omitempty"`
			Name     string `json:"name,omitempty"`
		} `json:"port"`
		Hosts []string `json:"hosts,omitempty"`
		TLS   *struct {
			Mode string `json:"mode,omitempty"`
		} `json:"tls,omitempty"`
	} `json:"servers,omitempty"`
}

// VirtualService (networking.istio.io) leads hosts to Services, at gateways and in
// the mesh.
type VirtualService = Custom[VirtualServiceSpec]

// VirtualServiceSpec is its spec.
type VirtualServiceSpec struct {
	Hosts    []string     `json:"hosts,omitempty"`
	Gateways []string     `json:"gateways,omitempty"`
	ExportTo []string     `json:"exportTo,omitempty"`
	HTTP     []IstioRoute `json:"http,omitempty"`
	TLS      []IstioRoute `json:"tls,omitempty"`
	TCP      []IstioRoute `json:"tcp,omitempty"`
}

// IstioRoute leads what some of its matches match to its destinations.
type IstioRoute struct {
	Match []struct {
		Gateways []string `json:"gateways,omitempty"`
	} `json:"match,omitempty"`
	Route    []IstioDestination `json:"route,omitempty"`
	Mirror   *IstioService      `json:"mirror,omitempty"`
	Mirrors  []IstioDestination `json:"mirrors,omitempty"`
	Delegate *struct {
		Name      string `json:"name,omitempty"`
		Namespace string `json:"namespace,omitempty"`
	} `json:"delegate,omitempty"`
}

// IstioDestination is a Service; one of weight zero beside others gets nothing.
type IstioDestination struct {
	Destination IstioService `json:"destination"`
	Weight      int32        `json:"weight,omitempty"`
}

// IstioService is a Service by its name.
type IstioService struct {
	Host   string `json:"host"`
	Subset string `json:"subset,omitempty"`
	Port   *struct {
		Number int32 `json:"number,omitempty"`
	} `json:"port,omitempty"`
}

// AuthorizationPolicy (security.istio.io) may refuse requests; what it asks is not read.
type AuthorizationPolicy = Custom[AuthorizationPolicySpec]

// AuthorizationPolicySpec is not kept.
type AuthorizationPolicySpec struct{}
