package audit

import (
	"net/url"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/redact"
)

// Evidence outlives the event, so it is made by naming what stays: a member
// that is not named here is gone with all that it held. Values of environment
// variables, data of Secrets and ConfigMaps, tokens, annotations (applied
// configurations hold all of these) and unknown kinds go that way.

// envelope is what stays of the event itself.
var envelope = set(`kind apiVersion level auditID stage requestURI verb user impersonatedUser
	authenticationMetadata sourceIPs userAgent objectRef responseStatus requestObject responseObject
	requestReceivedTimestamp stageTimestamp annotations username uid groups extra resource
	namespace name apiGroup subresource resourceVersion metadata code reason status`)

// shape is what stays of workloads, pods and RBAC objects, wherever it stands.
var shape = set(`kind apiVersion metadata name generateName namespace uid ownerReferences controller
	labels spec template jobTemplate replicas schedule suspend selector matchLabels completions parallelism
	containers initContainers ephemeralContainers targetContainerName image command args stdin tty
	securityContext privileged allowPrivilegeEscalation capabilities add drop runAsUser runAsGroup
	runAsNonRoot readOnlyRootFilesystem procMount seccompProfile appArmorProfile localhostProfile
	supplementalGroups fsGroup volumes hostPath local path type volumeMounts mountPath subPath readOnly
	mountPropagation persistentVolumeClaim claimName secret secretName configMap emptyDir projected
	hostNetwork hostPID hostIPC hostUsers shareProcessNamespace runtimeClassName serviceAccountName
	automountServiceAccountToken nodeName nodeSelector ports containerPort hostPort protocol
	roleRef subjects rules verbs apiGroups resources resourceNames nonResourceURLs apiGroup
	aggregationRule clusterRoleSelectors op code reason status`)

// identity is what stays of every other object.
var identity = set(`kind apiVersion metadata name generateName namespace uid ownerReferences controller dryRun`)

// maps hold names that a user chose; their values stay with them.
var maps = set(`labels matchLabels nodeSelector selector extra`)

// decisions are the annotations of an audit event that stay; those of webhooks
// hold patches, and a patch may hold anything.
var decisions = []string{"authorization.k8s.io/", "pod-security.kubernetes.io/", "validation.policy.admission.k8s.io/",
	"authentication.k8s.io/stale-token"}

func set(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}

// evidence is the event without values.
func (r *record) evidence(text string) []byte {
	objects := identity
	if r.kept() {
		objects = shape
	}
	c := newCursor(text)
	defer c.done()
	p := printer{cursor: c, out: make([]byte, 0, min(len(text), 4<<10)), keep: envelope, clean: redact.Known}
	_ = p.object(func(key string) error {
		switch key {
		case "requestURI":
			return p.member(key, func() error { _, uri := harmlessURI(r.uri); p.text(uri); return p.skip() })
		case "userAgent":
			return p.member(key, func() error { return p.string(repeated.Text) })
		case "requestObject", "responseObject":
			return p.inside(key, objects, p.copy)
		case "annotations":
			return p.member(key, p.annotations)
		}
		return p.kept(key)
	})
	return p.out
}

// kept says that the object of the request is of a kind that is understood.
func (r *record) kept() bool { return r.judged() }

// printer copies JSON while reading it, leaving out what it does not keep. The
// text was read before, so it is well formed.
type printer struct {
	*cursor
	out   []byte
	keep  map[string]bool
	clean func(string) string // of texts that are no command line and no label
}

func (p *printer) object(f func(key string) error) error {
	p.out = append(p.out, '{')
	err := p.cursor.object(f)
	p.out = append(trimComma(p.out), '}')
	return err
}

func trimComma(b []byte) []byte {
	if n := len(b) - 1; b[n] == ',' {
		return b[:n]
	}
	return b
}

// member writes a key, and what value writes.
func (p *printer) member(key string, value func() error) error {
	p.text(key)
	p.out = append(p.out, ':')
	err := value()
	p.out = append(p.out, ',')
	return err
}

// inside writes a member in which other names are kept.
func (p *printer) inside(key string, keep map[string]bool, value func() error) error {
	before := p.keep
	p.keep = keep
	err := p.member(key, value)
	p.keep = before
	return err
}

func (p *printer) kept(key string) error {
	switch {
	case !p.keep[key]:
		return p.skip()
	case maps[key]:
		return p.member(key, func() error { return p.whole(key) })
	case key == "annotations":
		return p.member(key, p.readAnnotations)
	case key == "data":
		return p.member(key, p.marked)
	case key == "request": // of a certificate: it holds a public key
		return p.member(key, func() error { return p.string(func(s string) string { return s }) })
	}
	return p.member(key, p.copy)
}

// whole writes a value with all its members; the name that it has says what texts in it are.
func (p *printer) whole(name string) error {
	switch p.next() {
	case '{':
		return p.object(func(key string) error { return p.member(redact.Known(key), func() error { return p.whole(key) }) })
	case '[':
		return p.list(func() error { return p.whole(name) })
	}
	return p.string(func(s string) string {
		clean := labels.Value(name, s)
		if clean == s || clean == redact.Mark { // where nothing is found nothing is known either
			return clean
		}
		return redact.Known(s)
	})
}

