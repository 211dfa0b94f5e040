package audit

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/event"
)

// entry is a stream into a pod: through the pod's own subresource, or through the
// API server to the kubelet, which asks nobody again.
type entry struct{ action, namespace, pod, container string }

// actions of a kubelet's own interface, by the subresource that does the same.
var actions = map[string]string{"exec": "exec", "run": "exec", "cri": "exec", "attach": "attach", "portForward": "portforward",
	"containerLogs": "log"}

// entry is the stream that was asked for; its action is empty if there is none.
func (r *record) entry() entry {
	switch r.ref.subresource {
	case "exec", "attach", "portforward", "log":
		return entry{action: r.ref.subresource, namespace: r.ref.namespace, pod: r.ref.name}
	case "proxy":
		if r.ref.resource == "nodes" {
			return kubelet(r.uri)
		}
	}
	return entry{}
}

// kubelet reads what is asked of one: run, exec, attach and portForward name a
// namespace and a pod, then perhaps the pod's uid, then the container. The way there
// is read as the API server does, which decodes before it looks for words.
func kubelet(uri string) entry {
	whole, _, _ := strings.Cut(uri, "?")
	whole, err := url.PathUnescape(whole)
	if err != nil {
		return entry{}
	}
	way := strings.Split(strings.Trim(whole, "/"), "/")
	at := slices.Index(way, "nodes")
	if at < 0 || len(way) < at+4 || way[at+2] != "proxy" {
		return entry{}
	}
	parts := strings.Split(strings.TrimPrefix(path.Clean("/"+strings.Join(way[at+3:], "/")), "/"), "/")
	e := entry{action: actions[parts[0]]}
	if e.action == "" || parts[0] == "cri" || len(parts) < 3 {
		return e // a cri stream is named by a token alone
	}
	e.namespace, e.pod = parts[1], parts[2]
	if e.action != "portforward" && len(parts) > 3 {
		e.container = parts[len(parts)-1]
	}
	return e
}

// proxied is the name of what is proxied to: a scheme may stand before it and a port behind.
func proxied(name string) string {
	switch parts := strings.Split(name, ":"); len(parts) {
	case 2:
		return parts[0]
	case 3:
		return parts[1]
	}
	return name
}

// entered tells which stream into which pod was asked for, and what was to run.
func (b *builder) entered(r *record) {
	e := r.entry()
	if e.action == "" {
		return
	}
	b.set("exec.action", e.action)
	if e.pod != "" {
		b.set("exec.pod", e.namespace+"/"+e.pod)
	}
	if r.ref.resource == "nodes" { // the pod is what is entered, the node the way
		b.set("exec.node", proxied(r.ref.name))
		b.entity(event.Target, "Pod", e.namespace, e.pod, "")
	}
	q, err := url.ParseQuery(query(r.uri))
	if err != nil {
		return
	}
	command := append(q["command"], q["cmd"]...) // the kubelet's run has its own word
	if len(command) == 0 {                       // older clients and servers put it into the body
		command = r.command()
	}
	b.set("exec.command", strings.Join(commandLine(command, nil), " "))
	if e.container == "" {
		e.container = q.Get("container")
	}
	b.set("exec.container", e.container)
}
