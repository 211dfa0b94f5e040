package audit

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// logEntry is a request to the API server of a GKE cluster, as Cloud Audit Logs tell it.
type logEntry struct {
	InsertID  said              `json:"insertId"`
	Timestamp said              `json:"timestamp"`
	Received  said              `json:"receiveTimestamp"`
	Labels    map[string]string `json:"labels"`
	Asked     list[authorized]  `json:"authorizationInfo"` // where some that hand it on put it
	Proto     struct {
		Method   string `json:"methodName"`   // io.k8s.core.v1.pods.create
		Resource string `json:"resourceName"` // core/v1/namespaces/shop/pods/web
		Who      struct {
			Principal string `json:"principalEmail"`
		} `json:"authenticationInfo"`
		Asked list[authorized] `json:"authorizationInfo"`
		Meta  struct {
			IP     string `json:"callerIp"`
			Other  string `json:"callerIP"` // as some that hand it on write it
			Agent  string `json:"callerSuppliedUserAgent"`
			Agents string `json:"callerUserAgent"`
		} `json:"requestMetadata"`
		Status struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"status"`
		Request  jsontext.Value `json:"request"`
		Response jsontext.Value `json:"response"`
	} `json:"protoPayload"`
}

// authorized is what the API server was asked to let pass.
type authorized struct {
	Granted  bool   `json:"granted"`
	Resource string `json:"resource"`
}

// answers are the HTTP status codes that stand for those of gRPC.
var answers = map[int]int{1: 499, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 10: 409, 11: 400, 12: 501, 13: 500,
	14: 503, 15: 500, 16: 401}

var errNoRequest = errors.New("an entry of another log than an API server's: want a methodName that begins with io.k8s and a dot")

// audit is the request as an audit event.
func (l *logEntry) audit() (string, error) {
	p := &l.Proto
	if !strings.HasPrefix(p.Method, "io.k8s.") {
		return "", errNoRequest
	}
	verb := p.Method[strings.LastIndex(p.Method, ".")+1:]
	ref, uri, err := l.object(verb)
	if err != nil {
		return "", err
	}
	code := 200
	if verb == "create" && ref["subresource"] == "" {
		code = 201
	}
	if p.Status.Code != 0 {
		code = cmp.Or(answers[p.Status.Code], 500)
	}
	level := "Metadata"
	if len(p.Request) > 0 {
		level = "Request"
	}
	if len(p.Response) > 0 {
		level = "RequestResponse"
	}
	at := when(string(cmp.Or(l.Timestamp, l.Received)))
	event := map[string]any{
		"kind":                     "Event",
		"apiVersion":               "audit.k8s.io/v1",
		"level":                    level,
		"auditID":                  l.InsertID,
		"stage":                    "ResponseComplete",
		"requestURI":               uri,
		"verb":                     verb,
		"user":                     map[string]any{"username": p.Who.Principal},
		"userAgent":                cmp.Or(p.Meta.Agent, p.Meta.Agents),
		"objectRef":                ref,
		"responseStatus":           map[string]any{"code": code},
		"requestReceivedTimestamp": at,
		"stageTimestamp":           at,
	}
	if ip := cmp.Or(p.Meta.IP, p.Meta.Other); ip != "" {
		event["sourceIPs"] = []string{ip}
	}
	if len(p.Request) > 0 {
		event["requestObject"] = p.Request
	}
	if len(p.Response) > 0 {
		event["responseObject"] = p.Response
	}
	annotations := map[string]string{}
	for _, name := range []string{"authorization.k8s.io/decision", "authorization.k8s.io/reason"} {
		if said := l.Labels[name]; said != "" {
			annotations[name] = said
		}
	}
	if asked := l.asked(); len(annotations) == 0 && len(asked) > 0 {
		annotations["authorization.k8s.io/decision"] = map[bool]string{true: "allow", false: "forbid"}[asked[0].Granted]
	}
	event["annotations"] = annotations
	text, err := json.Marshal(event, json.Deterministic(true), lenient)
	return string(text), err
}

// asked is what the API server was asked to let pass, wherever the entry tells it.
func (l *logEntry) asked() []authorized { return append(l.Proto.Asked, l.Asked...) }

// object is what was asked for, by its name: GROUP/VERSION/namespaces/NAMESPACE/RESOURCE/NAME/SUBRESOURCE.
func (l *logEntry) object(verb string) (ref map[string]string, uri string, err error) {
	parts := strings.Split(cmp.Or(l.Proto.Resource, l.named()), "/")
	if len(parts) < 3 {
		return nil, "", fmt.Errorf("resourceName %.80q: want GROUP/VERSION/RESOURCE", l.Proto.Resource)
	}
	group, version, rest := parts[0], parts[1], parts[2:]
	uri = "/apis/" + group + "/" + version + "/" + strings.Join(rest, "/")
	if group == "core" {
		group, uri = "", "/api/"+version+"/"+strings.Join(rest, "/")
	}
	ref = map[string]string{"apiGroup": group, "apiVersion": version}
	if rest[0] == "namespaces" && len(rest) > 2 && !l.ofNamespaces() {
		ref["namespace"], rest = rest[1], rest[2:]
	}
	for i, name := range []string{"resource", "name", "subresource"} {
		if i < len(rest) {
			ref[name] = rest[i]
		}
	}
	if verb == "create" && ref["subresource"] == "" && ref["name"] != "" { // the request itself is to the collection
		uri = strings.TrimSuffix(uri, "/"+ref["name"])
	}
	return ref, uri, nil
}

// shortGroups have no domain; core stands for the one without a name.
var shortGroups = []string{"core", "apps", "batch", "autoscaling", "policy", "extensions"}

// named is the object as the method names it, where the entry names none: io.k8s.core.v1.pods.create, and a group's
// parts the other way round.
func (l *logEntry) named() string {
	if asked := l.asked(); len(asked) > 0 && asked[0].Resource != "" {
		return asked[0].Resource
	}
	parts := strings.Split(strings.TrimPrefix(l.Proto.Method, "io.k8s."), ".")
	version := slices.IndexFunc(parts, func(p string) bool { return len(p) > 1 && p[0] == 'v' && p[1] >= '0' && p[1] <= '9' })
	if version < 1 || version+2 >= len(parts) {
		return ""
	}
	group := slices.Clone(parts[:version])
	slices.Reverse(group)
	name := strings.Join(group, ".")
	if !slices.Contains(shortGroups, name) {
		name += ".k8s.io"
	}
	return name + "/" + parts[version] + "/" + parts[version+1]
}

// ofNamespaces says that a subresource of a namespace was asked for: its name stands where that of another resource would.
func (l *logEntry) ofNamespaces() bool { return strings.Contains(l.Proto.Method, ".namespaces.") }

// when is a time as audit events write it; empty if it is none.
func when(text string) string {
	for _, form := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999"} {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC().Format(time.RFC3339Nano)
		}
	}
	return ""
}
