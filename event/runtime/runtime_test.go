package runtime

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/event"
)

const box = "4d0e8f6a1b2c4d0e8f6a1b2c4d0e8f6a1b2c4d0e8f6a1b2c4d0e8f6a1b2c4d0e"

// exec is a record of a program's start in a container; more changes it.
func exec(more func(*Record)) *Record {
	r := &Record{Version: 1, Kind: Exec, Node: "worker-1", Boot: "b1", Sequence: 7, Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Process: &Process{PID: 40, InnerPID: 9, Name: "sh", Path: "/bin/sh", Arguments: []string{"sh", "-c", "id"},
			HostNamespaces: []string{"user"}},
		Container: &Container{ID: box, Kubernetes: true, PodUID: "u1"}}
	if more != nil {
		more(r)
	}
	return r
}

func decode(t *testing.T, d *Decoder, records ...*Record) *Batch {
	t.Helper()
	var in bytes.Buffer
	for _, r := range records {
		if err := json.NewEncoder(&in).Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	var out *Batch
	var clean bytes.Buffer
	for line := range bytes.Lines(in.Bytes()) {
		clean.Write(append(Clean(line), '\n'))
	}
	if err := d.Read(&in, func(b *Batch) error { out = b; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := d.Read(&clean, func(b *Batch) error {
		if toldOf(b) != toldOf(out) {
			t.Errorf("cleaned, records tell\n%s\nwant\n%s", toldOf(b), toldOf(out))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// toldOf is all that comes of records but their identity.
func toldOf(b *Batch) string {
	var out strings.Builder
	for _, e := range b.Events {
		fields, _ := json.Marshal(e.Fields)
		fmt.Fprintf(&out, "%s %s %v %s\n", e.Time, fields, e.Entities, e.Evidence())
	}
	fmt.Fprint(&out, b.Ended, b.Lost, b.Came, b.Foreign, b.Elsewhere, b.Rejections)
	return out.String()
}

// below puts names above a process; those with a star are on the node itself.
func below(names ...string) func(*Record) {
	return func(r *Record) {
		for _, n := range names {
			a := Process{Name: strings.TrimSuffix(n, "*"), StartedAt: r.Time.Add(-time.Hour)}
			if n == a.Name {
				a.Container = box
			}
			r.Ancestors = append(r.Ancestors, a)
		}
	}
}

func TestFactsOfAProgramsStart(t *testing.T) {
	run := func(path string, arguments ...string) func(*Record) {
		return func(r *Record) { r.Process.Path, r.Process.Name, r.Process.Arguments = path, "x", arguments }
	}
	all := func(r *Record) { r.Process.All = true }
	tests := []struct {
		name   string
		record *Record
		want   string
	}{
		{"a shell below a server", exec(below("nginx", "nginx", "containerd-shim*", "systemd*")),
			"process.shell=sh process.server=nginx process.ancestry=sh ← nginx ← nginx ← containerd-shim ← systemd ParentImage=…/nginx " +
				"-container.first -process.entered container.starter=containerd-shim"},
		{"shells and wrappers between do not hide the server", exec(below("bash", "timeout", "php-fpm8.2", "runc*")),
			"process.server=php-fpm8.2"},
		{"another program between does", exec(below("backup", "nginx")), "-process.server"},
		{"a server outside of the container is none of it", exec(below("runc*", "nginx*")),
			"-process.server process.entered=true container.starter=runc"},
		{"what is unknown counts as inside", exec(func(r *Record) { below("nginx")(r); r.Ancestors[0].Container = unknown }),
			"process.server=nginx"},
		{"python that has just started is no server",
			exec(func(r *Record) { below("python3")(r); r.Ancestors[0].StartedAt = r.Time.Add(-time.Second) }), "-process.server"},
		{"one that forks for each request is",
			exec(func(r *Record) { below("python3", "python3")(r); r.Ancestors[0].StartedAt = r.Time }), "process.server=python3"},
		{"sshd gives shells", exec(below("sshd")), "-process.server"},
		{"busybox by its link", exec(run("/bin/busybox", "ash", "-c", "id")), "process.shell=ash process.name=ash"},
		{"busybox by its argument", exec(run("/bin/busybox", "busybox", "sh")), "process.shell=sh"},
		{"busybox calling itself", exec(run("/proc/self/exe", "sh", "-c", "id")), "process.shell=sh"},
		{"busybox as something else", exec(run("/bin/busybox", "wget", "x")), "process.name=wget -process.shell"},
		{"a login shell", exec(run("/bin/bash", "-bash")), "process.shell=bash"},
		{"a script", exec(run("/app/run.cgi", "/bin/sh", "run.cgi")),
			"process.name=run.cgi process.interpreter=sh process.shell=sh Image=/app/run.cgi"},
		{"a script of python", exec(run("/app/x", "/usr/bin/python3", "/app/x")), "process.interpreter=python3 -process.shell"},
		{"no path", exec(func(r *Record) { r.Process.Path = "" }), "Image=sh process.shell=sh"},
		{"no arguments", exec(func(r *Record) { r.Process.Arguments = nil }), "process.shell=sh -CommandLine"},
		{"every capability", exec(all), "container.privileged=true"},
		{"every capability of a user namespace", exec(func(r *Record) { all(r); r.Process.HostNamespaces = nil }), "-container.privileged"},
		{"all but two, as some nodes give", exec(func(r *Record) { r.Process.Capabilities = make([]string, 39) }), "container.privileged=true"},
		{"a few", exec(func(r *Record) { r.Process.Capabilities = []string{"CAP_SYS_ADMIN"} }),
			"-container.privileged process.capability=CAP_SYS_ADMIN"},
		{"the first of a container", exec(func(r *Record) { r.Process.InnerPID = 1; below("runc*")(r) }),
			"container.first=true -process.entered"},
		{"the first of one that sees the node's processes",
			exec(func(r *Record) { r.Process.HostNamespaces = []string{"pid"}; below("containerd-shim*")(r) }),
			"container.first=true -process.entered"},
		{"what sets a container up is not in it yet", exec(func(r *Record) {
			all(r)
			r.Process.Path, r.Process.Arguments, r.Process.HostNamespaces = "/proc/self/exe", []string{"runc", "init"}, []string{"user", "mnt"}
			below("runc*")(r)
		}), "-container.privileged -process.entered -container.first"},
		{"a user who calls himself so inside is", exec(func(r *Record) {
			all(r)
			r.Process.Path, r.Process.Arguments, r.Process.HostNamespaces = "/proc/self/exe", []string{"runc", "init"}, []string{"user", "mnt"}
			below("sh")(r)
		}), "container.privileged=true"},
		{"a process of the node", exec(func(r *Record) { all(r); r.Container = nil; below("nginx*")(r) }),
			"-container.id -container.privileged process.server=nginx process.place=outside of containers process.shell=sh"},
		{"python tends many a node", exec(func(r *Record) { r.Container = nil; below("python3*")(r) }), "-process.server"},
		{"root and others", exec(func(r *Record) { r.Process.UID = 1000 }), "User=1000"},
		{"a file that was written later", exec(func(r *Record) { r.Process.Added, r.Process.Unlinked = true, true }),
			"process.added=true process.unlinked=true"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := decode(t, &Decoder{Cluster: "prod"}, test.record)
			if len(b.Events) != 1 {
				t.Fatalf("%+v", b)
			}
			has(t, b.Events[0].Fields, test.want)
		})
	}
}

// has checks words such as name=value, which may hold spaces, and -name.
func has(t *testing.T, fields event.Fields, want string) {
	t.Helper()
	var items []string
	for _, w := range strings.Fields(want) {
		if name, _, _ := strings.Cut(strings.TrimPrefix(w, "-"), "="); known(name) {
			items = append(items, w)
		} else {
			items[len(items)-1] += " " + w
		}
	}
	for _, item := range items {
		name, value, _ := strings.Cut(strings.TrimPrefix(item, "-"), "=")
		if got := strings.Join(fields[name], ","); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
}

func known(name string) bool {
	for _, f := range Fields {
		if f.Name == name {
			return true
		}
	}
	return false
}

func TestAnAlertNamesThePodWhereTheClusterKnowsIt(t *testing.T) {
	d := &Decoder{Cluster: "prod", Place: func(c *Container) (Place, bool) {
		if c.PodUID != "u1" {
			return Place{}, false
		}
		return Place{Namespace: "shop", Pod: "web-1", Workload: "ReplicaSet/web", PodID: "prod/shop/Pod/web-1", Container: "app",
			ContainerID: "prod/shop/Pod/web-1/app", Image: "nginx:1", ImageID: "sha256:1", Privileged: true}, true
	}}
	b := decode(t, d, exec(nil), exec(func(r *Record) { r.Container.PodUID = "u2" }))
	has(t, b.Events[0].Fields, "pod.namespace=shop pod.name=web-1 container.name=app container.image=nginx:1 container.privileged=true "+
		"container.title=container app (4d0e8f6a1b2c) of the pod shop/web-1")
	has(t, b.Events[1].Fields, "-pod.name -container.privileged container.title=container 4d0e8f6a1b2c")
	if got := fmt.Sprint(b.Events[0].Entities); got != "[{actor Process  sh  /bin/sh as root} {target Pod shop web-1 "+
		"prod/shop/Pod/web-1 } {related Container shop app prod/shop/Pod/web-1/app "+box+
		"} {related Image  nginx:1 sha256:1 } {place Node  worker-1 prod/Node/worker-1 }]" {
		t.Error(got)
	}
	if got := fmt.Sprint(b.Events[1].Entities[1]); got != "{target Container  4d0e8f6a1b2c  "+box+"}" {
		t.Error(got)
	}
}

func TestEveryRecordIsCountedOnce(t *testing.T) {
	good := exec(nil)
	text := func(r *Record) string { b, _ := json.Marshal(r); return string(b) }
	lines := []string{
		text(good), text(&Record{Version: 1, Kind: Exit, Node: "n", Boot: "b", Sequence: 8, Time: good.Time, Process: good.Process,
			Exit: &ExitCode{Code: 1}}),
		text(&Record{Version: 1, Kind: Lost, Node: "n", Boot: "b", Sequence: 9, Time: good.Time, Lost: 5, Why: "ring buffer full"}), "",
		"{", `[]`, `{"version":1}`, "null", strings.Repeat("[", 100_000), text(exec(func(r *Record) { r.Version = 2 })),
		text(exec(func(r *Record) { r.Kind = "boom" })),
		text(exec(func(r *Record) { r.Sequence = 0 })), text(exec(func(r *Record) { r.Node = "" })),
		text(exec(func(r *Record) { r.Time = time.Time{} })),
		text(exec(func(r *Record) { r.Process = nil })), text(exec(func(r *Record) { r.Container.ID = "../x" })),
		text(exec(func(r *Record) { r.Ancestors = make([]Process, 65) })),
		text(exec(func(r *Record) { r.Process.Arguments = make([]string, 5000) })),
		text(exec(func(r *Record) { r.Process.Arguments = []string{strings.Repeat("a", MaxRecord)} })),
	}
	var b Batch
	d := Decoder{Cluster: "prod"}
	if err := d.Read(strings.NewReader(strings.Join(lines, "\n")), func(part *Batch) error { b = *part; return nil }); err != nil {
		t.Fatal(err)
	}
	if len(b.Events) != 1 || b.Ended != 1 || b.Lost["ring buffer full"] != 5 || len(b.Rejected) != 15 || b.Count() != 18 {
		t.Errorf("%d events, %d ended, lost %v, %d rejected, %d in all: %v", len(b.Events), b.Ended, b.Lost, len(b.Rejected), b.Count(),
			b.Rejected)
	}
	if got := b.Came[Run{"n", "b"}]; fmt.Sprint(got) != "[8 9]" {
		t.Errorf("came %v", got)
	}
	if b.Rejected[0].Position != 5 {
		t.Errorf("%+v", b.Rejected[0])
	}
}

func TestAFloodIsHandedOnInParts(t *testing.T) {
	one, _ := json.Marshal(exec(nil))
	in := bytes.Repeat(append(one, '\n'), 2000)
	in = append(in, bytes.Repeat([]byte("{\n"), 2000)...)
	most, all, dropped := 0, 0, 0
	d := Decoder{Cluster: "prod"}
	if err := d.Read(bytes.NewReader(in), func(b *Batch) error {
		most, all, dropped = max(most, len(b.Events)+len(b.Rejected)), all+b.Count(), dropped+b.Dropped
		return nil
	}); err != nil || all != 4000 || most > batchSize || dropped == 0 {
		t.Errorf("%v: %d in all, at most %d at once, %d not listed", err, all, most, dropped)
	}
}

func FuzzDecodeTakesAnyBytes(f *testing.F) {
	good, _ := json.Marshal(exec(below("nginx", "runc*")))
	f.Add(good)
	f.Add([]byte(`{"version":1,"kind":"exec","node":"n","sequence":1,"time":"2026-01-01T00:00:00Z",
		"process":{"name":"","arguments":["","init"]},"container":{"id":""}}`))
	files, _ := filepath.Glob("../../packs/detect/runtime/testdata/*.jsonl")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	d := Decoder{Cluster: "c", Place: func(*Container) (Place, bool) { return Place{Pod: "p"}, true }}
	f.Fuzz(func(t *testing.T, text []byte) {
		lines := 0
		for line := range bytes.Lines(text) {
			if len(bytes.TrimSpace(line)) > 0 {
				lines++
			}
		}
		counted := 0
		if err := d.Read(bytes.NewReader(text), func(b *Batch) error {
			counted += b.Count()
			for i := range b.Events {
				if e := &b.Events[i]; !json.Valid(e.Evidence()) || e.ID == "" || len(e.Entities) < 2 {
					t.Errorf("%+v", e)
				}
			}
			return nil
		}); err != nil || counted != lines {
			t.Errorf("%v: %d lines, %d counted", err, lines, counted)
		}
		if clean := Clean(text); !json.Valid(clean) {
			t.Errorf("cleaned it is no JSON: %q", clean)
		}
	})
}
