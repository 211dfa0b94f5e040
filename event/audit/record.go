package audit

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// record is an audit event as it was sent: slices of its text, nothing judged.
type record struct {
	kind, version, level, id, stage, uri, verb, agent string
	received, staged                                  string
	user, as                                          user
	addresses                                         []string
	ref                                               reference
	code                                              string
	decision, reason                                  string
	request, response                                 string
	items                                             string // of a list of events
	template                                          *bool  // it writes a template of pods; nil if nobody asked
}

type user struct {
	name, uid string
	groups    []string
	arn       bool // the authenticator of AWS says who it is there
}

// reference is objectRef.
type reference struct{ resource, subresource, namespace, name, uid, group string }

// parse reads one event whole, so that what is broken anywhere is not half used.
func parse(text string) (*record, error) {
	r := &record{}
	c := newCursor(text)
	defer c.done()
	if err := c.object(func(key string) error { return r.member(c, key) }); err != nil {
		return nil, err
	}
	return r, c.end()
}

// check refuses what is no event, or of a version that may mean other things.
// Within a list an event names neither kind nor version.
func (r *record) check() error {
	switch {
	case r.kind != "" && r.kind != "Event":
		return fmt.Errorf("kind %.40q: want an Event", r.kind)
	case r.version != "" && r.version != "audit.k8s.io/v1" && r.version != "audit.k8s.io/v1beta1":
		return fmt.Errorf("version %.40q: want audit.k8s.io/v1 or v1beta1", r.version)
	case r.verb == "":
		return errors.New("no audit event: it names no verb")
	}
	return nil
}

func (r *record) member(c *cursor, key string) (err error) {
	switch key {
	case "kind":
		return c.loose(&r.kind)
	case "apiVersion":
		return c.loose(&r.version)
	case "level":
		return c.loose(&r.level)
	case "auditID":
		return c.loose(&r.id)
	case "stage":
		return c.loose(&r.stage)
	case "requestURI":
		return c.loose(&r.uri)
	case "verb":
		return c.loose(&r.verb)
	case "userAgent":
		return c.loose(&r.agent)
	case "requestReceivedTimestamp":
		return c.loose(&r.received)
	case "stageTimestamp":
		return c.loose(&r.staged)
	case "sourceIPs":
		r.addresses = nil
		return c.texts(&r.addresses)
	case "user":
		return r.user.read(c)
	case "impersonatedUser":
		return r.as.read(c)
	case "objectRef":
		return r.ref.read(c)
	case "responseStatus":
		return c.fields(func(key string) error {
			if key == "code" {
				r.code, err = c.value()
				return err
			}
			return c.skip()
		})
	case "annotations":
		return c.fields(r.annotation(c))
	case "items":
		if c.next() != '[' {
			return c.skip()
		}
		r.items, err = c.value()
	case "requestObject":
		r.request, err = c.value()
	case "responseObject":
		r.response, err = c.value()
	default:
		err = c.skip()
	}
	return err
}

func (r *record) annotation(c *cursor) func(string) error {
	return func(key string) error {
		switch key {
		case "authorization.k8s.io/decision":
			return c.loose(&r.decision)
		case "authorization.k8s.io/reason":
			return c.loose(&r.reason)
		}
		return c.skip()
	}
}

func (u *user) read(c *cursor) error {
	*u = user{}
	return c.fields(func(key string) error {
		switch key {
		case "username":
			return c.loose(&u.name)
		case "uid":
			return c.loose(&u.uid)
		case "groups":
			return c.texts(&u.groups)
		case "extra":
			return c.fields(func(key string) error {
				u.arn = u.arn || key == "arn"
				return c.skip()
			})
		}
		return c.skip()
	})
}

func (o *reference) read(c *cursor) error {
	*o = reference{}
	return c.fields(func(key string) error {
		switch key {
		case "resource":
			return c.loose(&o.resource)
		case "subresource":
			return c.loose(&o.subresource)
		case "namespace":
			return c.loose(&o.namespace)
		case "name":
			return c.loose(&o.name)
		case "uid":
			return c.loose(&o.uid)
		case "apiGroup":
			return c.loose(&o.group)
		}
		return c.skip()
	})
}

// announced says that the event tells that a request came, not how it ended.
func (r *record) announced() bool { return r.stage == "RequestReceived" }

// object is the thing as it is after the request, or what was sent if the answer
// holds none: a refused request, or a level that leaves answers out.
func (r *record) object() string {
	if r.answered() {
		return r.response
	}
	if r.verb == "patch" && strings.HasPrefix(r.request, "[") {
		return stated(r.request)
	}
	return r.request
}

// answered says that the answer holds the thing.
func (r *record) answered() bool {
	return r.response != "" && r.response != "null" && !isStatus(r.response)
}

// errEnough stops reading where the rest tells nothing; the text was read before.
var errEnough = errors.New("enough was read")

// isStatus says that an object is an answer about the request instead of the thing.
func isStatus(object string) bool {
	status := false
	c := newCursor(object)
	defer c.done()
	_ = c.fields(func(key string) error {
		if key != "kind" {
			return c.skip()
		}
		var kind string
		err := c.loose(&kind)
		status = kind == "Status"
		if err == nil {
			err = errEnough
		}
		return err
	})
	return status
}

// command is that of an exec whose options came as an object.
func (r *record) command() (words []string) {
	c := newCursor(r.request)
	defer c.done()
	_ = c.fields(func(key string) error {
		if key == "command" {
			return c.texts(&words)
		}
		return c.skip()
	})
	return words
}

// outcome is what became of the request. Switching protocols is no success: it
// says that a stream was opened, not that the command in it ran.
func (r *record) outcome() string {
	switch {
	case r.stage == "Panic":
		return "failed"
	case r.code == "401" || r.code == "403":
		return "denied"
	case r.code == "101":
		return "upgraded"
	case len(r.code) != 3:
		return ""
	case r.code[0] != '2' && r.code != "304":
		return "failed"
	case r.dry():
		return "dry-run"
	}
	return "success"
}

// dry says whether nothing was kept. The options of a deletion may come in its body, and then those in the
// address are not looked at: where the log does not keep the body, nothing is known.
func (r *record) dry() bool {
	switch {
	case r.verb != "delete" && r.verb != "deletecollection":
		return dryRun(r.uri)
	case r.level == "Metadata":
		return false
	case r.request == "" || r.request == "null":
		return dryRun(r.uri)
	}
	var all []string
	c := newCursor(r.request)
	defer c.done()
	_ = c.fields(func(key string) error {
		if key == "dryRun" {
			all = nil
			return c.texts(&all)
		}
		return c.skip()
	})
	return slices.Contains(all, "All")
}

// dryRun says whether nothing was kept. The API server reads the query as here, so
// that no other parameter can look like it; it takes no value but All.
func dryRun(uri string) bool {
	q := query(uri)
	if !strings.Contains(q, "dryRun") && !strings.Contains(q, "%") {
		return false
	}
	values, _ := url.ParseQuery(q) // what is malformed is left out there, too
	return slices.Contains(values["dryRun"], "All")
}

func query(uri string) string {
	_, q, _ := strings.Cut(uri, "?")
	return q
}
