package provider

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
)

// read reads one file of this content.
func read(t testing.TB, content string) *collect.Cloud {
	t.Helper()
	name := filepath.Join(t.TempDir(), "said.json")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Read(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func truth(b *bool) string {
	if b == nil {
		return "?"
	}
	return fmt.Sprint(*b)
}

const aksID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/a"

func TestClustersAsTheirProvidersDescribeThem(t *testing.T) {
	const aks = `{"id": "` + aksID + `", "name": "a", %s}`
	const gke = `{"clusters": [{"selfLink": "https://container.googleapis.com/v1/projects/p/locations/l/clusters/g", "name": "g",
		"nodePools": [] %s}]}`
	for name, c := range map[string]struct{ json, want string }{
		"EKS, as the command line writes it": {`{"cluster": {"name": "e", "arn": "arn:aws:eks:r:1:cluster/e", "endpoint": "https://x",
			"resourcesVpcConfig": {"endpointPublicAccess": true, "endpointPrivateAccess": false, "publicAccessCidrs": ["0.0.0.0/0"]}}}`,
			"aws e 1 public true [0.0.0.0/0] private false nodes ? roles ?"},
		"EKS, as Go writes it": {`{"Cluster": {"Name": "e", "Arn": "arn:aws:eks:r:1:cluster/e",
			"ResourcesVpcConfig": {"EndpointPublicAccess": false, "EndpointPrivateAccess": true}}}`,
			"aws e 1 public false [] private true nodes ? roles ?"},
		"EKS, as Python spells it": {`[{"name": "e", "resources_vpc_config": {"endpoint_public_access": true}}]`,
			"aws e  public true [] private ? nodes ? roles ?"},
		"AKS says nothing": {fmt.Sprintf(aks, `"properties": {}`),
			"azure a " + aksID + " public true [] private false nodes ? roles false"},
		"AKS is private": {fmt.Sprintf(aks, `"properties": {"apiServerAccessProfile": {"enablePrivateCluster": true}, "aadProfile":
			{"enableAzureRBAC": true}}`),
			"azure a " + aksID + " public false [] private true nodes true roles true"},
		"AKS, as its command line writes it": {fmt.Sprintf(aks, `"publicNetworkAccess": "Disabled", "apiServerAccessProfile":
			{"authorizedIpRanges": ["1.2.3.4/32"]}`),
			"azure a " + aksID + " public false [1.2.3.4/32] private false nodes ? roles false"},
		"GKE says nothing": {fmt.Sprintf(gke, ""), "gcp g p public true [] private false nodes false roles ?"},
		"GKE is private": {fmt.Sprintf(gke, `, "privateClusterConfig": {"enablePrivateNodes": true, "enablePrivateEndpoint": true},
			"masterAuthorizedNetworksConfig": {"enabled": true, "cidrBlocks": [{"cidrBlock": "10.0.0.0/8"}]}`),
			"gcp g p public false [10.0.0.0/8] private true nodes true roles ?"},
	} {
		t.Run(name, func(t *testing.T) {
			all := read(t, c.json).Clusters
			if len(all) != 1 {
				t.Fatalf("%d clusters", len(all))
			}
			k := all[0]
			got := fmt.Sprintf("%s %s %s public %s %v private %s nodes %s roles %s", k.Provider, k.Name, k.Account, truth(k.Public), k.Ranges,
				truth(k.PrivateEndpoint), truth(k.PrivateNodes), truth(k.CloudRoles))
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestForWhomAClusterTakesIdentitiesOfItsCloud(t *testing.T) {
	for name, c := range map[string]struct{ json, want string }{
		"an access entry": {`{"accessEntry": {"clusterName": "e", "principalArn": "arn:r", "username": "u", "kubernetesGroups": ["a", "b"]}}`,
			"arn:r in e: user u, groups [a b], admin false"},
		"one whose users are sessions": {`{"AccessEntry": {"ClusterName": "e", "PrincipalArn": "arn:r", "Username": "x:{{SessionName}}"}}`,
			"arn:r in e: user , groups [], admin false"},
		"the administrators' access policy": {`{"clusterName": "e", "principalArn": "arn:r", "associatedAccessPolicies": [{
			"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy", "accessScope": {"type": "cluster"}}]}`,
			"arn:r in e: user , groups [], admin true"},
		"the same in one namespace": {`{"clusterName": "e", "principalArn": "arn:r", "associatedAccessPolicies": [{
			"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy", "accessScope": {"type": "namespace"}}]}`,
			"gap: what EKS access policy AmazonEKSClusterAdminPolicy allows in the cluster is not judged"},
		"aws-auth, as kubectl writes it": {`{"kind": "ConfigMap", "data": {
			"mapRoles": "- rolearn: arn:n\n  username: system:node:{{EC2PrivateDNSName}}\n  groups: [system:nodes]\n",
			"mapUsers": "- userarn: arn:u\n  username: bob\n  groups: [system:masters]\n"}}`,
			"arn:n in : user , groups [system:nodes], admin false; arn:u in : user bob, groups [system:masters], admin false"},
		"aws-auth that is no YAML": {`{"data": {"mapRoles": "- rolearn: [", "mapAccounts": "- '1'"}}`,
			"gap: mapRoles; gap: mapAccounts of aws-auth takes every identity of an account for the user of its name"},
	} {
		t.Run(name, func(t *testing.T) {
			said := read(t, c.json)
			var got []string
			for _, a := range said.Accesses {
				got = append(got, fmt.Sprintf("%s in %s: user %s, groups %v, admin %v", a.Identity, a.Cluster, a.User, a.Groups, a.Admin))
			}
			for _, g := range said.Gaps {
				why, _, _ := strings.Cut(g.Why, " of aws-auth: ")
				got = append(got, "gap: "+strings.Replace(why, "maproles", "mapRoles", 1))
			}
			if text := strings.Join(got, "; "); text != c.want {
				t.Errorf("got  %s\nwant %s", text, c.want)
			}
		})
	}
}

func TestWhomAnIdentitysOwnPolicyLetsIn(t *testing.T) {
	const role = `{"RoleDetailList": [{"Arn": "arn:r", "AssumeRolePolicyDocument": %s}]}`
	for name, c := range map[string]struct{ json, want string }{
		"a service account": {fmt.Sprintf(role, `{"Statement": [{"Effect": "Allow", "Principal": {"Federated":
			"arn:aws:iam::1:oidc-provider/x"},
			"Condition": {"StringEquals": {"x:aud": "sts.amazonaws.com", "x:sub": "system:serviceaccount:shop:web"}}}]}`), "[shop:web] false"},
		"every account of a namespace, in percent-encoding": {fmt.Sprintf(role, `"%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22`+
			`%2C%22Principal%22%3A%7B%22Federated%22%3A%22f%22%7D%2C`+
			`%22Condition%22%3A%7B%22StringLike%22%3A%7B%22x%3Asub%22%3A%22system%3Aserviceaccount%3Ashop%3A%2A%22%7D%7D%7D%7D"`),
			"[shop:*] false"},
		"every account of the cluster": {fmt.Sprintf(role, `{"Statement": [{"Effect": "Allow", "Principal": {"Federated": "f"}}]}`),
			"[*:*] false"},
		"EKS Pod Identity": {fmt.Sprintf(role, `{"Statement": [{"Effect": "Allow", "Principal": {"Service":
			["pods.eks.amazonaws.com"]}}]}`), "[] true"},
		"a machine": {fmt.Sprintf(role, `{"Statement": [{"Effect": "Allow", "Principal": {"Service":
			"ec2.amazonaws.com"}}]}`), "[] false"},
		"nobody": {fmt.Sprintf(role, `{"Statement": [{"Effect": "Deny", "Principal": {"Federated": "f"}}]}`), "[] false"},
		"Azure, by the identity's client id": {`[{"type": "Microsoft.ManagedIdentity/userAssignedIdentities", "id":
			"/s/userAssignedIdentities/N", "clientId": "7d"},
			{"id": "/s/userassignedidentities/n/federatedIdentityCredentials/c1", "subject": "system:serviceaccount:shop:web"},
			{"id": "/s/userassignedidentities/n/federatedIdentityCredentials/c2", "subject": "system:serviceaccount:shop:api"}]`,
			"[shop:web shop:api] false"},
		"Google": {`[{"resource": "//iam.googleapis.com/projects/p/serviceAccounts/w@p", "policy": {"bindings": [
			{"role": "roles/iam.workloadIdentityUser", "members": ["serviceAccount:p.svc.id.goog[shop/web]", "user:a@b"]},
			{"role": "roles/iam.serviceAccountUser", "members": ["serviceAccount:p.svc.id.goog[shop/api]"]}]}}]`, "[shop:web] false"},
	} {
		t.Run(name, func(t *testing.T) {
			roles := read(t, c.json).Roles
			if len(roles) != 1 {
				t.Fatalf("%+v", roles)
			}
			if got := fmt.Sprint(roles[0].Subjects, " ", roles[0].PodIdentity); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if want := map[string]string{"aws": "arn:r", "azure": "7d", "gcp": "w@p"}[roles[0].Provider]; roles[0].Identity != want {
				t.Errorf("identity %s, want %s", roles[0].Identity, want)
			}
		})
	}
}

func TestWhatPoliciesLetIdentitiesDo(t *testing.T) {
	const user = `{"UserDetailList": [{"Arn": "arn:aws:iam::1:user/u", "UserPolicyList": [{"PolicyDocument": {"Statement": [%s]}}],
		"AttachedManagedPolicies": [%s]}], "Policies": [{"Arn": "arn:p", "PolicyVersionList": [
		{"IsDefaultVersion": false, "Document": {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}},
		{"IsDefaultVersion": true, "Document": {"Statement": {"Effect": "Allow", "Action": "s3:GetObject",
			"Resource": "arn:aws:s3:::b/*"}}}]}]}`
	allow := func(action, resource string) string {
		return fmt.Sprintf(`{"Effect": "Allow", "Action": %q, "Resource": %q}`, action, resource)
	}
	aws := func(statements string) string { return fmt.Sprintf(user, statements, "") }
	azure := func(role, scope string) string {
		return fmt.Sprintf(`[{"principalId": "p1", "roleDefinitionName": %q, "scope": %q},
			{"type": "Microsoft.ManagedIdentity/userAssignedIdentities", "id": "/i", "properties": {"clientId": "c1",
				"principalId": "p1"}}]`, role, scope)
	}
	google := func(role, resource string) string {
		return fmt.Sprintf(`[{"resource": %q, "policy": {"bindings": [{"role": %q, "members": ["serviceAccount:a@p"]}]}}]`, resource, role)
	}
	for name, c := range map[string]struct{ json, want string }{
		"a bucket":                  {aws(allow("s3:Get*", "arn:aws:s3:::b/*")), "reads S3 bucket b"},
		"a bucket's list":           {aws(allow("s3:ListBucket", "arn:aws:s3:::b")), ""},
		"every secret":              {aws(allow("secretsmanager:*", "*")), "reads Secrets Manager secret *"},
		"an action on other things": {aws(allow("s3:GetObject", "arn:aws:sqs:r:1:q")), ""},
		"policies of the account":   {aws(allow("iam:*", "*")), "controls account 1"},
		"one role's policies":       {aws(allow("iam:PutRolePolicy", "arn:aws:iam::1:role/x")), ""},
		"access to clusters":        {aws(allow("eks:AssociateAccessPolicy", "*")), "controls cluster *"},
		"commands on machines":      {aws(allow("ssm:SendCommand", "*")), "controls machines *"},
		"a push": {aws(allow("ecr:PutImage", "arn:aws:ecr:r:1:repository/x")),
			"pushes repository arn:aws:ecr:r:1:repository/x"},
		"a denial of the same": {aws(allow("s3:GetObject", "arn:aws:s3:::b/*") + `,{"Effect": "Deny", "Action": "s3:*",
			"Resource": "*"}`), ""},
		"a denial of another": {aws(allow("s3:GetObject", "arn:aws:s3:::b/*") + `,{"Effect": "Deny", "Action": "s3:*",
			"Resource": "arn:aws:s3:::c/*"}`), "reads S3 bucket b"},
		"a condition": {aws(`{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {}}`),
			"gap: have conditions"},
		"a managed policy's version in effect": {fmt.Sprintf(user, "", `{"PolicyArn": "arn:p"}`), "reads S3 bucket b"},
		"a managed policy that was not given":  {fmt.Sprintf(user, "", `{"PolicyArn": "arn:q"}`), "gap: is not in the files"},
		"an administrator": {fmt.Sprintf(user, "", `{"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}`),
			"controls account 1"},
		"Azure's owner of a subscription": {azure("Owner", "/subscriptions/s"), "controls account s"},
		"Azure's owner of a group":        {azure("Owner", "/subscriptions/s/resourceGroups/g"), ""},
		"AKS's administrator": {azure("Azure Kubernetes Service Cluster Admin Role", aksID),
			"controls cluster " + aksID},
		"Azure's push":     {azure("AcrPush", "/s/providers/Microsoft.ContainerRegistry/registries/Reg"), "pushes repository reg.azurecr.io/*"},
		"Azure's reader":   {azure("Reader", "/s/providers/Microsoft.Storage/storageAccounts/a"), ""},
		"Google's bucket":  {google("roles/storage.objectViewer", "//storage.googleapis.com/projects/_/buckets/b"), "reads Storage bucket b"},
		"Google's owner":   {google("roles/owner", "//cloudresourcemanager.googleapis.com/projects/p"), "controls account p"},
		"Google's viewer":  {google("roles/viewer", "//cloudresourcemanager.googleapis.com/projects/p"), ""},
		"Google's cluster": {google("roles/container.admin", "//cloudresourcemanager.googleapis.com/projects/p"), "controls cluster p"},
		"Google's push": {google("roles/artifactregistry.writer", "//artifactregistry.googleapis.com/projects/p/locations/l/repositories/r"),
			"pushes repository l-docker.pkg.dev/p/r/*"},
		"a policy of who knows what": {`{"bindings": [{"role": "roles/owner", "members": ["user:a"]}], "etag": "x"}`,
			"gap: does not name its resource"},
	} {
		t.Run(name, func(t *testing.T) {
			said := read(t, c.json)
			var got []string
			for _, g := range said.Grants {
				got = append(got, fmt.Sprintf("%s %s %s", g.Gain, g.Type, g.Resource))
				if want := map[string]string{"aws": "arn:aws:iam::1:user/u", "azure": "c1", "gcp": "a@p"}[g.Provider]; g.Identity != want {
					t.Errorf("identity %s, want %s", g.Identity, want)
				}
			}
			gap, wanted := strings.CutPrefix(c.want, "gap: ")
			if !wanted && (len(said.Gaps) > 0 || strings.Join(got, "; ") != c.want) {
				t.Errorf("got %q and gaps %+v, want %q", got, said.Gaps, c.want)
			}
			if wanted && (len(got) > 0 || len(said.Gaps) != 1 || !strings.Contains(said.Gaps[0].Why, gap)) {
				t.Errorf("got %q and gaps %+v, want a gap that says %q", got, said.Gaps, gap)
			}
		})
	}
}

func TestMachinesAssociationsAndRepositories(t *testing.T) {
	said := read(t, `[
		{"nodegroup": {"clusterName": "e", "nodegroupName": "ng", "nodeRole": "arn:n", "tags": {"instanceId": "i", "metadataOptions": "x"}}},
		{"Reservations": [{"Instances": [
			{"InstanceId": "i-1", "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1, "HttpEndpoint": "enabled"}},
			{"InstanceId": "i-2", "MetadataOptions": {"HttpTokens": "optional", "HttpPutResponseHopLimit": 1}},
			{"InstanceId": "i-3", "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2}},
			{"InstanceId": "i-4", "MetadataOptions": {"HttpEndpoint": "disabled"}}]}]},
		{"associations": [{"clusterName": "e", "namespace": "shop", "serviceAccount": "web", "roleArn": "arn:r"}]},
		{"id": "/x/providers/Microsoft.ContainerService/managedClusters/a", "name": "a",
			"identityProfile": {"kubeletidentity": {"clientId": "k"}}},
		{"selfLink": "https://container.googleapis.com/v1/projects/p/c", "name": "g", "nodePools": [
			{"name": "np", "config": {"serviceAccount": "n@p"}}, {"name": "other", "config": {"serviceAccount": "default"}}]},
		{"repositories": [
			{"repositoryArn": "a", "repositoryName": "r", "repositoryUri": "h/r", "imageTagMutability": "MUTABLE",
				"imageScanningConfiguration": {"scanOnPush": true}},
			{"repositoryArn": "a", "repositoryName": "s", "repositoryUri": "h/s", "imageTagMutability": "IMMUTABLE"}]},
		{"name": "projects/p/locations/l/repositories/d", "format": "DOCKER", "mode": "STANDARD_REPOSITORY",
			"vulnerabilityScanningConfig": {"enablementState": "SCANNING_DISABLED"}}
	]`)
	var got []string
	for _, m := range said.Machines {
		got = append(got, fmt.Sprintf("%s %s%s%s has %s local %s", m.Provider, m.Cluster, m.Pool, m.Instance, m.Identity,
			truth(m.MetadataLocal)))
	}
	for _, a := range said.Associations {
		got = append(got, fmt.Sprintf("%s %s/%s is %s", a.Cluster, a.Namespace, a.Account, a.Identity))
	}
	for _, r := range said.Repositories {
		got = append(got, fmt.Sprintf("%s mutable %s scanned %s", r.Name, truth(r.MutableTags), truth(r.ScanOnPush)))
	}
	want := []string{"aws eng has arn:n local ?", "aws i-1 has  local true", "aws i-2 has  local false", "aws i-3 has  local false",
		"aws i-4 has  local true", "azure a has k local ?", "gcp gnp has n@p local ?", "e shop/web is arn:r",
		"h/r mutable true scanned true", "h/s mutable false scanned ?", "l-docker.pkg.dev/p/d mutable ? scanned false"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestWhatCannotBeReadIsSaidByFileAndLine(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	if _, err := Read(write("torn.json", "{\n\"a\": 1,\n}")); err == nil || !strings.Contains(err.Error(), "torn.json:3: want JSON") {
		t.Errorf("a torn file: %v", err)
	}
	if _, err := Read(filepath.Join(dir, "none")); err == nil || !strings.Contains(err.Error(), "want a file or folder") {
		t.Errorf("no file: %v", err)
	}
	said, err := Read(write("other.json", `{"hello": "world"}`))
	if err != nil || len(said.Gaps) != 1 || said.Gaps[0].What != "other.json" {
		t.Errorf("a file of something else: %v, %+v", err, said)
	}
	if said, err := Read(); said != nil || err != nil {
		t.Errorf("no file at all: %v, %v", said, err)
	}
	write("a.txt", "no JSON at all")
	if err := os.Remove(filepath.Join(dir, "torn.json")); err != nil {
		t.Fatal(err)
	}
	if said, err := Read(dir); err != nil || len(said.Gaps) != 1 {
		t.Errorf("a folder: %v, %+v", err, said)
	}
	deep := strings.Repeat(`{"a":`, 1000) + `{"principalArn": "arn:r"}` + strings.Repeat("}", 1000)
	if said, err := Read(write("deep.json", deep)); err != nil || len(said.Accesses) != 0 || len(said.Gaps) != 1 {
		t.Errorf("too deep: %v, %+v", err, said)
	}
}

func FuzzFilesOfClouds(f *testing.F) {
	for _, s := range []string{`{"principalArn": "a", "kubernetesGroups": ["g"]}`, `{"data": {"mapRoles": "- rolearn: a"}}`,
		`[{"Arn": "a", "AssumeRolePolicyDocument": "%7B%7D", "RolePolicyList": [{"PolicyDocument": {"Statement": {"Action": "*",
			"Effect": "Allow", "Resource": "*"}}}]}]`,
		`{"resource": "//artifactregistry.googleapis.com/a/b", "policy": {"bindings": [{"role": "roles/artifactregistry.writer",
			"members": ["x"]}]}}`,
		`{"id": "/Microsoft.ContainerService/managedClusters/a", "properties": {"apiServerAccessProfile": 1}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := &reader{cloud: &collect.Cloud{}, clients: map[string]string{}}
		if err := r.text("f.json", b); err != nil {
			return
		}
		r.finish()
		if _, err := json.Marshal(r.cloud); err != nil {
			t.Fatal(err)
		}
	})
}
