// Package audit holds the audit policy that the built-in detections need.
package audit

import _ "embed"

// Policy is a Kubernetes audit policy, for --audit-policy-file.
//
//go:embed policy.yaml
var Policy []byte
