package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/discovery"
	clientmeta "k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/egress"
)

const protobuf = "application/vnd.kubernetes.protobuf"

// client is one cluster's connection: one HTTP client and one rate limit.
type client struct {
	cfg      *rest.Config
	http     *http.Client
	scheme   *runtime.Scheme
	codecs   serializer.CodecFactory
	params   runtime.ParameterCodec
	meta     clientmeta.Interface
	discover *discovery.DiscoveryClient
}

func newClient(c Config) (*client, error) {
	cfg := rest.CopyConfig(c.REST)
	cfg.QPS, cfg.Burst = c.QPS, c.Burst
	cfg.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(c.QPS, c.Burst)
	cfg.WarningHandler = rest.NoWarnings{}
	cfg.UserAgent = "breakwater"
	hc, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", cfg.Host, err)
	}
	own := *hc // it may be everybody's
	own.CheckRedirect = egress.SameHost
	if own.Transport == nil {
		own.Transport = http.DefaultTransport
	}
	own.Transport = boundedTransport{own.Transport}
	hc = &own
	s, err := newScheme()
	if err != nil {
		return nil, err
	}
	cl := &client{cfg: cfg, http: hc, scheme: s, codecs: serializer.NewCodecFactory(s), params: runtime.NewParameterCodec(s)}
	if cl.meta, err = clientmeta.NewForConfigAndClient(cfg, hc); err != nil {
		return nil, fmt.Errorf("connect to %s: %w", cfg.Host, err)
	}
	if cl.discover, err = discovery.NewDiscoveryClientForConfigAndClient(cfg, hc); err != nil {
		return nil, fmt.Errorf("connect to %s: %w", cfg.Host, err)
	}
	return cl, nil
}

// page is one page of a list.
type page struct {
	items         []object
	version, more string
}

// source lists and watches one resource.
type source interface {
	list(context.Context, metav1.ListOptions) (page, error)
	watch(context.Context, metav1.ListOptions) (watch.Interface, error)
	// object is what a watch event carries, nil if it carries something else.
	object(runtime.Object) object
}

func (c *client) source(k *kind, gv schema.GroupVersion) (source, error) {
	if k.how == metadata {
		return metaSource{c.meta.Resource(gv.WithResource(k.resource))}, nil
	}
	cfg := rest.CopyConfig(c.cfg)
	cfg.GroupVersion, cfg.APIPath = &gv, "/apis"
	if gv.Group == "" {
		cfg.APIPath = "/api"
	}
	cfg.NegotiatedSerializer = c.codecs.WithoutConversion()
	if !k.optional { // custom resources have no protobuf
		cfg.ContentType, cfg.AcceptContentTypes = protobuf, protobuf+",application/json"
	}
	rc, err := rest.RESTClientForConfigAndClient(cfg, c.http)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", gv, err)
	}
	return typedSource{rc, k, c.params}, nil
}

type typedSource struct {
	rc     *rest.RESTClient
	kind   *kind
	params runtime.ParameterCodec
}

func (s typedSource) list(ctx context.Context, o metav1.ListOptions) (p page, err error) {
	list := s.kind.list()
	if err := s.rc.Get().Resource(s.kind.resource).VersionedParams(&o, s.params).Do(ctx).Into(list); err != nil {
		return p, err
	}
	m := list.(metav1.ListInterface)
	p.version, p.more = m.GetResourceVersion(), m.GetContinue()
	return p, items(list, func(o object) { p.items = append(p.items, o) })
}

func (s typedSource) watch(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
	o.Watch = true
	return s.rc.Get().Resource(s.kind.resource).VersionedParams(&o, s.params).Watch(ctx)
}

func (s typedSource) object(o runtime.Object) object {
	typed, _ := o.(object)
	return typed
}

// metaSource asks for names and labels only: data never leaves the server.
type metaSource struct{ r clientmeta.ResourceInterface }

