package registries

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/image"
)

// Push is what a registry tells of one tag: that it may stand for something else than before. It is a
// hint and no more: what the tag stands for, the registry is asked.
type Push struct {
	// Host is the registry, where the notification names it as image references do; else empty.
	Host       string
	Repository string
	// Tag is empty where only the repository is named.
	Tag string
}

// Notification is what a registry tells of pushes.
type Notification struct {
	Form   string // whose form it has
	Pushes []Push
	// Odd counts names in it that no repository and no tag may have, and what is beyond maxPushes.
	Odd int
}

const (
	// MaxNotification is how much of a notification is read, in bytes.
	MaxNotification = 256 << 10
	// maxPushes is how many tags one may name, and maxBatch how many notifications may come as one.
	maxPushes = 500
	maxBatch  = 100
)

// ErrNotification says that a body is no notification of a form that is known.
var ErrNotification = errors.New("notification of a registry")

// fields are the members of an object, each as it is written.
type fields map[string]json.RawMessage

// form is one way to tell of pushes: it is known by its members, and by nothing that who sends it says beside.
type form struct {
	name string
	has  []string
	read func(*Notification, fields)
}

// forms are tried in this order: one that names more members stands before one that has some of them.
var forms = []form{
	{"distribution", []string{"events"}, readDistribution},
	{"Azure", []string{"action", "target"}, func(n *Notification, f fields) { n.event(asEvent(f)) }},
	{"CloudEvents", []string{"specversion", "type", "data"}, readCloudEvent},
	{"Harbor", []string{"type", "event_data"}, readHarbor},
	{"EventBridge", []string{"detail-type", "detail"}, readEventBridge},
	{"GitHub", []string{"registry_package"}, func(n *Notification, f fields) { n.gitHub(f["registry_package"]) }},
	{"GitHub", []string{"action", "package"}, func(n *Notification, f fields) { n.gitHub(f["package"]) }},
	{"Docker Hub", []string{"push_data", "repository"}, readDockerHub},
	{"Quay", []string{"docker_url", "repository"}, readQuay},
	{"Artifactory", []string{"domain", "event_type", "data"}, readArtifactory},
	{"Pub/Sub", []string{"message", "subscription"}, readPubSub},
	{"generic", []string{"image"}, readGeneric},
}

// ReadNotification reads a notification of at most MaxNotification bytes, or several of them in a list. What
// it tells of, and is no push of an image, is left out.
func ReadNotification(body []byte) (Notification, error) {
	if len(body) > MaxNotification {
		return Notification{}, fmt.Errorf("%w: want at most %d bytes, have %d", ErrNotification, MaxNotification, len(body))
	}
	batch := []json.RawMessage{body}
	if text := strings.TrimLeft(string(body), " \t\r\n"); strings.HasPrefix(text, "[") {
		if err := json.Unmarshal(body, &batch); err != nil {
			return Notification{}, fmt.Errorf("%w: want a list of objects: %w", ErrNotification, err)
		}
		if len(batch) > maxBatch {
			return Notification{}, fmt.Errorf("%w: want at most %d in a list, have %d", ErrNotification, maxBatch, len(batch))
		}
	}
	var n Notification
	for _, one := range batch {
		if err := n.read(one); err != nil {
			return Notification{}, err
		}
	}
	return n, nil
}

func (n *Notification) read(body []byte) error {
	var f fields
	if err := json.Unmarshal(body, &f); err != nil || f == nil {
		return fmt.Errorf("%w: want an object in JSON: %w", ErrNotification, err)
	}
	for _, form := range forms {
		if !slices.ContainsFunc(form.has, func(name string) bool { return f[name] == nil }) {
			n.Form = form.name
			form.read(n, f)
			return nil
		}
	}
	var names []string
	for _, form := range forms {
		if !slices.Contains(names, form.name) {
			names = append(names, form.name)
		}
	}
	return fmt.Errorf(`%w: its form is none of %s; the generic one is {"image": "HOST/REPOSITORY:TAG"}`, ErrNotification,
		strings.Join(names, ", "))
}

// add takes a push, if its names are such as registries have.
func (n *Notification) add(p Push) {
	if !image.ValidRepository(p.Repository) || p.Tag != "" && !image.ValidTag(p.Tag) {
		n.Odd++
		return
	}
	if slices.Contains(n.Pushes, p) {
		return
	}
	if len(n.Pushes) == maxPushes {
		n.Odd++
		return
	}
	n.Pushes = append(n.Pushes, p)
}

// decoded is a member as a value; what is of another type is as if it were not there.
func decoded[T any](raw json.RawMessage) (v T) {
	var read T
	if err := json.Unmarshal(raw, &read); err != nil {
		return v
	}
	return read
}

// event is one of those of the distribution project's registry, whose form Azure's has too.
type event struct {
	Action string `json:"action"`
	Target struct {
		Repository string `json:"repository"`
		Tag        string `json:"tag"`
	} `json:"target"`
}

// asEvent is an event whose members were read one by one.
func asEvent(f fields) (e event) {
	e.Action = decoded[string](f["action"])
	_ = json.Unmarshal(f["target"], &e.Target) // of another type: it names nothing
	return e
}

