package provider

import (
	"fmt"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
)

const google = "gcp"

var ofGoogle = []description{
	{func(o object) bool {
		return strings.Contains(o.text("selflink"), "container.googleapis.com") && o.has("nodepools")
	}, (*reader).gke},
	{func(o object) bool { return o.has("resource") && o.at("policy", "bindings") != nil }, (*reader).iamPolicy},
	{func(o object) bool { return o.has("bindings") && o.has("etag") }, (*reader).namelessPolicy},
	{func(o object) bool { return o.has("format") && (o.has("vulnerabilityscanningconfig") || o.has("mode")) }, (*reader).artifacts},
}

func (r *reader) gke(o object) {
	name := o.text("name")
	c := collect.CloudCluster{Provider: google, Name: name, Account: projectOf(o.text("selflink")), Endpoint: o.text("endpoint"),
		Public: not(o.flag("privateclusterconfig", "enableprivateendpoint")), PrivateNodes: o.flag("privateclusterconfig", "enableprivatenodes")}
	if c.Public == nil {
		c.Public = yes() // the provider leaves out what is off
	}
	if c.PrivateNodes == nil {
		c.PrivateNodes = not(yes())
	}
	c.PrivateEndpoint = c.PrivateNodes
	for _, block := range o.objects("masterauthorizednetworksconfig", "cidrblocks") {
		c.Ranges = append(c.Ranges, block.text("cidrblock"))
	}
	r.cloud.Clusters = append(r.cloud.Clusters, c)
	for _, pool := range o.objects("nodepools") {
		if account := pool.text("config", "serviceaccount"); account != "" && account != "default" {
			r.cloud.Machines = append(r.cloud.Machines,
				collect.CloudMachines{Provider: google, Cluster: name, Pool: pool.text("name"), Identity: account})
		}
	}
}

// projectOf is the project in a resource's name.
func projectOf(name string) string {
	_, rest, _ := strings.Cut(name, "projects/")
	project, _, _ := strings.Cut(rest, "/")
	return project
}

// googleGains are the roles that give an attacker something on resources of a service.
var googleGains = []struct {
	role, service string
	gain          collect.Gain
	typ           string
}{
	{"roles/owner", "//cloudresourcemanager.googleapis.com/projects/", collect.Controls, "account"},
	{"roles/editor", "//cloudresourcemanager.googleapis.com/projects/", collect.Controls, "account"},
	{"roles/container.admin", "//cloudresourcemanager.googleapis.com/projects/", collect.Controls, "cluster"},
	{"roles/compute.admin", "//cloudresourcemanager.googleapis.com/projects/", collect.Controls, "machines"},
	{"roles/storage.objectviewer", "//storage.googleapis.com/", collect.Reads, "Storage bucket"},
	{"roles/storage.objectadmin", "//storage.googleapis.com/", collect.Reads, "Storage bucket"},
	{"roles/storage.admin", "//storage.googleapis.com/", collect.Reads, "Storage bucket"},
	{"roles/secretmanager.secretaccessor", "//secretmanager.googleapis.com/", collect.Reads, "Secret Manager secret"},
	{"roles/artifactregistry.writer", "//artifactregistry.googleapis.com/", collect.Pushes, "repository"},
	{"roles/artifactregistry.admin", "//artifactregistry.googleapis.com/", collect.Pushes, "repository"},
}

const googleAccounts = "//iam.googleapis.com/projects/"

// iamPolicy is one of an export of all policies, which names its resource.
func (r *reader) iamPolicy(o object) {
	resource := o.text("resource")
	account, ofAccount := "", strings.HasPrefix(resource, googleAccounts) && strings.Contains(resource, "/serviceAccounts/")
	if ofAccount {
		account = resource[strings.LastIndex(resource, "/")+1:]
		r.cloud.Roles = append(r.cloud.Roles, collect.CloudRole{Provider: google, Identity: account})
	}
	for _, b := range o.objects("policy", "bindings") {
		if b.has("condition") {
			r.gap(fmt.Sprintf("a binding of %s has a condition", b.text("role")), "What it allows is not shown.")
			continue
		}
		for _, member := range b.texts("members") {
			if ofAccount {
				r.googleAccount(b.text("role"), member)
			} else {
				r.googleBinding(resource, b.text("role"), member)
			}
		}
	}
}

// googleAccount notes who may act as a service account: those of a cluster's pods are
// written project.svc.id.goog[namespace/name].
func (r *reader) googleAccount(role, member string) {
	_, inside, ofPool := strings.Cut(member, ".svc.id.goog[")
	if role == "roles/iam.workloadIdentityUser" && ofPool {
		last := &r.cloud.Roles[len(r.cloud.Roles)-1]
		last.Subjects = append(last.Subjects, strings.Replace(strings.TrimSuffix(inside, "]"), "/", ":", 1))
	}
}

func (r *reader) googleBinding(resource, role, member string) {
	_, identity, named := strings.Cut(member, ":")
	if !named {
		identity = member
	}
	for _, g := range googleGains {
		if !strings.EqualFold(g.role, role) || !strings.HasPrefix(resource, g.service) {
			continue
		}
		what := resource[strings.LastIndex(resource, "/")+1:]
		if p := strings.Split(resource, "/"); g.gain == collect.Pushes && len(p) >= 8 {
			// //artifactregistry.googleapis.com/projects/P/locations/L/repositories/R
			what = fmt.Sprintf("%s-docker.pkg.dev/%s/%s/*", p[len(p)-3], p[len(p)-5], p[len(p)-1])
		}
		r.grant(google, identity, g.gain, g.typ, what)
	}
}

func (r *reader) namelessPolicy(object) {
	r.gap("an IAM policy does not name its resource", "What it allows is not shown; gcloud asset search-all-iam-policies names it.")
}

func (r *reader) artifacts(o object) {
	repository := collect.CloudRepository{Provider: google, Name: o.text("name"), ScanOnPush: o.flag("vulnerabilityscanningconfig",
		"enablevulnerabilityscanning"), MutableTags: not(o.flag("dockerconfig", "immutabletags"))}
	switch o.text("vulnerabilityscanningconfig", "enablementstate") {
	case "SCANNING_ACTIVE", "ENABLED":
		repository.ScanOnPush = yes()
	case "SCANNING_DISABLED", "DISABLED":
		repository.ScanOnPush = not(yes())
	}
	// projects/P/locations/L/repositories/R
	if p := strings.Split(repository.Name, "/"); len(p) == 6 {
		repository.Name = fmt.Sprintf("%s-docker.pkg.dev/%s/%s", p[3], p[1], p[5])
	}
	r.cloud.Repositories = append(r.cloud.Repositories, repository)
}
