package secret

import (
	"github.com/google/osv-scalibr/veles"
	"github.com/google/osv-scalibr/veles/secrets/anthropicapikey"
	"github.com/google/osv-scalibr/veles/secrets/awsaccesskey"
	"github.com/google/osv-scalibr/veles/secrets/circleci"
	"github.com/google/osv-scalibr/veles/secrets/cloudflareapitoken"
	"github.com/google/osv-scalibr/veles/secrets/denopat"
	"github.com/google/osv-scalibr/veles/secrets/digitaloceanapikey"
	"github.com/google/osv-scalibr/veles/secrets/dockerhubpat"
	"github.com/google/osv-scalibr/veles/secrets/elasticcloudapikey"
	"github.com/google/osv-scalibr/veles/secrets/gcpapikey"
	"github.com/google/osv-scalibr/veles/secrets/gcpexpressmode"
	"github.com/google/osv-scalibr/veles/secrets/gcpoauth2access"
	"github.com/google/osv-scalibr/veles/secrets/gcpoauth2client"
	"github.com/google/osv-scalibr/veles/secrets/gcpsak"
	"github.com/google/osv-scalibr/veles/secrets/gitbasicauth/bitbucket"
	"github.com/google/osv-scalibr/veles/secrets/gitbasicauth/codecommit"
	"github.com/google/osv-scalibr/veles/secrets/github"
	"github.com/google/osv-scalibr/veles/secrets/gitlabpat"
	"github.com/google/osv-scalibr/veles/secrets/hashicorpvault"
	"github.com/google/osv-scalibr/veles/secrets/hcp"
	"github.com/google/osv-scalibr/veles/secrets/herokuplatformkey"
	"github.com/google/osv-scalibr/veles/secrets/huggingfaceapikey"
	"github.com/google/osv-scalibr/veles/secrets/npmjsaccesstoken"
	"github.com/google/osv-scalibr/veles/secrets/onepasswordkeys"
	"github.com/google/osv-scalibr/veles/secrets/openai"
	"github.com/google/osv-scalibr/veles/secrets/openrouter"
	"github.com/google/osv-scalibr/veles/secrets/packagist"
	"github.com/google/osv-scalibr/veles/secrets/perplexityapikey"
	"github.com/google/osv-scalibr/veles/secrets/postmanapikey"
	"github.com/google/osv-scalibr/veles/secrets/privatekey"
	"github.com/google/osv-scalibr/veles/secrets/pypiapitoken"
	"github.com/google/osv-scalibr/veles/secrets/rubygemsapikey"
	"github.com/google/osv-scalibr/veles/secrets/sendgrid"
	"github.com/google/osv-scalibr/veles/secrets/slacktoken"
	"github.com/google/osv-scalibr/veles/secrets/squareapikey"
	"github.com/google/osv-scalibr/veles/secrets/stripeapikeys"
	"github.com/google/osv-scalibr/veles/secrets/supabase"
	"github.com/google/osv-scalibr/veles/secrets/telegrambotapitoken"
)

// detector is one of SCALIBR's, the signs one of which is in every secret that it is asked for, and how much before and behind
// the beginning of a sign it is shown.
type detector struct {
	kind           string
	signs          []string
	before, behind int
	detector       veles.Detector
}

// token is a detector of what begins with its sign.
func token(kind string, d veles.Detector, signs ...string) detector {
	return detector{kind, signs, 1, int(d.MaxSecretLen()) + 1, d}
}