func (p *printer) list(f func() error) error {
	p.out = append(p.out, '[')
	err := p.array(func() error {
		err := f()
		p.out = append(p.out, ',')
		return err
	})
	p.out = append(trimComma(p.out), ']')
	return err
}

// string writes a text without secrets, and a number as it is. What holds more has no business there.
func (p *printer) string(clean func(string) string) error {
	if p.next() != '"' {
		v, err := p.value()
		switch {
		case strings.HasPrefix(v, "{"):
			v = "{}"
		case strings.HasPrefix(v, "["):
			v = "[]"
		}
		p.out = append(p.out, v...)
		return err
	}
	quoted, plain, err := p.quoted()
	if err != nil {
		return err
	}
	if s := clean(plain); s != plain {
		p.text(s)
	} else {
		p.out = append(p.out, quoted...)
	}
	return nil
}

// copy writes a value with what is kept of it.
func (p *printer) copy() error {
	switch p.next() {
	case '{':
		return p.shaped()
	case '[':
		return p.list(p.copy)
	}
	return p.string(p.clean)
}

// shaped writes an object. The command line of a container comes last, whole: what its arguments mean the program says.
func (p *printer) shaped() error {
	var command, args []string
	p.out = append(p.out, '{')
	err := p.cursor.object(func(key string) error {
		switch {
		case key == "command" && p.keep[key]:
			command = []string{}
			return p.texts(&command)
		case key == "args" && p.keep[key]:
			args = []string{}
			return p.texts(&args)
		}
		return p.kept(key)
	})
	words := commandLine(command, args)
	p.words("command", command, words)
	p.words("args", args, words[len(command):])
	p.out = append(trimComma(p.out), '}')
	return err
}

// words writes those of a command line that were there.
func (p *printer) words(key string, were, are []string) {
	if were == nil {
		return
	}
	p.text(key)
	p.out = append(p.out, ':', '[')
	for i := range were {
		p.text(are[i])
		p.out = append(p.out, ',')
	}
	p.out = append(trimComma(p.out), ']', ',')
}

// commandLine is a command and its arguments without secrets.
func commandLine(command, args []string) []string {
	words := slices.Concat(command, args)
	if len(words) == 0 {
		return nil
	}
	return redact.Command(words[0], words)
}

func (p *printer) annotations() error {
	if p.next() != '{' {
		return p.string(redact.Text)
	}
	return p.object(func(key string) error {
		if slices.ContainsFunc(decisions, func(d string) bool { return strings.HasPrefix(key, d) }) {
			return p.member(key, func() error { return p.string(repeated.Text) })
		}
		return p.skip()
	})
}

const hexDigits = "0123456789abcdef"

// text writes a string.
func (p *printer) text(s string) {
	p.out = append(p.out, '"')
	for i := range len(s) {
		switch b := s[i]; {
		case b < ' ':
			p.out = append(p.out, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&15])
		case b == '"' || b == '\\':
			p.out = append(p.out, '\\', b)
		default:
			p.out = append(p.out, b)
		}
	}
	p.out = append(p.out, '"')
}

// parameters of requests whose values stay: what was asked, not what was sent.
var parameters = set(`command cmd container stdin stdout stderr tty labelSelector fieldSelector limit
	continue watch allowWatchBookmarks resourceVersion resourceVersionMatch timeout timeoutSeconds
	fieldManager fieldValidation force dryRun gracePeriodSeconds propagationPolicy follow previous
	tailLines sinceSeconds timestamps ports sendInitialEvents pretty`)

// harmlessURI is the path of an address, and the address, without the values of unknown
// parameters: what is proxied to pods and services may carry keys in them. In the others,
// and in the path, secrets are looked for.
func harmlessURI(address string) (path, uri string) {
	path, q, ok := strings.Cut(address, "?")
	if path = redact.Text(path); !ok {
		return path, path
	}
	parts := strings.Split(q, "&")
	var command []string
	var at []int
	for i, part := range parts {
		name, value, has := strings.Cut(part, "=")
		plain, err := url.QueryUnescape(name)
		given, err2 := url.QueryUnescape(value)
		switch {
		case !has:
			parts[i] = redact.Known(part)
		case err != nil || err2 != nil || !parameters[plain]:
			parts[i] = name + "=…"
		case plain == "command" || plain == "cmd":
			command, at = append(command, given), append(at, i)
		default:
			parts[i] = parameter(name, value, given, redact.Text(given))
		}
	}
	for n, clean := range commandLine(command, nil) {
		name, value, _ := strings.Cut(parts[at[n]], "=")
		parts[at[n]] = parameter(name, value, command[n], clean)
	}
	return path, path + "?" + strings.Join(parts, "&")
}

// parameter is one as it came, unless a secret was taken out.
func parameter(name, value, given, clean string) string {
	if clean == given {
		return name + "=" + value
	}
	return name + "=" + url.QueryEscape(clean)
}