func (s metaSource) list(ctx context.Context, o metav1.ListOptions) (p page, err error) {
	list, err := s.r.List(ctx, o)
	if err != nil {
		return p, err
	}
	for i := range list.Items {
		p.items = append(p.items, &corev1.ConfigMap{ObjectMeta: list.Items[i].ObjectMeta})
	}
	p.version, p.more = list.ResourceVersion, list.Continue
	return p, nil
}

func (s metaSource) watch(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
	return s.r.Watch(ctx, o)
}

func (s metaSource) object(o runtime.Object) object {
	m, ok := o.(*metav1.PartialObjectMetadata)
	if !ok {
		return nil
	}
	return &corev1.ConfigMap{ObjectMeta: m.ObjectMeta}
}

// secretNames lists the Secrets of a namespace as kubectl get would print
// them. includeObject=None leaves even annotations on the server, which may
// repeat values; cells are name, type, number of keys and age.
func (c *client) secretNames(ctx context.Context, namespace string, limit int64) ([]*collect.Secret, error) {
	var out []*collect.Secret
	for next, pages := "", 0; ; pages++ {
		if pages >= maxPages || len(out) > int(maxObjects) {
			return nil, fmt.Errorf("want a list that ends: %w", errBound)
		}
		raw, err := c.discover.RESTClient().Get().AbsPath("/api/v1/namespaces/"+namespace+"/secrets").
			SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").
			Param("includeObject", "None").Param("limit", fmt.Sprint(limit)).Param("continue", next).Do(ctx).Raw()
		if err != nil {
			return nil, err
		}
		var t struct {
			Kind              string
			Metadata          metav1.ListMeta
			ColumnDefinitions []struct{ Name string }
			Rows              []struct{ Cells []any }
		}
		if err := json.Unmarshal(raw, &t); err != nil || t.Kind != "Table" {
			return nil, fmt.Errorf("secrets as a table: the server sent a %q (%v)", t.Kind, err)
		}
		for _, row := range t.Rows {
			s := &collect.Secret{Key: collect.Key{Namespace: namespace}}
			for i, col := range t.ColumnDefinitions {
				if i >= len(row.Cells) {
					return nil, fmt.Errorf("secrets as a table: a row has %d cells of %d", len(row.Cells), len(t.ColumnDefinitions))
				}
				if v, ok := row.Cells[i].(string); ok && col.Name == "Name" {
					s.Name = v
				} else if ok && col.Name == "Type" {
					s.Type = str(v)
				}
			}
			out = append(out, s)
		}
		if next = t.Metadata.Continue; next == "" {
			return out, c.tokenAccounts(ctx, namespace, out)
		}
	}
}

// tokenAccounts asks whose tokens the Secrets of that type hold: of these alone, for
// the metadata, in which an annotation says it.
func (c *client) tokenAccounts(ctx context.Context, namespace string, secrets []*collect.Secret) error {
	tokens := map[string]*collect.Secret{}
	for _, s := range secrets {
		if s.Type == string(corev1.SecretTypeServiceAccountToken) {
			tokens[s.Name] = s
		}
	}
	if len(tokens) == 0 {
		return nil
	}
	raw, err := c.discover.RESTClient().Get().AbsPath("/api/v1/namespaces/"+namespace+"/secrets").
		SetHeader("Accept", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io").
		Param("fieldSelector", "type="+string(corev1.SecretTypeServiceAccountToken)).Do(ctx).Raw()
	if err != nil {
		return err
	}
	var list metav1.PartialObjectMetadataList
	if err := json.Unmarshal(raw, &list); err != nil || list.Kind != "PartialObjectMetadataList" {
		return fmt.Errorf("token secrets by their metadata: the server sent a %q (%v)", list.Kind, err)
	}
	for _, m := range list.Items {
		if s := tokens[m.Name]; s != nil {
			s.Account = str(m.Annotations[corev1.ServiceAccountNameKey])
		}
	}
	return nil
}
