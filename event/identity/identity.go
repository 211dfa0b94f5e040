// Package identity holds what the server itself notices of those who send: a sensor that
// names another node than its certificate does, a node that joins twice, a join token that
// is used for nodes which the cluster does not have. It decodes that into events, so that
// rules judge it as they judge everything else. No sender can write such a record.
package identity

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/ref"
)

// What happened.
const (
	// Foreign is a sensor that spoke in another node's name.
	Foreign = "foreign"
	// Pod is a sensor that spoke of a pod which another node runs.
	Pod = "pod"
	// Held is a node that wanted to join under another key than it has.
	Held = "held"
	// Unknown is a node that wanted to join and that its cluster does not have, or does not run the sensor on.
	Unknown = "unknown"
)

// Record is one thing that was noticed.
type Record struct {
	Time time.Time `json:"time"`
	What string    `json:"what"`
	// Node is whose certificate was shown, or who wanted to join; Claimed the node that
	// was named instead.
	Node    string `json:"node"`
	Claimed string `json:"claimed,omitempty"`
	// Namespace and Pod name the pod that was spoken of.
	Namespace string `json:"namespace,omitempty"`
	Pod       string `json:"pod,omitempty"`
	// Token is the id of the join token, which is of no use as one; From the address.
	Token string `json:"token,omitempty"`
	From  string `json:"from,omitempty"`
}

// Source is what rules name as their logsource.
var Source = event.Source{Product: "breakwater", Category: "identity"}

// Index are the fields by which rules are found.
var Index = []string{"identity.what"}

// Says is what an alert tells of a rule that says nothing itself.
var Says = []string{"It came from {source.address}."}

// Fields are all that a rule may ask.
var Fields = []event.Field{
	{Name: "identity.what", Sentence: "What was noticed: foreign (a sensor spoke in another node's name), pod (of a pod that another node " +
		"runs), held (a node wanted to join under another key than it has) or unknown (a node that its cluster does not have).",
		Example: "foreign"},
	{Name: "node.name", Sentence: "The node whose sensor spoke, or that wanted to join.", Example: "worker-1"},
	{Name: "node.claimed", Sentence: "The node in whose name it spoke, or that runs the pod.", Example: "worker-2"},
	{Name: "pod.name", Sentence: "Namespace and name of the pod that it spoke of.", Example: "shop/web-5d8f7c-x2x9p"},
	{Name: "token.id", Sentence: "The id of the join token, as breakwater tokens list shows it.", Example: "4d0e8f6a1b2c"},
	{Name: "source.address", Sentence: "The address that it came from.", Example: "192.0.2.7"},
}

const (
	maxName = 253
	maxLine = 4 << 10
)

// Event is the record as an event of a cluster.
func (r Record) Event(cluster string) event.Event {
	line, _ := json.Marshal(r) // texts and a time
	sum := sha256.Sum256(append([]byte(cluster+"\x00"), line...))
	e := event.Event{ID: hex.EncodeToString(sum[:16]), Cluster: cluster, Source: Source, Time: r.Time.UTC(), Raw: line, Fields: event.Fields{}}
	for name, value := range map[string]string{"identity.what": r.What, "node.name": r.Node, "node.claimed": r.Claimed, "token.id": r.Token,
		"pod.name": r.pod(), "source.address": r.From} {
		if value != "" {
			e.Fields[name] = []string{value}
		}
	}
	node := func(role event.Role, name, detail string) {
		e.Entities = append(e.Entities, event.Entity{Role: role, Kind: "Node", Name: name, Detail: detail,
			ID: ref.Ref{Cluster: cluster, Kind: "Node", Name: name}.ID()})
	}
	switch {
	case r.Claimed != "":
		node(event.Actor, r.Node, "its sensor spoke")
		node(event.Target, r.Claimed, "it was spoken for")
	default:
		node(event.Target, r.Node, "")
	}
	if r.Pod != "" {
		e.Entities = append(e.Entities, event.Entity{Role: event.Related, Kind: "Pod", Namespace: r.Namespace, Name: r.Pod,
			ID: ref.Ref{Cluster: cluster, Namespace: r.Namespace, Kind: "Pod", Name: r.Pod}.ID()})
	}
	if r.From != "" {
		e.Entities = append(e.Entities, event.Entity{Role: event.Related, Kind: "Address", Name: r.From})
	}
	return e
}

func (r Record) pod() string {
	if r.Pod == "" {
		return ""
	}
	return r.Namespace + "/" + r.Pod
}

func (r Record) check() error {
	switch {
	case !slices.Contains([]string{Foreign, Pod, Held, Unknown}, r.What):
		return fmt.Errorf("what %.40q: want %s, %s, %s or %s", r.What, Foreign, Pod, Held, Unknown)
	case r.Node == "":
		return errors.New("it names no node")
	case (r.What == Foreign || r.What == Pod) && r.Claimed == "":
		return fmt.Errorf("%s: it names no other node", r.What)
	case max(len(r.Node), len(r.Claimed), len(r.Namespace), len(r.Pod), len(r.Token), len(r.From)) > maxName:
		return fmt.Errorf("want names of %d letters at most", maxName)
	case r.Time.IsZero() || r.Time.Year() < 1970 || r.Time.Year() > 9999:
		return errors.New("it has no time")
	}
	return nil
}

// Batch is what came of some lines.
type Batch struct {
	Events []event.Event
	event.Rejections
}

// Decoder decodes what was noticed in one cluster.
type Decoder struct{ Cluster string }

// Read reads records, one a line.
func (d *Decoder) Read(r io.Reader) (b Batch, err error) {
	lines := bufio.NewReaderSize(r, maxLine)
	for n := 1; ; n++ {
		line, long, err := event.Line(lines, nil, maxLine)
		if line = bytes.TrimSpace(line); long || len(line) > 0 {
			outcome := parse(line, long)
			if one, read := outcome.Take(&b.Rejections, n); read {
				b.Events = append(b.Events, one.Event(d.Cluster))
			}
		}
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

func parse(line []byte, long bool) event.Outcome[Record] {
	var r Record
	if long {
		return event.Refused[Record](fmt.Errorf("longer than %d bytes", maxLine))
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return event.Refused[Record](fmt.Errorf("no record: %w", err))
	}
	if err := r.check(); err != nil {
		return event.Refused[Record](err)
	}
	return event.Read(r)
}

// All reads records and lets nothing be rejected: what a rule's test is run on.
func (d *Decoder) All(r io.Reader) ([]event.Event, error) {
	b, err := d.Read(r)
	if err == nil {
		err = b.None()
	}
	return b.Events, err
}
