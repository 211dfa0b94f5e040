package runtime

import "github.com/breakwater-sec/breakwater/event"

// Source is what rules name as their logsource: Sigma's own.
var Source = event.Source{Product: "linux", Category: "process_creation"}

// Index are the fields by which rules are found; each has one value at most.
var Index = []string{"process.shell", "container.privileged", "container.first"}

// Says is what an alert tells of a rule that says nothing itself.
var Says = []string{"{Image} ran as {User} on the node {node.name}: {CommandLine}", "Ancestry: {process.ancestry}"}

// Fields are all that a rule may ask of a program's start. What Sigma names has
// Sigma's name, so that rules written for other sensors load.
var Fields = []event.Field{
	{Name: "Image", Sentence: "The program's path as it was asked for; its name alone if it has no path. Of a script, the script's.",
		Example: "/bin/sh"},
	{Name: "CommandLine", Sentence: "The arguments in one line, the program first. What looks like a password or token is taken out.",
		Example: "sh -c id"},
	{Name: "User", Sentence: "root, or the number of the user on the node.", Example: "root"},
	{Name: "ProcessId", Sentence: "The process's number on the node.", Example: "4711"},
	{Name: "ParentImage", Sentence: "The parent's path. Where only its name is known, a path that ends in it.", Example: "…/nginx"},
	{Name: "ParentCommandLine", Sentence: "The parent's arguments, where they are known.", Example: "nginx: worker process"},
	{Name: "ParentProcessId", Sentence: "The parent's number on the node.", Example: "4700"},

	{Name: "node.name", Sentence: "The node.", Example: "worker-1"},
	{Name: "process.name", Sentence: "The program's name. Of a program within busybox, that one's.", Example: "sh"},
	{Name: "process.interpreter", Sentence: "What reads the script that was started.", Example: "sh"},
	{Name: "process.shell", Sentence: "The shell that the program is or, of a script, that reads it. Absent if there is none.",
		Example: "bash"},
	{Name: "process.server", Sentence: "The program that answers strangers and started this one, directly or through shells, wrappers " +
		"and scripts, in the same container or, like this one, in none: a web, application, database or mail server, or, in a container, " +
		"a runtime such as java, node or python that has run for ten seconds.", Example: "nginx"},
	{Name: "process.place", Sentence: "Where the process is, as a sentence names it.",
		Example: "in the container app (4d0e8f6a1b2c) of the pod shop/web"},
	{Name: "process.ancestor", Sentence: "Names of the parents, nearest first, as far as the sensor told. " +
		"The kernel cuts names after 15 letters.", Example: "nginx"},
	{Name: "process.ancestry", Sentence: "The program and its parents in one line.", Example: "sh ← nginx ← containerd-shim"},
	{Name: "process.entered", Sentence: "true if the process was started from outside its container and is not its first: by kubectl " +
		"exec, docker exec, a probe, or as a first process of a pod whose containers share their processes.", Example: "true"},
	{Name: "process.added", Sentence: "true if the program's file did not come with the container's image: it was written after the " +
		"start. Of a script, its reader's file.", Example: "true"},
	{Name: "process.unlinked", Sentence: "true if the program's file has no name in any folder: it was removed, or " +
		"only ever was in memory.", Example: "true"},
	{Name: "process.capability", Sentence: "Capabilities in effect.", Example: "CAP_SYS_ADMIN"},
	{Name: "process.hostNamespace", Sentence: "Namespaces that the process shares with the node's first: pid, net, " +
		"mnt, ipc, uts, user, cgroup.", Example: "net"},

	{Name: "container.id", Sentence: "The container's id: 64 hexadecimal digits, or the name a person gave it (ctr, runc). " +
		"Absent for processes of the node itself, as is every field of container and pod.", Example: "4d0e…"},
	{Name: "container.kubernetes", Sentence: "true if a kubelet made the container's control group, else false.", Example: "true"},
	{Name: "container.cgroup", Sentence: "The control group's path.", Example: "kubepods/burstable/pod0f…/4d…"},
	{Name: "container.privileged", Sentence: "true if the process holds every capability (or all but two or three, which some nodes " +
		"withhold from everything), in the node's own user namespace, or if the pod's spec says that the container is privileged.",
		Example: "true"},
	{Name: "container.first", Sentence: "true for the container's first process: its start.", Example: "true"},
	{Name: "container.starter", Sentence: "What started the container or entered it, by the ancestors' names: what runs containers, or " +
		"the tool that a person called.", Example: "docker"},
	{Name: "container.title", Sentence: "The container as a sentence names it: with its pod where that is known.",
		Example: "container app (4d0e8f6a1b2c) of the pod shop/web"},
	{Name: "container.name", Sentence: "The container's name in its pod. " +
		"This and what follows comes from the cluster, and is absent until it is known there.", Example: "app"},
	{Name: "container.image", Sentence: "The image as the pod names it.", Example: "docker.io/library/nginx:1.27"},
	{Name: "pod.namespace", Sentence: "The pod's namespace.", Example: "shop"},
	{Name: "pod.name", Sentence: "The pod.", Example: "web-5d8f7c-x2x9p"},
	{Name: "pod.workload", Sentence: "Kind and name of what controls the pod.", Example: "ReplicaSet/web-5d8f7c"},
}
