// Package sensor holds what puts the sensor on every node of a cluster.
package sensor

import _ "embed"

// DaemonSet is the manifest: a Namespace and a DaemonSet. Secret and ConfigMap of
// the same name are made when the cluster is connected.
//
//go:embed daemonset.yaml
var DaemonSet []byte
