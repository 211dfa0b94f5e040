package cloud

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
)

// find finds which of the clusters that the files describe this one is: by its name,
// by its API server's address, or because they speak of no other.
func (j *Judge) find() {
	names := map[string]bool{}
	for _, c := range j.said.Clusters {
		names[c.Name] = true
	}
	for _, a := range j.said.Accesses {
		names[a.Cluster] = true
	}
	for _, a := range j.said.Associations {
		names[a.Cluster] = true
	}
	for _, m := range j.said.Machines {
		names[m.Cluster] = true
	}
	delete(names, "")
	server := strings.TrimPrefix(strings.ToLower(j.facts.Cluster.Server), "https://")
	for _, c := range j.said.Clusters {
		endpoint := strings.TrimPrefix(strings.ToLower(c.Endpoint), "https://")
		if endpoint != "" && (server == endpoint || strings.HasPrefix(server, endpoint+":")) {
			j.name = c.Name
		}
	}
	switch all := slices.Sorted(maps.Keys(names)); {
	case j.name != "":
	case names[j.facts.Cluster.Name]:
		j.name = j.facts.Cluster.Name
	case len(all) == 1:
		j.name = all[0]
	case len(all) > 1:
		j.gaps = append(j.gaps, collect.Gap{Source: "cloud", What: "the cluster in its cloud",
			Why:         fmt.Sprintf("the files speak of %s, and none is known to be %s", strings.Join(all, ", "), j.facts.Cluster.Name),
			Consequence: "Who acts as whom in the cluster is incomplete: give the cluster the name that its cloud gives it."})
	}
	for i, c := range j.said.Clusters {
		if j.name != "" && c.Name == j.name {
			j.cluster = &j.said.Clusters[i]
			j.here[Provider(c.Provider)] = true
		}
	}
}

// mine says whether something that a file says of a cluster is said of this one.
func (j *Judge) mine(cluster string) bool { return cluster == "" || cluster == j.name }

// Gaps is what of the files was not understood, or cannot be told of this cluster.
func (j *Judge) Gaps() []collect.Gap { return slices.Concat(j.said.Gaps, j.gaps) }

// Cluster is the cluster as its cloud describes it, nil if it does not.
func (j *Judge) Cluster() *collect.CloudCluster { return j.cluster }

// Access says for whom the cluster takes an identity.
type Access struct {
	Identity Identity
	collect.CloudAccess
}

// Accesses is everyone of the cloud whom the cluster takes for somebody.
func (j *Judge) Accesses() (out []Access) {
	for _, a := range j.said.Accesses {
		if j.mine(a.Cluster) {
			out = append(out, Access{Identity{Provider(a.Provider), a.Identity}, a})
		}
	}
	return out
}

// Grant says what an identity may do in its cloud.
type Grant struct {
	Identity Identity
	collect.CloudGrant
}

// Grants is what the files say that identities may do.
func (j *Judge) Grants() (out []Grant) {
	for _, g := range j.said.Grants {
		out = append(out, Grant{Identity{Provider(g.Provider), g.Identity}, g})
	}
	return out
}

// Means says whether a grant on clusters or accounts means this one.
func (j *Judge) Means(g Grant) bool {
	if j.cluster == nil || string(g.Identity.Provider) != j.cluster.Provider {
		return false
	}
	r := g.Resource
	switch g.Type {
	case "account":
		return r != "" && (r == j.cluster.Account || strings.Contains(strings.ToLower(j.cluster.Account),
			"/subscriptions/"+strings.ToLower(r)+"/"))
	case "cluster":
		return r == "*" || strings.HasSuffix(strings.ToLower(r), "/"+strings.ToLower(j.cluster.Name)) || r == j.cluster.Account ||
			strings.HasSuffix(r, ":cluster/*")
	}
	return false
}

// role is what an identity's own policy says, nil if that was not given.
func (j *Judge) role(i Identity) *collect.CloudRole {
	for n, r := range j.said.Roles {
		if r.Provider == string(i.Provider) && r.Identity == i.Name {
			return &j.said.Roles[n]
		}
	}
	return nil
}

// agrees says that an identity's own policy, where it is known, lets an account in.
func (j *Judge) agrees(t Trust) bool {
	r := j.role(t.Identity)
	return r == nil || t.How == PodIdentity && r.PodIdentity || letsIn(r, t.Account)
}

