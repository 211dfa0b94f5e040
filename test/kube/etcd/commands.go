//go:build tools

// Package etcd pins the etcd that our tests build and run.
package etcd

import _ "go.etcd.io/etcd/server/v3"
