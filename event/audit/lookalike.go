package audit

import "strings"

// Registries and images that many clusters use, and that others imitate.
var (
	wellKnownRegistries = strings.Fields(`docker.io index.docker.io registry.k8s.io gcr.io ghcr.io quay.io mcr.microsoft.com
		public.ecr.aws registry.gitlab.com registry.access.redhat.com`)
	wellKnownImages = strings.Fields(`alpine ubuntu debian fedora centos busybox nginx httpd redis postgres mysql mariadb mongo
		rabbitmq memcached elasticsearch kibana logstash grafana prometheus influxdb cassandra python golang openjdk wordpress
		jenkins traefik haproxy consul vault bitnami calico cilium istio argoproj fluent hashicorp kubernetes`)
)

// shortest is how long a name has to be that one letter makes another of it by mistake.
const shortest = 5

// lookalike tells of an image whose registry or first name is a letter away from a well-known
// one, and which that is.
func lookalike(image string) []string {
	host, rest := hostOf(image)
	like := imitated(host, wellKnownRegistries)
	if like == "" && (host == "" || isHub(host)) {
		name, _, _ := strings.Cut(strings.TrimPrefix(rest, "library/"), "/")
		name, _, _ = strings.Cut(name, "@")
		name, _, _ = strings.Cut(name, ":")
		like = imitated(name, wellKnownImages)
	}
	if like == "" {
		return nil
	}
	return []string{image + " (" + like + ")"}
}

func isHub(host string) bool { return host == "docker.io" || host == "index.docker.io" }

// imitated is the one of some names that another is a letter away from, if it is none of them.
func imitated(name string, names []string) (like string) {
	const longest = 64
	if len(name) < shortest || len(name) > longest {
		return ""
	}
	for _, n := range names {
		switch {
		case n == name:
			return ""
		case len(n) >= shortest && oneLetterAway(name, n):
			like = n
		}
	}
	return like
}

// oneLetterAway says that one letter more, less or other, or two that changed places, makes one name of another.
func oneLetterAway(a, b string) bool {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	x, y := a[i:], b[i:]
	switch {
	case x == y:
		return false
	case x != "" && x[1:] == y, y != "" && x == y[1:]:
		return true
	case x == "" || y == "":
		return false
	case x[1:] == y[1:]:
		return true
	}
	return len(x) > 1 && len(y) > 1 && x[0] == y[1] && x[1] == y[0] && x[2:] == y[2:]
}

// hostOf is the registry that an image names, "" if it names none, and the rest of its name.
func hostOf(image string) (host, rest string) {
	host, rest, ok := strings.Cut(image, "/")
	if !ok || !strings.ContainsAny(host, ".:") && host != "localhost" {
		return "", image
	}
	return host, rest
}

// registryOf is the registry that an image comes from.
func registryOf(image string) string {
	switch host, _ := hostOf(image); {
	case image == "":
		return ""
	case host == "" || isHub(host):
		return "docker.io"
	default:
		return host
	}
}