func letsIn(r *collect.CloudRole, account collect.Key) bool {
	return slices.ContainsFunc(r.Subjects, func(s string) bool {
		ok, err := path.Match(s, account.Namespace+":"+account.Name)
		return err == nil && ok
	})
}

// associations are those of EKS Pod Identity.
func (j *Judge) associations() {
	for _, a := range j.said.Associations {
		t := Trust{Account: collect.Key{Namespace: a.Namespace, Name: a.Account}, Identity: Identity{Provider(a.Provider), a.Identity},
			How: PodIdentity, Audience: podIdentity}
		if j.mine(a.Cluster) && j.agrees(t) {
			j.join(t)
		}
	}
}

// subjects joins the accounts that identities' own policies let in: an annotation is
// only a hint to the webhook, the cloud asks for none.
func (j *Judge) subjects() {
	how := map[Provider]Trust{AWS: {How: IRSA, Audience: defaultAWS}, Azure: {How: AzureWorkload, Audience: defaultAzure},
		Google: {How: GKEWorkload}}
	for i := range j.said.Roles {
		r := &j.said.Roles[i]
		if len(r.Subjects) == 0 {
			continue
		}
		for k := range j.facts.ServiceAccounts {
			if t := how[Provider(r.Provider)]; letsIn(r, k) {
				t.Account, t.Identity = k, Identity{Provider(r.Provider), r.Identity}
				j.join(t)
			}
		}
	}
}

// join adds a trust once: an annotation, an association and a policy may say the same.
func (j *Judge) join(t Trust) {
	if !slices.ContainsFunc(j.trusts[t.Account], func(o Trust) bool { return o.Identity == t.Identity && o.How == t.How }) {
		j.trusts[t.Account] = append(j.trusts[t.Account], t)
	}
}

// pools are the labels by which nodes name the pool that they are of.
var pools = map[Provider]string{AWS: "eks.amazonaws.com/nodegroup", Azure: "kubernetes.azure.com/agentpool",
	Google: "cloud.google.com/gke-nodepool"}

// machines is what the files say of a node: of its pool, or of all pools.
func (j *Judge) machines(n *collect.Node, about func(collect.CloudMachines) bool) *collect.CloudMachines {
	provider := ProviderOf(n)
	pool := n.Labels[pools[provider]]
	for i, m := range j.said.Machines {
		of := m.Pool == "" && m.Instance == "" || m.Pool != "" && m.Pool == pool || m.Instance != "" && strings.HasSuffix(n.ProviderID,
			"/"+m.Instance)
		if of && Provider(m.Provider) == provider && (m.Instance != "" || j.mine(m.Cluster)) && about(m) {
			return &j.said.Machines[i]
		}
	}
	return nil
}

// MetadataLocal says whether the metadata service of a machine answers the machine
// itself only; nil where nobody said.
func (j *Judge) MetadataLocal(n *collect.Node) *bool {
	if m := j.machines(n, func(m collect.CloudMachines) bool { return m.MetadataLocal != nil }); m != nil {
		return m.MetadataLocal
	}
	if ProviderOf(n) == AWS {
		return nil
	}
	no := false // others know no such limit
	return &no
}

// Covers says whether what a grant calls a repository of images is that of a name:
// host and path with a pattern at its end, or an ARN of ECR.
func Covers(resource, name string) bool {
	if arn := strings.SplitN(resource, ":", 6); len(arn) == 6 {
		host := arn[4] + ".dkr.ecr." + arn[3] + ".amazonaws.com/"
		resource = host + strings.TrimPrefix(arn[5], "repository/")
	}
	begin, open := strings.CutSuffix(resource, "*")
	return resource == name || open && strings.HasPrefix(name, begin) && (begin != "" || strings.Contains(name, ".dkr.ecr."))
}

// TagMoves says whether another image can take the place of the one that a container
// names: not of a digest; of a tag, as the registry's provider says; nil where it does not.
func (j *Judge) TagMoves(image string) *bool {
	no := false
	if strings.Contains(image, "@") {
		return &no
	}
	if i := strings.LastIndex(image, ":"); i > strings.LastIndex(image, "/") {
		image = image[:i]
	}
	for _, r := range j.said.Repositories {
		if r.MutableTags != nil && (image == r.Name || strings.HasPrefix(image, r.Name+"/")) {
			return r.MutableTags
		}
	}
	return nil
}
