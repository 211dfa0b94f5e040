package analyse

import "errors"

// Change is one change of an object of the cluster, as code. A fix is made of them.
type Change struct {
	// Object is what is changed, made or deleted: "Deployment shop/web".
	Object string `json:"object"`
	// Do is patch, apply, delete, or replace for what can only be made again.
	Do string `json:"do"`
	// YAML is the patch or the object.
	YAML string `json:"yaml,omitempty"`
	// Command does it with kubectl.
	Command string `json:"command,omitempty"`
	// Note is what to know before.
	Note string `json:"note,omitempty"`
}

// What a Change does.
const (
	Patch   = "patch"
	Apply   = "apply"
	Delete  = "delete"
	Replace = "replace"
)

// Code says how the fix of a technique is written as changes. What it says of a
// container is about the one that the technique starts from or, where it starts from
// none, the one that it ends at or rests on.
type Code struct {
	// Pod and Container are merged into what the pods are made from.
	Pod       map[string]any `yaml:"pod"`
	Container map[string]any `yaml:"container"`
	// Drop are capabilities that the container no longer has.
	Drop []string `yaml:"drop"`
	// Mounts is what the container's mounts of its node's folders no longer open.
	Mounts string `yaml:"mounts"`
	// Token takes the account's token out of the pod.
	Token bool `yaml:"token"`
	// Digest names the image by what is running.
	Digest bool `yaml:"digest"`
	// Power takes the power from who holds it.
	Power bool `yaml:"power"`
	// DenyEgress are addresses that the pod no longer connects to.
	DenyEgress []string `yaml:"denyEgress"`
	// Delete deletes what it starts from.
	Delete bool `yaml:"delete"`
	// None says why there can be no code.
	None string `yaml:"none"`
}

// check finds what cannot be meant.
func (c *Code) check() error {
	if c == nil {
		return errors.New("want code: what is changed, or in none why nothing can be")
	}
	made := c.Pod != nil || c.Container != nil || len(c.Drop) > 0 || c.Mounts != "" || c.Token || c.Digest || c.Power ||
		len(c.DenyEgress) > 0 || c.Delete
	if made == (c.None != "") {
		return errors.New("want what is changed, or in none why nothing can be")
	}
	return nil
}

// Code is how the fix of a technique is written; nil if there is no such technique.
func (r *Rules) Code(technique string) *Code {
	if t := r.byID[technique]; t != nil {
		return t.Code
	}
	return nil
}
