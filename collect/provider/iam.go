package provider

import (
	"path"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
)

// awsGains are the actions that give an attacker something, each with what it gives.
var awsGains = []struct {
	action string
	gain   collect.Gain
	typ    string
	// arn begins the resources that are of the type.
	arn string
}{
	{"iam:createpolicyversion", collect.Controls, "account", ""},
	{"iam:attachrolepolicy", collect.Controls, "account", ""},
	{"iam:putrolepolicy", collect.Controls, "account", ""},
	{"iam:attachuserpolicy", collect.Controls, "account", ""},
	{"iam:createaccesskey", collect.Controls, "account", ""},
	{"s3:getobject", collect.Reads, "S3 bucket", "arn:aws:s3:::"},
	{"secretsmanager:getsecretvalue", collect.Reads, "Secrets Manager secret", "arn:aws:secretsmanager:"},
	{"ssm:getparameter", collect.Reads, "SSM parameter", "arn:aws:ssm:"},
	{"dynamodb:getitem", collect.Reads, "DynamoDB table", "arn:aws:dynamodb:"},
	{"ssm:sendcommand", collect.Controls, "machines", "arn:aws:ec2:"},
	{"ssm:startsession", collect.Controls, "machines", "arn:aws:ec2:"},
	{"eks:associateaccesspolicy", collect.Controls, "cluster", "arn:aws:eks:"},
	{"ecr:putimage", collect.Pushes, "repository", "arn:aws:ecr:"},
}

// grantsOf are what an identity's policies allow. Statements with conditions, and
// those that speak of what they do not mean, are left to a gap.
func (r *reader) grantsOf(p awsPolicies, managed map[string][]object) {
	documents := p.documents
	for _, arn := range p.attached {
		if arn == "arn:aws:iam::aws:policy/AdministratorAccess" {
			r.grant(aws, p.identity, collect.Controls, "account", accountOf(p.identity))
			continue
		}
		attached, read := managed[arn]
		if !read {
			r.gap("policy "+arn+" of "+p.identity+" is not in the files", "What it allows is not shown.")
		}
		documents = append(documents[:len(documents):len(documents)], attached...)
	}
	var allow, deny []object
	unclear := false
	for _, d := range documents {
		for _, s := range d.objects("statement") {
			switch {
			case s.text("effect") == "Deny" && !s.has("condition"):
				deny = append(deny, s)
			case s.has("condition") || s.has("notaction") || s.has("notresource"):
				unclear = true
			case s.text("effect") == "Allow":
				allow = append(allow, s)
			}
		}
	}
	if unclear {
		r.gap("policies of "+p.identity+" have conditions, or say what they do not mean", "What these statements allow is not shown.")
	}
	for _, s := range allow {
		r.statement(p.identity, s, deny)
	}
}

func (r *reader) statement(identity string, s object, deny []object) {
	for _, g := range awsGains {
		if !matches(s.texts("action"), g.action) {
			continue
		}
		for _, resource := range s.texts("resource") {
			if resource != "*" && !strings.HasPrefix(resource, g.arn) || denied(deny, g.action, resource) {
				continue
			}
			if g.typ == "account" {
				if resource != "*" {
					continue // one role or policy: how much that is worth is not judged
				}
				resource = accountOf(identity)
			}
			r.grant(aws, identity, g.gain, g.typ, strings.TrimSuffix(strings.TrimPrefix(resource, "arn:aws:s3:::"), "/*"))
		}
	}
}

func denied(deny []object, action, resource string) bool {
	for _, s := range deny {
		if matches(s.texts("action"), action) && matches(s.texts("resource"), resource) {
			return true
		}
	}
	return false
}

// matches says whether one of some patterns means a text; case does not count.
func matches(patterns []string, text string) bool {
	for _, p := range patterns {
		if glob(strings.ToLower(p), strings.ToLower(text)) {
			return true
		}
	}
	return false
}

// glob is path.Match in which a slash is a letter like others.
func glob(pattern, text string) bool {
	plain := strings.NewReplacer("/", "\x00", "[", "\x01", "\\", "\x02")
	ok, err := path.Match(plain.Replace(pattern), plain.Replace(text))
	return err == nil && ok
}

func (r *reader) grant(provider, identity string, gain collect.Gain, typ, resource string) {
	g := collect.CloudGrant{Provider: provider, Identity: identity, Gain: gain, Type: typ, Resource: resource}
	for _, have := range r.cloud.Grants {
		if have == g {
			return
		}
	}
	r.cloud.Grants = append(r.cloud.Grants, g)
}
