package provider

import (
	"cmp"
	"path"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
)

const azure = "azure"

var ofAzure = []description{
	{func(o object) bool {
		return strings.HasSuffix(strings.ToLower(path.Dir(o.text("id"))), "/microsoft.containerservice/managedclusters")
	}, (*reader).aks},
	{func(o object) bool {
		return strings.EqualFold(o.text("type"), "Microsoft.ManagedIdentity/userAssignedIdentities")
	},
		(*reader).managedIdentity},
	{func(o object) bool { return strings.HasPrefix(o.text("subject"), "system:serviceaccount:") }, (*reader).federated},
	{func(o object) bool { return o.has("roledefinitionname") && o.has("principalid") && o.has("scope") }, (*reader).roleAssignment},
}

// property is a field that REST nests in properties and the command line does not.
func (o object) property(keys ...string) any {
	if v := o.at(append([]string{"properties"}, keys...)...); v != nil {
		return v
	}
	return o.at(keys...)
}

func (r *reader) aks(o object) {
	is := func(keys ...string) *bool {
		if b, ok := o.property(keys...).(bool); ok {
			return &b
		}
		return nil
	}
	name := o.text("name")
	c := collect.CloudCluster{Provider: azure, Name: name, Account: o.text("id"), CloudRoles: is("aadprofile", "enableazurerbac")}
	c.Endpoint, _ = o.property("fqdn").(string)
	private := is("apiserveraccessprofile", "enableprivatecluster")
	access := cmp.Or(o.text("publicnetworkaccess"), o.text("properties", "publicnetworkaccess"))
	open := (private == nil || !*private) && !strings.EqualFold(access, "Disabled")
	c.Public, c.PrivateNodes = &open, private
	if profile, ok := o.property("apiserveraccessprofile").(object); ok {
		c.Ranges = profile.texts("authorizedipranges")
	}
	endpoint := o.property("privateendpoint") != nil || private != nil && *private
	c.PrivateEndpoint = &endpoint
	if c.CloudRoles == nil { // the provider leaves out what is off
		c.CloudRoles = not(yes())
	}
	r.cloud.Clusters = append(r.cloud.Clusters, c)
	if kubelet, ok := o.property("identityprofile", "kubeletidentity").(object); ok && kubelet.text("clientid") != "" {
		r.cloud.Machines = append(r.cloud.Machines, collect.CloudMachines{Provider: azure, Cluster: name, Identity: kubelet.text("clientid")})
	}
}

// managedIdentity remembers by which names others speak of it.
func (r *reader) managedIdentity(o object) {
	client, _ := o.property("clientid").(string)
	principal, _ := o.property("principalid").(string)
	for _, name := range []string{strings.ToLower(o.text("id")), principal} {
		if name != "" && client != "" {
			r.clients[name] = client
		}
	}
}

// federated is a federated credential, whose id begins with its identity's.
func (r *reader) federated(o object) {
	id := strings.ToLower(o.text("id"))
	identity, _, _ := strings.Cut(id, "/federatedidentitycredentials/")
	r.cloud.Roles = append(r.cloud.Roles, collect.CloudRole{Provider: azure, Identity: identity,
		Subjects: []string{strings.TrimPrefix(o.text("subject"), "system:serviceaccount:")}})
}

// azureGains are the built-in roles that give an attacker something where they are
// assigned; within is what a scope must contain.
var azureGains = []struct {
	role, within string
	gain         collect.Gain
	typ          string
}{
	{"Owner", "/microsoft.containerservice/managedclusters/", collect.Controls, "cluster"},
	{"Contributor", "/microsoft.containerservice/managedclusters/", collect.Controls, "cluster"},
	{"Azure Kubernetes Service Contributor Role", "/microsoft.containerservice/managedclusters/", collect.Controls, "cluster"},
	{"Azure Kubernetes Service Cluster Admin Role", "/microsoft.containerservice/managedclusters/", collect.Controls, "cluster"},
	{"Azure Kubernetes Service RBAC Cluster Admin", "/microsoft.containerservice/managedclusters/", collect.Controls, "cluster"},
	{"Storage Blob Data Reader", "/microsoft.storage/", collect.Reads, "Storage account"},
	{"Storage Blob Data Contributor", "/microsoft.storage/", collect.Reads, "Storage account"},
	{"Storage Blob Data Owner", "/microsoft.storage/", collect.Reads, "Storage account"},
	{"Key Vault Secrets User", "/microsoft.keyvault/", collect.Reads, "Key Vault"},
	{"Key Vault Administrator", "/microsoft.keyvault/", collect.Reads, "Key Vault"},
	{"AcrPush", "/microsoft.containerregistry/registries/", collect.Pushes, "repository"},
	{"Virtual Machine Contributor", "/microsoft.compute/", collect.Controls, "machines"},
}

func (r *reader) roleAssignment(o object) {
	role, scope, principal := o.text("roledefinitionname"), o.text("scope"), o.text("principalid")
	if (role == "Owner" || role == "Contributor") && strings.Count(scope, "/") <= 2 {
		r.grant(azure, principal, collect.Controls, "account", path.Base(scope))
		return
	}
	for _, g := range azureGains {
		if g.role == role && strings.Contains(strings.ToLower(scope), g.within) {
			resource := scope
			if g.gain == collect.Pushes {
				resource = strings.ToLower(path.Base(scope)) + ".azurecr.io/*"
			}
			r.grant(azure, principal, g.gain, g.typ, resource)
			return
		}
	}
}
