package audit

import (
	"cmp"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/redact"
)

// isTrue tells "true" of what is.
func isTrue(_, v string) []string {
	if v == "true" {
		return []string{"true"}
	}
	return nil
}

// podDetails are read of pods and of the templates of those to come.
var podDetails = []detail{
	{field: "pod.toleration", ways: []string{"tolerations/[]"}, tell: toleration},
	{field: "pod.priorityClass", ways: []string{"priorityClassName"}},
	{field: "pod.accountChanged", ways: []string{"serviceAccountName"}, compared: true},
	{field: "container.arguments", ways: containers(""), tell: arguments},
	{field: "container.added", ways: containers("/name"), onlyKnown: true},
	{field: "container.procMount", ways: containers("/securityContext/procMount")},
	{field: "container.profile", ways: append(containers("/securityContext/seccompProfile/type", "/securityContext/appArmorProfile/type"),
		"securityContext/seccompProfile/type", "securityContext/appArmorProfile/type")},
	{field: "container.hostProcess", ways: append(containers("/securityContext/windowsOptions/hostProcess"),
		"securityContext/windowsOptions/hostProcess"), tell: isTrue},
	{field: "container.hostPort", ways: containers("/ports/[]/hostPort")},
	{field: "container.hook", ways: containers("/livenessProbe/exec/command", "/readinessProbe/exec/command", "/startupProbe/exec/command",
		"/lifecycle/postStart/exec/command", "/lifecycle/preStop/exec/command"), tell: commandText},
	{field: "container.lookalike", ways: containers("/image"), tell: func(_, v string) []string { return lookalike(plainText(v)) }},
	{field: "container.registry", ways: containers("/image"), tell: func(_, v string) []string { return []string{registryOf(plainText(v))} }},
	{field: "container.imageChanged", ways: containers("/image"), compared: true},
}

// ephemeral is what of details is about ephemeral containers: where these are added, the others were there before.
func ephemeral(details []detail) (out []detail) {
	for _, d := range details {
		d.ways = slices.DeleteFunc(slices.Clone(d.ways), func(w string) bool { return !strings.HasPrefix(w, "ephemeralContainers/") })
		out = append(out, d)
	}
	return out
}

// containers are the ways to members of every container.
func containers(members ...string) (out []string) {
	for _, list := range []string{"containers/[]", "initContainers/[]", "ephemeralContainers/[]"} {
		for _, m := range members {
			out = append(out, list+m)
		}
	}
	return out
}

// podSteps are the ways to them, by the resource.
var podSteps = map[string]*step{
	"ephemeralcontainers": steps("spec/", ephemeral(podDetails)),
	"pods":                steps("spec/", podDetails), "cronjobs": steps("spec/jobTemplate/spec/template/spec/", podDetails),
	"podtemplates": steps("template/spec/", podDetails), "": steps("spec/template/spec/", podDetails),
}

var webhookDetails = []detail{
	{field: "webhook.url", ways: []string{"webhooks/[]/clientConfig/url"}, tell: cleanText},
	{field: "webhook.service", ways: []string{"webhooks/[]/clientConfig/service"}, tell: namespaced},
	{field: "webhook.failurePolicy", ways: []string{"webhooks/[]/failurePolicy"}},
	{field: "webhook.resources", ways: []string{"webhooks/[]/rules/[]/resources/[]"}, always: true},
	{field: "webhook.selector", ways: []string{"webhooks/[]/namespaceSelector", "webhooks/[]/objectSelector", "webhooks/[]/matchConditions"},
		tell: selector},
}

var policyDetails = []detail{
	{field: "policy.failurePolicy", ways: []string{"spec/failurePolicy"}},
	{field: "policy.actions", ways: []string{"spec/validationActions"}, tell: joined},
	{field: "policy.selector", ways: []string{"spec/matchConstraints/namespaceSelector", "spec/matchConstraints/objectSelector",
		"spec/matchConstraints/excludeResourceRules", "spec/matchResources/namespaceSelector", "spec/matchResources/objectSelector",
		"spec/matchResources/excludeResourceRules", "spec/matchConditions"}, tell: selector},
}

