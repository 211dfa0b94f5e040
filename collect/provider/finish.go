package provider

import (
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
)

// finish joins what several files say of one thing: policies that identities attach,
// and the names by which an identity of Azure is spoken of.
func (r *reader) finish() {
	managed := map[string][]object{}
	for _, p := range r.policies {
		if p.managed != "" {
			managed[p.managed] = append(managed[p.managed], p.documents...)
		}
	}
	r.name = "IAM policies"
	for _, p := range r.policies {
		if p.identity != "" {
			r.grantsOf(p, managed)
		}
	}
	for i, g := range r.cloud.Grants {
		if client := r.clients[g.Identity]; client != "" {
			r.cloud.Grants[i].Identity = client
		}
	}
	for i, role := range r.cloud.Roles {
		if client := r.clients[strings.ToLower(role.Identity)]; client != "" {
			r.cloud.Roles[i].Identity = client
		}
	}
	r.cloud.Roles = byIdentity(r.cloud.Roles)
}

// byIdentity gathers the subjects of one identity, which Azure writes one at a time.
func byIdentity(all []collect.CloudRole) (out []collect.CloudRole) {
	at := map[string]int{}
	for _, role := range all {
		i, known := at[role.Provider+role.Identity]
		if !known {
			at[role.Provider+role.Identity] = len(out)
			out = append(out, role)
			continue
		}
		out[i].Subjects = append(out[i].Subjects, role.Subjects...)
	}
	return out
}
