package provider

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/breakwater-sec/breakwater/collect"
)

const aws = "aws"

var ofAWS = []description{
	{func(o object) bool { return o.has("resourcesvpcconfig") }, (*reader).eks},
	{func(o object) bool { return o.has("associatedaccesspolicies") }, (*reader).accessPolicies},
	{func(o object) bool { return o.has("principalarn") }, (*reader).accessEntry},
	{func(o object) bool { return o.has("maproles") || o.has("mapusers") || o.has("mapaccounts") }, (*reader).awsAuth},
	{func(o object) bool { return o.has("serviceaccount") && o.has("namespace") && o.has("rolearn") }, (*reader).podIdentity},
	{func(o object) bool { return o.has("nodegroupname") && o.has("noderole") }, (*reader).nodegroup},
	{func(o object) bool { return o.has("instanceid") && o.has("metadataoptions") }, (*reader).instance},
	{func(o object) bool { return o.has("repositoryarn") && o.has("repositoryname") }, (*reader).ecr},
	{func(o object) bool { return o.has("assumerolepolicydocument") }, (*reader).iamRole},
	{func(o object) bool {
		return o.has("userpolicylist") || o.has("attachedmanagedpolicies") && o.has("arn")
	}, (*reader).iamUser},
	{func(o object) bool { return o.has("policyversionlist") && o.has("arn") }, (*reader).managedPolicy},
}

func (r *reader) eks(o object) {
	vpc, _ := o.at("resourcesvpcconfig").(object)
	c := collect.CloudCluster{Provider: aws, Name: o.text("name"), Account: accountOf(o.text("arn")), Endpoint: o.text("endpoint"),
		Public: vpc.flag("endpointpublicaccess"), Ranges: vpc.texts("publicaccesscidrs"), PrivateEndpoint: vpc.flag("endpointprivateaccess")}
	r.cloud.Clusters = append(r.cloud.Clusters, c)
}

// accountOf is the account in an ARN.
func accountOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	return ""
}

func (r *reader) accessEntry(o object) {
	user := o.text("username")
	if strings.Contains(user, "{{") { // one user for each machine or session
		user = ""
	}
	r.cloud.Accesses = append(r.cloud.Accesses, collect.CloudAccess{Provider: aws, Identity: o.text("principalarn"),
		Cluster: o.text("clustername"), User: user, Groups: o.texts("kubernetesgroups"), How: "EKS access entry"})
}

// clusterAdminPolicy is the access policy that allows everything in the whole cluster.
const clusterAdminPolicy = "/AmazonEKSClusterAdminPolicy"

func (r *reader) accessPolicies(o object) {
	for _, p := range o.objects("associatedaccesspolicies") {
		if strings.HasSuffix(p.text("policyarn"), clusterAdminPolicy) && p.text("accessscope", "type") == "cluster" {
			r.cloud.Accesses = append(r.cloud.Accesses, collect.CloudAccess{Provider: aws, Identity: o.text("principalarn"),
				Cluster: o.text("clustername"), Admin: true, How: "EKS access policy"})
		} else {
			r.gap("what EKS access policy "+path.Base(p.text("policyarn"))+" allows in the cluster is not judged",
				"Who holds it may do more there than is shown.")
		}
	}
}

// awsAuth reads the data of the ConfigMap aws-auth, whose values are YAML.
func (r *reader) awsAuth(o object) {
	type mapping struct {
		RoleARN  string   `json:"rolearn"`
		UserARN  string   `json:"userarn"`
		Username string   `json:"username"`
		Groups   []string `json:"groups"`
	}
	for _, key := range []string{"maproles", "mapusers"} {
		var all []mapping
		if err := yaml.Unmarshal([]byte(o.text(key)), &all); err != nil {
			r.gap(fmt.Sprintf("%s of aws-auth: %v", key, err), "Who acts as whom in the cluster is incomplete.")
			continue
		}
		for _, m := range all {
			user := m.Username
			if strings.Contains(user, "{{") {
				user = ""
			}
			r.cloud.Accesses = append(r.cloud.Accesses, collect.CloudAccess{Provider: aws, Identity: cmp.Or(m.RoleARN, m.UserARN),
				Cluster: o.text("clustername"), User: user, Groups: m.Groups, How: "ConfigMap aws-auth"})
		}
	}
	if o.text("mapaccounts") != "" {
		r.gap("mapAccounts of aws-auth takes every identity of an account for the user of its name",
			"Identities of these accounts that a binding names may act in the cluster.")
	}
}