// objectSteps are the ways in objects that make no pods, by the resource and its API group.
var objectSteps = map[string]struct {
	group string
	root  *step
}{
	"services": {"", steps("", []detail{
		{field: "service.type", ways: []string{"spec/type"}},
		{field: "service.externalIP", ways: []string{"spec/externalIPs/[]"}},
		{field: "service.port", ways: []string{"spec/ports/[]/port", "spec/ports/[]/targetPort"}, always: true},
		{field: "service.selects", ways: []string{"spec/selector/*"}, always: true},
	})},
	"ingresses": {"networking.k8s.io", steps("", []detail{
		{field: "ingress.host", ways: []string{"spec/rules/[]/host"}, always: true},
		{field: "ingress.plain", ways: []string{"spec"}, tell: withoutTLS},
		{field: "ingress.snippet", ways: []string{"metadata/annotations/*"}, tell: snippet},
	})},
	"mutatingwebhookconfigurations":   {"admissionregistration.k8s.io", steps("", webhookDetails)},
	"validatingwebhookconfigurations": {"admissionregistration.k8s.io", steps("", webhookDetails)},

	"validatingadmissionpolicies":       {"admissionregistration.k8s.io", steps("", policyDetails)},
	"validatingadmissionpolicybindings": {"admissionregistration.k8s.io", steps("", policyDetails)},
	"namespaces": {"", steps("", []detail{
		{field: "namespace.podSecurity", ways: []string{"metadata/labels/pod-security.kubernetes.io~enforce"}, none: "none"},
	})},
	"networkpolicies": {"networking.k8s.io", steps("", []detail{
		{field: "networkPolicy.open", ways: []string{"spec/ingress/[]", "spec/egress/[]"}, tell: everybody},
	})},
	"apiservices": {"apiregistration.k8s.io", steps("", []detail{
		{field: "apiService.service", ways: []string{"spec/service"}, tell: namespaced},
		{field: "apiService.unchecked", ways: []string{"spec/insecureSkipTLSVerify"}, tell: isTrue},
	})},
	"customresourcedefinitions": {"apiextensions.k8s.io", steps("", []detail{
		{field: "conversion.url", ways: []string{"spec/conversion/webhook/clientConfig/url"}, tell: cleanText},
	})},
	"nodes": {"", steps("", []detail{
		{field: "node.unschedulable", ways: []string{"spec/unschedulable"}, tell: isTrue},
		{field: "node.taint", ways: []string{"spec/taints"}, tell: taints, none: "none"},
		{field: "node.label", ways: []string{"metadata/labels/*"}, tell: labelled},
	})},
	"certificatesigningrequests": {"certificates.k8s.io", steps("", []detail{
		{field: "csr.signer", ways: []string{"spec/signerName"}, always: true},
		{field: "csr.user", ways: []string{"spec/request"}, tell: func(_, v string) []string { u, _ := requested(v); return u }, always: true},
		{field: "csr.group", ways: []string{"spec/request"}, tell: func(_, v string) []string { _, g := requested(v); return g }, always: true},
		{field: "csr.denied", ways: []string{"status/conditions/[]/type"}, tell: func(_, v string) []string {
			return isTrue("", map[bool]string{true: "true"}[plainText(v) == "Denied"])
		}, always: true},
	})},
	"serviceaccounts": {"", steps("", []detail{
		{field: "account.cloudIdentity", ways: []string{"metadata/annotations/*"}, tell: cloudIdentity},
		{field: "token.seconds", ways: []string{"spec/expirationSeconds"}, always: true},
	})},
	"configmaps": {"", steps("", []detail{
		{field: "configMap.credential", ways: []string{"data/*"}, tell: credential},
	})},
	"persistentvolumeclaims": {"", steps("", []detail{
		{field: "claim.source", ways: []string{"spec/dataSource", "spec/dataSourceRef"}, tell: referenced},
	})},
	"clusterroles": {"rbac.authorization.k8s.io", steps("", []detail{
		{field: "role.aggregatesTo", ways: []string{"metadata/labels/*"}, tell: aggregated},
	})},
}