// event takes pushes and deletions of tags. Layers are pushed without one, and so are the builds of an index, whose own
// push follows.
func (n *Notification) event(e event) {
	if (e.Action == "push" || e.Action == "delete") && e.Target.Tag != "" {
		n.add(Push{Repository: e.Target.Repository, Tag: e.Target.Tag})
	}
}

func readDistribution(n *Notification, f fields) {
	for _, raw := range decoded[[]json.RawMessage](f["events"]) {
		n.event(decoded[event](raw))
	}
}

// readCloudEvent reads what Azure's Event Grid and Harbor send so.
func readCloudEvent(n *Notification, f fields) {
	switch kind := decoded[string](f["type"]); {
	case strings.HasPrefix(kind, "Microsoft.ContainerRegistry.Image"):
		n.event(decoded[event](f["data"]))
	case kind == "harbor.artifact.pushed", kind == "harbor.artifact.deleted":
		n.harbor(f["data"])
	}
}

func readHarbor(n *Notification, f fields) {
	switch decoded[string](f["type"]) {
	case "PUSH_ARTIFACT", "DELETE_ARTIFACT", "pushImage", "deleteImage":
		n.harbor(f["event_data"])
	}
}

func (n *Notification) harbor(data json.RawMessage) {
	d := decoded[struct {
		Resources []struct {
			Tag string `json:"tag"`
		} `json:"resources"`
		Repository struct {
			FullName string `json:"repo_full_name"`
		} `json:"repository"`
	}](data)
	for _, r := range d.Resources {
		if r.Tag != "" && !strings.HasPrefix(r.Tag, "sha256:") { // of an untagged one, its digest stands there
			n.add(Push{Repository: d.Repository.FullName, Tag: r.Tag})
		}
	}
}

// readEventBridge reads what Amazon's registry tells.
func readEventBridge(n *Notification, f fields) {
	d := decoded[struct {
		Action     string `json:"action-type"`
		Result     string `json:"result"`
		Repository string `json:"repository-name"`
		Tag        string `json:"image-tag"`
	}](f["detail"])
	if decoded[string](f["detail-type"]) == "ECR Image Action" && d.Result == "SUCCESS" && d.Tag != "" &&
		(d.Action == "PUSH" || d.Action == "DELETE") {
		n.add(Push{Repository: d.Repository, Tag: d.Tag})
	}
}

func (n *Notification) gitHub(raw json.RawMessage) {
	p := decoded[struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
		Type      string `json:"package_type"`
		Version   struct {
			Container struct {
				Tag struct {
					Name string `json:"name"`
				} `json:"tag"`
			} `json:"container_metadata"`
		} `json:"package_version"`
	}](raw)
	if tag := p.Version.Container.Tag.Name; strings.EqualFold(p.Type, "container") && tag != "" {
		n.add(Push{Repository: strings.ToLower(p.Namespace + "/" + p.Name), Tag: tag})
	}
}

func readDockerHub(n *Notification, f fields) {
	pushed := decoded[struct {
		Tag string `json:"tag"`
	}](f["push_data"])
	of := decoded[struct {
		Name string `json:"repo_name"`
	}](f["repository"])
	if pushed.Tag != "" {
		n.add(Push{Repository: of.Name, Tag: pushed.Tag})
	}
}

func readQuay(n *Notification, f fields) {
	repository := decoded[string](f["repository"])
	for _, tag := range decoded[[]string](f["updated_tags"]) {
		n.add(Push{Repository: repository, Tag: tag})
	}
}

// readArtifactory takes both names that an image may have there: with its repository as a part of the path, and as a
// part of the host's name.
func readArtifactory(n *Notification, f fields) {
	d := decoded[struct {
		Key  string `json:"repo_key"`
		Name string `json:"image_name"`
		Tag  string `json:"tag"`
	}](f["data"])
	if decoded[string](f["domain"]) != "docker" || d.Tag == "" {
		return
	}
	switch decoded[string](f["event_type"]) {
	case "pushed", "deleted", "promoted":
		n.add(Push{Repository: d.Name, Tag: d.Tag})
		if d.Key != "" {
			n.add(Push{Repository: d.Key + "/" + d.Name, Tag: d.Tag})
		}
	}
}

// readPubSub reads what Google's registry publishes, as its Pub/Sub hands it on.
func readPubSub(n *Notification, f fields) {
	m := decoded[struct {
		Data []byte `json:"data"`
	}](f["message"])
	inner := decoded[struct {
		Action string `json:"action"`
		Tag    string `json:"tag"`
	}](m.Data)
	if (inner.Action == "INSERT" || inner.Action == "DELETE") && inner.Tag != "" {
		n.image(inner.Tag)
	}
}

func readGeneric(n *Notification, f fields) { n.image(decoded[string](f["image"])) }

// image takes a reference with its host. One with a digest alone tells of the repository.
func (n *Notification) image(text string) {
	ref, err := image.ParseReference(text)
	if err != nil {
		n.Odd++
		return
	}
	n.add(Push{Host: ref.Registry(), Repository: ref.Repository(), Tag: ref.Tag()})
}
