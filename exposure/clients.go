package exposure

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	corev1 "k8s.io/api/core/v1"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
)

// balancerClients are those that a Service's load balancer lets in, and what of that is
// not known: who cannot be told is not kept out.
func (j *judge) balancerClients(s *corev1.Service) (clients netpol.Ranges, doubt string) {
	for _, a := range j.said(collect.Elsewhere, s.Annotations) {
		return everyone(), unread(a, s.Annotations)
	}
	clients = everyone()
	allowed := false
	if ranges := s.Spec.LoadBalancerSourceRanges; len(ranges) > 0 {
		if clients, doubt = j.ofSourceRanges(s, "loadBalancerSourceRanges", ranges); doubt != "" {
			return clients, doubt
		}
		allowed = true
	}
	for _, a := range j.said(collect.SourceRanges, s.Annotations) {
		if allowed {
			break // of what lets clients in, the field counts, then the first
		}
		text := s.Annotations[a.Key]
		let, kept, ok := clientsIn(a, text)
		if !ok {
			return everyone(), unread(a, s.Annotations)
		}
		if a.Key == collect.SourceRangesKey {
			if _, doubt = j.ofSourceRanges(s, a.Key, []string{text}); doubt != "" {
				return everyone(), doubt
			}
		}
		clients, allowed = let.And(everyone()).Without(kept), len(kept) == 0
	}
	for _, a := range j.said(collect.DenyRanges, s.Annotations) {
		kept, ok := listOf(s.Annotations[a.Key])
		rest := clients.Without(kept)
		switch {
		case !ok:
			return clients, unread(a, s.Annotations)
		case allowed && rest.String() != clients.String():
			return clients, "whether " + a.Key + " goes before what lets clients in is not known"
		}
		clients = rest
	}
	return clients, ""
}

// unread says that nothing tells whom an annotation lets in.
func unread(a collect.Annotation, all map[string]string) string {
	return notKnown(a.Key, all[a.Key])
}

func notKnown(name, text string) string {
	return fmt.Sprintf("whom %s: %.80q lets in is not known", name, strings.TrimSpace(text))
}

// unheeding are the schemes of providers' node names whose controllers do not read
// loadBalancerSourceRanges: hcloud-, linode-, vultr- and exoscale-cloud-controller-manager,
// by their sources.
var unheeding = []string{"hcloud", "linode", "vultr", "exoscale"}

// ofSourceRanges are the clients of a list that providers read, or everyone with the reason.
func (j *judge) ofSourceRanges(s *corev1.Service, name string, ranges []string) (netpol.Ranges, string) {
	if why := j.unheeded(s); why != "" {
		return everyone(), "whether " + why + " heeds " + name + " is not known"
	}
	for _, n := range j.facts.Nodes {
		if scheme, _, named := strings.Cut(n.ProviderID, "://"); named && slices.Contains(unheeding, scheme) {
			return everyone(), "load balancers of the provider of " + "Node " + n.Name + " do not heed " + name +
				"; whether another controller makes this one is not known"
		}
	}
	text := strings.Join(ranges, ",")
	if r, ok := listOf(text); ok {
		return r.And(everyone()), ""
	}
	return everyone(), notKnown(name, text)
}

// unheeded is the load balancer of a Service, if it is of a kind that lets everybody in
// unless something is so that is not seen.
func (j *judge) unheeded(s *corev1.Service) string {
	switch {
	case strings.EqualFold(s.Annotations[collect.OCIBalancerType], "nlb") && s.Annotations[collect.OCIListMode] == "" &&
		s.Annotations[collect.OCIRuleMode] == "":
		return "a network load balancer of OCI whose security lists nobody manages" // the mode is None where none is given
	case directBalancer(s) && !j.groupsBalancers():
		return "a network load balancer of AWS with pods as targets, which has a security group from AWS Load Balancer Controller 2.6 on,"
	}
	return ""
}

// groupsBalancers says whether an AWS Load Balancer Controller runs, and all that do give
// network load balancers security groups.
func (j *judge) groupsBalancers() bool {
	old := false
	pods := j.podsWith(func(k collect.ContainerShape) bool {
		is := k.ImageIs(albController)
		old = old || is && since("2.6", k) != yes
		return is
	})
	return len(pods) > 0 && !old
}

// albController is the AWS Load Balancer Controller's image.
const albController = "aws-load-balancer-controller"

// clientsIn reads an annotation that lists clients, and those of them that are kept out.
func clientsIn(a collect.Annotation, text string) (let, kept netpol.Ranges, ok bool) {
	switch a.Key {
	case collect.LinodeFirewall:
		return linodeClients(text)
	case collect.VultrFirewall:
		// Each rule has a port: who gets to one may get to any.
		var sources []string
		for rule := range strings.SplitSeq(text, ";") {
			source, _, _ := strings.Cut(rule, ",")
			sources = append(sources, source)
		}
		let, ok = parseRanges(sources)
		return let, nil, ok
	}
	let, ok = listOf(text)
	return let, nil, ok
}

// linodeClients reads the rules of a Linode firewall: a list of those let in, or of those
// kept out.
func linodeClients(text string) (let, kept netpol.Ranges, ok bool) {
	type list struct{ IPv4, IPv6 []string }
	var rules struct{ AllowList, DenyList *list }
	if json.Unmarshal([]byte(text), &rules) != nil || (rules.AllowList == nil) == (rules.DenyList == nil) {
		return nil, nil, false
	}
	if l := rules.AllowList; l != nil {
		let, ok = parseRanges(append(l.IPv4, l.IPv6...))
		return let, nil, ok
	}
	kept, ok = parseRanges(append(rules.DenyList.IPv4, rules.DenyList.IPv6...))
	return everyone(), kept, ok
}

// listOf reads a list of ranges with commas or spaces between them.
func listOf(text string) (netpol.Ranges, bool) {
	return parseRanges(strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }))
}

// parseRanges reads prefixes and single addresses, before which their type may stand. What
// cannot be read is not told from none.
func parseRanges(text []string) (netpol.Ranges, bool) {
	var out netpol.Ranges
	for _, s := range text {
		s = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(s), "ip:"), "cidr:")
		if p, err := netip.ParsePrefix(s); err == nil {
			out = out.Or(netpol.In(p))
		} else if a, err := netip.ParseAddr(s); err == nil {
			out = out.Or(netpol.Of(a))
		} else {
			return nil, false
		}
	}
	return out, len(out) > 0
}