// detailed is where the details of what a request writes stand, or nil if none are read.
func (r *record) detailed() *step {
	if !r.writes() {
		return nil
	}
	switch part := r.ref.resource + "/" + r.ref.subresource; part {
	case "serviceaccounts/token", "certificatesigningrequests/approval", "pods/ephemeralcontainers":
	default:
		if r.ref.subresource != "" {
			return nil
		}
	}
	resource := r.podResource()
	if r.ref.resource == "pods" && r.ref.group == "" {
		resource = cmp.Or(r.ref.subresource, "pods")
	}
	if resource != "" {
		if s := podSteps[resource]; s != nil {
			return s
		}
		return podSteps[""]
	}
	o, ok := objectSteps[r.ref.resource]
	if !ok || r.ref.group != o.group && r.ref.group != "" {
		return nil
	}
	return o.root
}

// members reads the texts among an object's members.
func members(object string) map[string]string {
	out := map[string]string{}
	c := newCursor(object)
	defer c.done()
	_ = c.fields(func(key string) error {
		v, err := c.value()
		out[key] = v
		return err
	})
	return out
}

// elementsOf reads the elements of a list.
func elementsOf(list string) (out []string) {
	c := newCursor(list)
	defer c.done()
	_ = c.list(func() error {
		v, err := c.value()
		out = append(out, v)
		return err
	})
	return out
}

func textsOf(list string) (out []string) {
	for _, e := range elementsOf(list) {
		out = append(out, plainText(e))
	}
	return out
}

func toleration(_, v string) []string {
	m := members(v)
	switch key := plainText(m["key"]); {
	case key != "":
		return []string{key}
	case plainText(m["operator"]) == "Exists":
		return []string{"everything"}
	}
	return nil
}

func arguments(_, v string) []string {
	m := members(v)
	if m["command"] == "" && m["args"] == "" {
		return nil
	}
	return []string{strings.Join(commandLine(textsOf(m["command"]), textsOf(m["args"])), " ")}
}

func commandText(_, v string) []string {
	return []string{strings.Join(commandLine(textsOf(v), nil), " ")}
}
func cleanText(_, v string) []string { return []string{redact.Text(plainText(v))} }
func joined(_, v string) []string    { return []string{strings.Join(textsOf(v), ", ")} }

// namespaced is a reference to an object of a namespace.
func namespaced(_, v string) []string {
	m := members(v)
	if name := plainText(m["name"]); name != "" {
		return []string{plainText(m["namespace"]) + "/" + name}
	}
	return nil
}

// referenced is a reference to an object by its kind.
func referenced(_, v string) []string {
	m := members(v)
	if name := plainText(m["name"]); name != "" {
		return []string{strings.TrimSpace(plainText(m["kind"]) + " " + name)}
	}
	return nil
}

// selector is one that leaves something out, as it is written.
func selector(_, v string) []string {
	if v == "{}" || v == "[]" {
		return nil
	}
	const most = 300
	text := redact.Known(v)
	return []string{text[:min(len(text), most)]}
}

func withoutTLS(_, v string) []string {
	if m := members(v); len(elementsOf(m["tls"])) == 0 && (m["rules"] != "" || m["defaultBackend"] != "") {
		return []string{"true"}
	}
	return nil
}

// snippet is an annotation that puts lines into a proxy's configuration.
func snippet(name, _ string) []string {
	if isSnippet(name) {
		return []string{name}
	}
	return nil
}

func isSnippet(name string) bool {
	return strings.HasSuffix(name, "-snippet") || strings.HasSuffix(name, "-snippets")
}

// everybody is a rule of a network policy that names neither peers nor ports.
func everybody(_, v string) []string {
	for _, m := range members(v) {
		if len(elementsOf(m)) > 0 {
			return nil
		}
	}
	return []string{"true"}
}

