package hostpath

import (
	_ "embed" // places.yaml
	"strings"

	"github.com/breakwater-sec/breakwater/strictyaml"
)

// place is a folder or file of a node that matters to an attacker.
type place struct {
	// path begins with "~" where each user's home has one.
	path string
	// tree says that anything in the folder counts as the folder does.
	tree bool
	// way is what it opens, to who changes it or, with read, to who reads it or talks
	// to the socket that it is.
	way  string
	read bool
}

// The ways, each one technique of packs/attack.
const (
	Root           = "root"            // the whole file system
	StartUp        = "start-up"        // what the node runs by itself: services, jobs, hooks
	Programs       = "programs"        // what root runs or loads
	Logins         = "logins"          // who may log in, and as whom
	StaticPods     = "static-pods"     // what the kubelet runs without asking the API server
	KubeletConfig  = "kubelet-config"  // the kubelet's own configuration
	RuntimeConfig  = "runtime-config"  // what the container runtime runs and how
	RuntimeState   = "runtime-state"   // other containers' file systems
	CorePattern    = "core-pattern"    // the kernel's settings: the program for core dumps
	KernelObjects  = "kernel-objects"  // the kernel's objects: the program for events of devices
	RuntimeSocket  = "runtime-socket"  // the container runtime's API
	ServiceManager = "service-manager" // systemd's
	ControlPlane   = "control-plane"   // the cluster's keys and administrators' credentials
	Etcd           = "etcd"            // the cluster's data
	PodFiles       = "pod-files"       // volumes of the node's pods: tokens and Secrets
	KubeletKeys    = "kubelet-keys"    // the kubelet's credentials
	LogFiles       = "log-files"       // what the kubelet opens when it is asked for logs
	Keys           = "keys"            // private keys of the node's users
	Disk           = "disk"            // the raw device
)

//go:embed places.yaml
var placesText []byte

// places is every one we know, from what gives most and surest to what gives least.
var places = func() (out []place) {
	var ways []struct {
		Way   string
		Read  bool
		Paths []string
	}
	if _, err := strictyaml.Decode("places.yaml", placesText, &ways); err != nil {
		panic(err) // it is part of the program
	}
	for _, w := range ways {
		for _, at := range w.Paths {
			p := place{path: at, way: w.Way, read: w.Read}
			if at != "/" {
				p.path, p.tree = strings.CutSuffix(at, "/")
			}
			out = append(out, p)
		}
	}
	return out
}()
