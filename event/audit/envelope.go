package audit

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/breakwater-sec/breakwater/event"
)

// Clouds hand on the audit log of their clusters in envelopes of their own. Which one a text is its form says, nobody
// configures it: CloudWatch Logs of EKS, as a subscription or Firehose sends them; diagnostic records of AKS, as Event
// Hubs and storage accounts have them; LogEntries of GKE, as they are or pushed by Pub/Sub.

// Bounds of envelopes: one in another, and what is unpacked of one body or line.
const (
	maxEnvelopes = 4
	maxUnpacked  = 4 * MaxEvent
)

var (
	errDeep     = fmt.Errorf("more than %d envelopes in each other", maxEnvelopes)
	errUnpacked = fmt.Errorf("more than %d bytes are packed into it", maxUnpacked)
)

// wrapper is what is read of any form. What another form means by a member of the same name is not looked at.
type wrapper struct {
	// CloudWatch Logs.
	MessageType said `json:"messageType"`
	LogStream   said `json:"logStream"`
	LogEvents   list[struct {
		Message string `json:"message"`
	}] `json:"logEvents"`
	// Firehose and Event Hubs.
	Records list[jsontext.Value] `json:"records"`
	// A record of Firehose.
	Data said `json:"data"`
	// A diagnostic record.
	Category   said           `json:"category"`
	Properties jsontext.Value `json:"properties"`
	// A push of Pub/Sub.
	Message jsontext.Value `json:"message"`
	logEntry
}

// said is a text, and empty where something else stands; list is the like.
type (
	said        string
	list[T any] []T
)

func (w *said) UnmarshalJSON(b []byte) error {
	_ = json.Unmarshal(b, (*string)(w), lenient)
	return nil
}

func (l *list[T]) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, (*[]T)(l), lenient) != nil {
		*l = nil
	}
	return nil
}

// inside is a member of what may be an object, as a text.
func inside(object jsontext.Value, name string) string {
	var members map[string]jsontext.Value
	if json.Unmarshal(object, &members, lenient) != nil {
		return ""
	}
	value := members[name]
	var quoted string
	if json.Unmarshal(value, &quoted, lenient) == nil {
		return quoted
	}
	return string(value)
}

// lenient reads what clouds send: a member of another type than ours is another form's, and names are told apart by case.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// unpacked is what an envelope holds, each text an event, a list, or another envelope; is is false for what is no envelope.
func unpacked(text string, left *int) (found []string, is bool, err error) {
	var e wrapper
	if json.Unmarshal(bytesOf(text), &e, lenient) != nil {
		return nil, false, nil
	}
	take := func(text string) error {
		if *left -= len(text); *left < 0 {
			return errUnpacked
		}
		found = append(found, strings.Clone(text))
		return nil
	}
	log, pushed := inside(e.Properties, "log"), inside(e.Message, "data")
	switch {
	case e.MessageType == "CONTROL_MESSAGE":
		return nil, true, nil // whether somebody is there
	case e.MessageType == "DATA_MESSAGE":
		if !strings.HasPrefix(string(e.LogStream), "kube-apiserver-audit") {
			return nil, true, nil // another log of the control plane
		}
		for _, l := range e.LogEvents {
			err = errors.Join(err, take(l.Message))
		}
	case len(e.Records) > 0:
		for _, r := range e.Records {
			err = errors.Join(err, take(string(r)))
		}
	case e.Data != "":
		found, err = decoded(string(e.Data), left)
	case pushed != "":
		found, err = decoded(pushed, left)
	case e.Category != "" && log != "":
		if !strings.HasPrefix(string(e.Category), "kube-audit") {
			return nil, true, nil // another log of the control plane
		}
		err = take(log)
	case e.Proto.Method != "":
		var event string
		if event, err = e.audit(); err == nil {
			err = take(event)
		}
	default:
		return nil, false, nil
	}
	return found, true, err
}

// decoded is what base64 holds, unpacked where it is packed: one document, or one a line.
func decoded(data string, left *int) (inside []string, err error) {
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	if bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return nil, fmt.Errorf("data: %w", err)
		}
		if raw, err = io.ReadAll(io.LimitReader(z, int64(*left)+1)); err != nil {
			return nil, fmt.Errorf("data: %w", err)
		}
	}
	if *left -= len(raw); *left < 0 {
		return nil, errUnpacked
	}
	c := newCursor(string(raw))
	defer c.done()
	for c.next() != 0 {
		one, err := c.value()
		if err != nil {
			return inside, fmt.Errorf("data: %w", err)
		}
		inside = append(inside, one)
	}
	return inside, c.end()
}

// Unpack is each event that a body holds, where it is no list of the API server's webhook: events alone, in an array or one
// behind the other, and those in envelopes, of which at most so many bytes are unpacked. What is none is among them, to be
// refused by itself; is is false where none is one.
func Unpack(body []byte, most int) (events []string, is bool, err error) {
	u := unpacking{left: &most, took: func(text string, why error) {
		events, is = append(events, text), is || why == nil
	}}
	if err := u.values(textOf(body), 0); err != nil {
		return nil, false, err
	}
	return events, is, nil
}

// unpack is what became of each event of a text: of an envelope, or of what is none.
func (d *Decoder) unpack(text string, left *int) (inside []outcome) {
	u := unpacking{left: left, took: func(one string, why error) {
		r, err := parse(one)
		inside = append(inside, d.one(r, one, cmp.Or(why, err)))
	}}
	if err := u.value(text, 0); err != nil {
		return []outcome{event.Refused[told](err)}
	}
	return inside
}

// unpacking hands on every event of a text, and with a reason what is none.
type unpacking struct {
	left *int // bytes that may still be unpacked
	took func(text string, why error)
}

// values are one behind the other.
func (u unpacking) values(text string, depth int) error {
	if depth > maxEnvelopes {
		return errDeep
	}
	c := newCursor(text)
	defer c.done()
	for c.next() != 0 {
		one, err := c.value()
		if err != nil {
			return err
		}
		if err := u.value(one, depth); err != nil {
			return err
		}
	}
	return c.end()
}

// value is a list, an envelope, or an event.
func (u unpacking) value(text string, depth int) error {
	if strings.HasPrefix(text, "[") {
		return u.list(text, depth)
	}
	r, err := parse(text)
	if err == nil && r.items != "" {
		return u.list(r.items, depth)
	}
	if err == nil {
		err = r.check()
	}
	if r == nil || err == nil {
		u.took(text, err)
		return nil
	}
	found, is, why := unpacked(text, u.left)
	switch {
	case errors.Is(why, errUnpacked):
		return why
	case !is:
		u.took(text, err)
	case why != nil:
		u.took(text, why)
	}
	for _, one := range found {
		if broken := whole(one); broken != nil {
			u.took(one, broken)
		} else if err := u.values(one, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (u unpacking) list(items string, depth int) error {
	c := newCursor(items)
	defer c.done()
	return c.array(func() error {
		one, err := c.value()
		if err == nil && depth == maxEnvelopes {
			err = errDeep
		}
		if err != nil {
			return err
		}
		return u.value(one, depth+1)
	})
}