func taints(_, v string) (out []string) {
	for _, e := range elementsOf(v) {
		m := members(e)
		out = append(out, plainText(m["key"])+"="+plainText(m["value"])+":"+plainText(m["effect"]))
	}
	return out
}

func labelled(name, v string) []string {
	return []string{name + "=" + labels.Value(name, plainText(v))}
}

// aggregated are roles that a label adds rights to.
func aggregated(name, v string) []string {
	if to, ok := strings.CutPrefix(name, "rbac.authorization.k8s.io/aggregate-to-"); ok && plainText(v) == "true" {
		return []string{to}
	}
	return nil
}

// cloudIdentities are annotations of a service account that make it somebody in a cloud.
var cloudIdentities = []string{"eks.amazonaws.com/role-arn", "iam.gke.io/gcp-service-account", "azure.workload.identity/client-id"}

func cloudIdentity(name, v string) []string {
	if slices.Contains(cloudIdentities, name) {
		return []string{plainText(v)}
	}
	return nil
}

// credential is the name of a value that holds a secret.
func credential(name, v string) []string {
	const most = 64 << 10
	if len(v) > most {
		return nil
	}
	if text := plainText(v); strings.Contains(text, redact.Mark) || redact.Value(name, text) != text {
		return []string{name}
	}
	return nil
}

// requested is whom a certificate is asked for.
func requested(v string) (user, groups []string) {
	const most = 64 << 10
	text := plainText(v)
	if len(text) > most {
		return nil, nil
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, nil
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, nil
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, nil
	}
	return []string{csr.Subject.CommonName}, slices.DeleteFunc(slices.Clone(csr.Subject.Organization), func(g string) bool { return g == "" })
}

// tokenOf tells whose token was asked for.
func (b *builder) tokenOf(r *record) {
	if r.ref.resource == "serviceaccounts" && r.ref.subresource == "token" && r.ref.name != "" {
		b.set("token.account", accountPrefix+r.ref.namespace+":"+r.ref.name)
	}
}