func (r *reader) podIdentity(o object) {
	r.cloud.Associations = append(r.cloud.Associations, collect.CloudAssociation{Provider: aws, Identity: o.text("rolearn"),
		Cluster: o.text("clustername"), Namespace: o.text("namespace"), Account: o.text("serviceaccount")})
}

func (r *reader) nodegroup(o object) {
	r.cloud.Machines = append(r.cloud.Machines, collect.CloudMachines{Provider: aws, Cluster: o.text("clustername"),
		Pool: o.text("nodegroupname"), Identity: o.text("noderole")})
}

// instance says how far the metadata service answers: not at all, or with tokens that
// go one hop. Without tokens the hop limit counts for nothing.
func (r *reader) instance(o object) {
	options, _ := o.at("metadataoptions").(object)
	hops, _ := options.at("httpputresponsehoplimit").(float64)
	local := options.text("httpendpoint") == "disabled" || options.text("httptokens") == "required" && hops == 1
	r.cloud.Machines = append(r.cloud.Machines, collect.CloudMachines{Provider: aws, Instance: o.text("instanceid"), MetadataLocal: &local})
}

func (r *reader) ecr(o object) {
	repository := collect.CloudRepository{Provider: aws, Name: o.text("repositoryuri"),
		ScanOnPush: o.flag("imagescanningconfiguration", "scanonpush")}
	switch strings.ToUpper(o.text("imagetagmutability")) {
	case "MUTABLE":
		repository.MutableTags = yes()
	case "IMMUTABLE":
		repository.MutableTags = not(yes())
	}
	r.cloud.Repositories = append(r.cloud.Repositories, repository)
}

// awsPolicies are what an identity's policies say, to be judged when all are read.
type awsPolicies struct {
	identity, managed string // managed is the policy's own ARN, for those that others attach
	documents         []object
	attached          []string
}

func (r *reader) iamRole(o object) {
	trust := document(o.at("assumerolepolicydocument"))
	role := collect.CloudRole{Provider: aws, Identity: o.text("arn")}
	for _, s := range trust.objects("statement") {
		role.PodIdentity = role.PodIdentity || s.text("effect") == "Allow" &&
			slices.Contains(s.texts("principal", "service"), "pods.eks.amazonaws.com")
		role.Subjects = append(role.Subjects, subjects(s)...)
	}
	r.cloud.Roles = append(r.cloud.Roles, role)
	r.policies = append(r.policies, inline(o, "rolepolicylist"))
}

func (r *reader) iamUser(o object) { r.policies = append(r.policies, inline(o, "userpolicylist")) }

func inline(o object, list string) awsPolicies {
	p := awsPolicies{identity: o.text("arn")}
	for _, each := range o.objects(list) {
		p.documents = append(p.documents, document(each.at("policydocument")))
	}
	for _, each := range o.objects("attachedmanagedpolicies") {
		p.attached = append(p.attached, each.text("policyarn"))
	}
	return p
}

func (r *reader) managedPolicy(o object) {
	for _, v := range o.objects("policyversionlist") {
		if b := v.flag("isdefaultversion"); b != nil && *b {
			r.policies = append(r.policies, awsPolicies{managed: o.text("arn"), documents: []object{document(v.at("document"))}})
		}
	}
}

// document is a policy, which some tools write as text in percent-encoding.
func document(v any) object {
	if s, ok := v.(string); ok {
		if plain, err := url.PathUnescape(s); err == nil {
			s = plain
		}
		var in any
		if json.Unmarshal([]byte(s), &in) != nil {
			return nil
		}
		v = folded(in, 0)
	}
	o, _ := v.(object)
	return o
}

// subjects are the service accounts that a statement of a trust policy lets in.
func subjects(s object) (out []string) {
	if s.text("effect") != "Allow" || len(s.texts("principal", "federated")) == 0 {
		return nil
	}
	conditions, _ := s.at("condition").(object)
	for _, operator := range slices.Sorted(maps.Keys(conditions)) {
		in, ok := conditions[operator].(object)
		if !ok || !strings.HasPrefix(operator, "stringequals") && !strings.HasPrefix(operator, "stringlike") {
			continue
		}
		for key := range in {
			if strings.HasSuffix(key, ":sub") {
				for _, v := range in.texts(key) {
					out = append(out, strings.TrimPrefix(v, "system:serviceaccount:"))
				}
			}
		}
	}
	if len(out) == 0 {
		return []string{"*:*"} // every account of the cluster
	}
	return out
}