// beside is a detector of what stands near its sign.
func beside(kind string, reach int, d veles.Detector, signs ...string) detector {
	return detector{kind, signs, reach, reach, d}
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// followed makes a sign that is too short into those with one more character.
func followed(sign, by string) (out []string) {
	for _, c := range by {
		out = append(out, sign+string(c))
	}
	return out
}

// detectors are those whose secrets have a sign of their own. Those that tell a secret by its length and a word nearby, or
// take any address with a password, call too much a secret that is none.
var detectors = []detector{
	{"private key", []string{"-----BEGIN PRIVATE KEY", "-----BEGIN RSA PRIVATE KEY", "-----BEGIN EC PRIVATE KEY",
		"-----BEGIN DSA PRIVATE KEY", "-----BEGIN OPENSSH PRIVATE KEY", "-----BEGIN ED25519 PRIVATE KEY"}, 0, 16 << 10, privatekey.NewDetector()},
	beside("AWS access key", 1<<10, awsaccesskey.NewDetector(), "AKIA", "ASIA"),
	token("Google API key", gcpapikey.NewDetector(), "AIzaSy"),
	token("Google Cloud Express Mode key", gcpexpressmode.NewDetector(), "AQ.Ab8R"),
	beside("Google Cloud service account key", 4<<10, gcpsak.NewDetector(), "auth_provider_x509_cert_url",
		"ewogICJ0eXBlIjogInNlcnZpY2VfYWNjb3VudCIs"),
	token("Google OAuth 2 access token", gcpoauth2access.NewDetector(), "ya29."),
	beside("Google OAuth 2 client secret", 1<<10, gcpoauth2client.NewDetector(), "GOCSPX-"),
	token("GitHub personal access token", github.NewClassicPATDetector(), "ghp_", "Z2hwX"),
	token("GitHub fine-grained personal access token", github.NewFineGrainedPATDetector(), "github_pat_", "Z2l0aHViX3BhdF"),
	token("GitHub OAuth token", github.NewOAuthTokenDetector(), "gho_", "Z2hvX"),
	token("GitHub app user token", github.NewAppU2SDetector(), "ghu_", "Z2h1X"),
	token("GitHub app server token", github.NewAppS2STokenDetector(), "ghs_", "Z2hzX"),
	token("GitHub app refresh token", github.NewAppRefreshTokenDetector(), "ghr_", "Z2hyX"),
	token("GitLab personal access token", gitlabpat.NewDetector(), "glpat-"),
	beside("Bitbucket account in an address", 256, bitbucket.NewDetector(), "@bitbucket.org"),
	beside("AWS CodeCommit account in an address", 256, codecommit.NewDetector(), "@git-codecommit."),
	beside("Docker Hub personal access token", 256, dockerhubpat.NewDetector(), "dckr_pat_"),
	token("npm access token", npmjsaccesstoken.NewDetector(), "npm_"),
	token("PyPI API token", pypiapitoken.NewDetector(), "pypi-Ag"),
	token("RubyGems API key", rubygemsapikey.NewDetector(), "rubygems_"),
	token("Packagist organisation token", packagist.NewOrgReadTokenDetector(), "packagist_ort_"),
	token("Packagist organisation token", packagist.NewOrgUpdateTokenDetector(), "packagist_out_"),
	token("Packagist user token", packagist.NewUserUpdateTokenDetector(), "packagist_uut_"),
	token("HashiCorp Vault token", hashicorpvault.NewTokenDetector(), "hvs.", "hvb."),
	beside("HashiCorp Cloud client secret", 512, hcp.NewPairDetector(), "HCP_CLIENT_SECRET", "hcp_client_secret"),
	token("Slack app token", slacktoken.NewAppLevelTokenDetector(), "xapp-"),
	token("Slack configuration token", slacktoken.NewAppConfigAccessTokenDetector(), "xoxe.xoxp-"),
	token("Slack configuration refresh token", slacktoken.NewAppConfigRefreshTokenDetector(), "xoxe-"),
	beside("Telegram bot token", 256, telegrambotapitoken.NewDetector(), "telegram", "Telegram", "TELEGRAM", "tgram"),
	token("Stripe secret key", stripeapikeys.NewSecretKeyDetector(), "sk_live_"),
	token("Stripe restricted key", stripeapikeys.NewRestrictedKeyDetector(), "rk_live_"),
	token("Stripe webhook secret", stripeapikeys.NewWebhookSecretDetector(), "whsec_"),
	beside("Square OAuth secret", 512, squareapikey.NewOAuthApplicationSecretDetector(), "sq0csp-"),
	token("SendGrid API key", sendgrid.NewDetector(), followed("SG.", letters+"0123456789_-")...),
	token("OpenAI API key", openai.NewDetector(), "sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"),
	token("Anthropic API key", anthropicapikey.NewDetector(), "sk-ant-"),
	token("OpenRouter API key", openrouter.NewDetector(), "sk-or-v"),
	token("Perplexity API key", perplexityapikey.NewDetector(), "pplx-"),
	token("Hugging Face token", huggingfaceapikey.NewDetector(), followed("hf_", letters)...),
	token("DigitalOcean API token", digitaloceanapikey.NewDetector(), "dop_v1_"),
	token("Deno user token", denopat.NewUserTokenDetector(), "ddp_"),
	token("Deno organisation token", denopat.NewOrgTokenDetector(), "ddo_"),
	beside("Cloudflare API token", 128, cloudflareapitoken.NewDetector(), "CLOUDFLARE_", "CF_API_", "CF_TOKEN"),
	token("Elastic Cloud API key", elasticcloudapikey.NewDetector(), "essu_"),
	token("Heroku API key", herokuplatformkey.NewSecretKeyDetector(), "HRKU-"),
	token("Supabase personal access token", supabase.NewPATDetector(), "sbp_"),
	token("CircleCI personal access token", circleci.NewPersonalAccessTokenDetector(), "CCIPAT_"),
	token("CircleCI project token", circleci.NewProjectTokenDetector(), "CCIPRJ_"),
	token("Postman API key", postmanapikey.NewAPIKeyDetector(), "PMAK-"),
	token("1Password service account token", onepasswordkeys.NewServiceTokenDetector(), "ops_eyJ"),
	token("1Password recovery code", onepasswordkeys.NewRecoveryTokenDetector(), "1PRK-"),
}