// detailFields are the fields of details.
var detailFields = []event.Field{
	{Name: "pod.toleration", Sentence: "Keys of taints that pods tolerate, or everything.", Example: "node-role.kubernetes.io/control-plane"},
	{Name: "pod.priorityClass", Sentence: "The priority class of the pods.", Example: "system-node-critical"},
	{Name: "pod.accountChanged", Sentence: "The service account that a workload is made with or changed to.", Example: "deployer"},
	{Name: "container.arguments", Sentence: "Commands and arguments of containers, each in one line.", Example: "sh -c id"},
	{Name: "container.added", Sentence: "Names of containers that a workload did not have before, where that is known.", Example: "sidecar"},
	{Name: "container.procMount", Sentence: "How containers see /proc, if they say so.", Example: "Unmasked"},
	{Name: "container.profile", Sentence: "Which seccomp or AppArmor profile containers or pods ask for.", Example: "Unconfined"},
	{Name: "container.hostProcess", Sentence: "true if a container is a process of its Windows node.", Example: "true"},
	{Name: "container.hostPort", Sentence: "Ports of the node that containers take.", Example: "8080", Number: true},
	{Name: "container.hook", Sentence: "What probes and hooks run in containers, each in one line.", Example: "/bin/sh -c id"},
	{Name: "container.lookalike", Sentence: "Images whose registry or name is a letter away from a well-known one, and that one.",
		Example: "ngnix:1 (nginx)"},
	{Name: "container.registry", Sentence: "The registries that images come from.", Example: "docker.io"},
	{Name: "container.imageChanged", Sentence: "The images that containers are made with or changed to, also those of running pods.",
		Example: "docker.io/library/nginx:1.27"},
	{Name: "service.type", Sentence: "The type of a service.", Example: "LoadBalancer"},
	{Name: "service.externalIP", Sentence: "Addresses that a service takes for its own.", Example: "203.0.113.7"},
	{Name: "service.port", Sentence: "Ports of a service and of what it leads to, by number or name.", Example: "6379"},
	{Name: "service.selects", Sentence: "Values of the labels by which a service selects its pods.", Example: "kubernetes-dashboard"},
	{Name: "ingress.host", Sentence: "Names that an ingress answers for.", Example: "shop.example"},
	{Name: "ingress.plain", Sentence: "true if an ingress names no certificate.", Example: "true"},
	{Name: "ingress.snippet", Sentence: "Annotations that put lines into the proxy's configuration.",
		Example: "nginx.ingress.kubernetes.io/server-snippet"},
	{Name: "webhook.url", Sentence: "Addresses outside of the cluster that an admission webhook calls.", Example: "https://hook.example/"},
	{Name: "webhook.service", Sentence: "Services that an admission webhook calls.", Example: "policy/webhook"},
	{Name: "webhook.failurePolicy", Sentence: "What becomes of requests that a webhook does not answer: Fail, Ignore.", Example: "Ignore"},
	{Name: "webhook.resources", Sentence: "Resources that a webhook is asked about.", Example: "pods"},
	{Name: "webhook.selector", Sentence: "By what a webhook leaves out requests, as it is written.", Example: `{"matchLabels":{"a":"b"}}`},
	{Name: "policy.failurePolicy", Sentence: "What becomes of requests that an admission policy cannot judge: Fail, Ignore.",
		Example: "Ignore"},
	{Name: "policy.actions", Sentence: "What follows if an admission policy objects.", Example: "Deny, Audit"},
	{Name: "policy.selector", Sentence: "By what an admission policy leaves out requests, as it is written.",
		Example: `{"matchLabels":{"a":"b"}}`},
	{Name: "namespace.podSecurity", Sentence: "The level that Pod Security enforces in a namespace; none if a change took it away.",
		Example: "privileged"},
	{Name: "networkPolicy.open", Sentence: "true if a rule of a network policy lets everything through.", Example: "true"},
	{Name: "apiService.service", Sentence: "The service that answers for a part of the API.", Example: "kube-system/metrics-server"},
	{Name: "apiService.unchecked", Sentence: "true if the API server does not check that service's certificate.", Example: "true"},
	{Name: "conversion.url", Sentence: "Where objects of a kind are converted, outside of the cluster.", Example: "https://hook.example/"},
	{Name: "node.unschedulable", Sentence: "true if the change lets no pods onto a node.", Example: "true"},
	{Name: "node.taint", Sentence: "Taints of a node; none if a change took them away.", Example: "dedicated=db:NoSchedule"},
	{Name: "node.label", Sentence: "Labels of a node.", Example: "node-role.kubernetes.io/worker="},
	{Name: "csr.signer", Sentence: "By whom a certificate is to be signed.", Example: "kubernetes.io/kube-apiserver-client"},
	{Name: "csr.user", Sentence: "The user whom a certificate is asked for.", Example: "alice"},
	{Name: "csr.group", Sentence: "The groups that a certificate is asked for.", Example: "system:masters"},
	{Name: "csr.denied", Sentence: "true if the request is denied.", Example: "true"},
	{Name: "account.cloudIdentity", Sentence: "Whom a service account is to be in a cloud.", Example: "arn:aws:iam::111122223333:role/backup"},
	{Name: "token.account", Sentence: "The user name of the service account whose token was asked for.",
		Example: "system:serviceaccount:shop:deployer"},
	{Name: "token.seconds", Sentence: "For how many seconds a token was asked for.", Example: "3600", Number: true},
	{Name: "configMap.credential", Sentence: "Keys of a config map whose values hold secrets.", Example: "password"},
	{Name: "claim.source", Sentence: "What a claim's volume is a copy of.", Example: "VolumeSnapshot nightly"},
	{Name: "role.aggregatesTo", Sentence: "Roles that the rights of a cluster role become part of.", Example: "admin"},
	{Name: "role.grant", Sentence: "What a written role allows: each verb with each resource and its API group.",
		Example: "create rolebindings.rbac.authorization.k8s.io"},
}
