package egress

import (
	"net/url"
	"slices"
	"testing"
)

// TestWhereRegistriesSendTheirReadersIsOpen holds sites.yaml to what the operators say: a host that a
// registry gives tokens or layers from is reached, and its neighbour is not.
func TestWhereRegistriesSendTheirReadersIsOpen(t *testing.T) {
	const r2 = "docker-images-prod.6aa30f8b08e16409b46e0173d6de2f56.r2.cloudflarestorage.com"
	for _, c := range []struct {
		registry, host  string
		tokens, content bool
	}{
		{"index.docker.io", "auth.docker.io", true, true},
		{"index.docker.io", "production.cloudflare.docker.com", false, true},
		{"index.docker.io", "production.cloudfront.docker.com", false, true},
		{"index.docker.io", r2, false, true},
		{"index.docker.io", "docker.com.evil.test", false, false},
		{"ghcr.io", "pkg-containers.githubusercontent.com", false, true},
		{"ghcr.io", "raw.githubusercontent.com", false, false},
		{"ghcr.io", "github-production-container-registry.s3.amazonaws.com", false, true},
		{"registry.k8s.io", "us-west1-docker.pkg.dev", true, true},
		{"registry.k8s.io", "prod-registry-k8s-io-us-west-1.s3.dualstack.us-west-1.amazonaws.com", false, true},
		{"k8s.gcr.io", "registry.k8s.io", true, true},
		{"quay.io", "cdn01.quay.io", true, true},
		{"registry.redhat.io", "cdn02.quay.io", false, true},
		{"registry.redhat.io", "sso.redhat.com", true, true},
		{"quay.io", "quayio-production-s3.s3.amazonaws.com", false, true},
		{"mcr.microsoft.com", "eastus.data.mcr.microsoft.com", true, true},
		{"mine.azurecr.io", "mine.westeurope.data.azurecr.io", true, true},
		{"mine.azurecr.io", "weumanaged01.blob.core.windows.net", false, true},
		{"0.dkr.ecr.eu-west-1.amazonaws.com", "prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com", false, true},
		{"public.ecr.aws", "d5l0dvt14r5h8.cloudfront.net", false, true},
		{"0.dkr.ecr.eu-west-1.amazonaws.com", "d5l0dvt14r5h8.cloudfront.net", false, false},
		{"gcr.io", "storage.googleapis.com", false, true},
		{"europe-docker.pkg.dev", "storage.googleapis.com", false, true},
		{"registry.gitlab.com", "gitlab.com", true, true},
		{"registry.gitlab.com", "cdn.registry.gitlab-static.net", false, true},
		{"cgr.dev", "9236a389bd48b984df91adc1bc924620.r2.cloudflarestorage.com", false, true},
		{"nvcr.io", "authn.nvidia.com", true, true},
		{"nvcr.io", "layers.nvcr.io", true, true},
		{"registry.digitalocean.com", "api.digitalocean.com", true, true},
	} {
		if got := (Policy{}).givesTokens(c.registry, c.host); got != c.tokens {
			t.Errorf("%s asks %s for tokens: %v, want %v", c.registry, c.host, got, c.tokens)
		}
		if got := (Policy{}).givesContent(c.registry, c.host); got != c.content {
			t.Errorf("%s sends readers to %s: %v, want %v", c.registry, c.host, got, c.content)
		}
	}
}

func TestEachKnownPlaceSaysWhoSaysSo(t *testing.T) {
	for _, k := range slices.Concat(known.Registries, known.Stores) {
		if u, err := url.Parse(k.Source); err != nil || u.Scheme != "https" || u.Host == "" || u.Path == "" {
			t.Errorf("%v: its source is %q, want the address of a page", k.Hosts, k.Source)
		}
	}
}
