package image

import (
	"net/url"
	"slices"
	"strings"
)

// challenge is one way to sign in that a registry offers (RFC 9110, section 11).
type challenge struct {
	scheme string            // in lower case
	params map[string]string // by names in lower case
}

// maxChallenge bounds what is read of WWW-Authenticate.
const maxChallenge = 16 << 10

// challenges reads WWW-Authenticate, in which one header may hold several challenges and
// there may be several headers. What is no challenge ends the reading of its header.
func challenges(headers []string) (out []challenge) {
	for _, h := range headers {
		for s := h[:min(len(h), maxChallenge)]; ; {
			var c challenge
			if c, s = nextChallenge(strings.TrimLeft(s, " \t,")); c.scheme == "" {
				break
			}
			out = append(out, c)
		}
	}
	return out
}

func nextChallenge(s string) (c challenge, rest string) {
	scheme, s := token(s)
	c = challenge{strings.ToLower(scheme), map[string]string{}}
	for s = strings.TrimLeft(s, " \t"); ; s = strings.TrimLeft(s, " \t,") {
		name, after := token(s)
		value, isParam := strings.CutPrefix(strings.TrimLeft(after, " \t"), "=")
		switch {
		case name != "" && isParam:
			value, s = paramValue(strings.TrimLeft(value, " \t"))
			c.params[strings.ToLower(name)] = value
		case name == "" || len(c.params) > 0:
			return c, s // another scheme, or the end
		default: // a token68 stands alone, in place of parameters
			_, s = upTo(after, ",")
			return c, s
		}
	}
}

// paramValue is a quoted string, or what comes before the next separator: addresses stand
// without quotes, too.
func paramValue(s string) (value, rest string) {
	if strings.HasPrefix(s, `"`) {
		return quoted(s[1:])
	}
	return upTo(s, " \t,")
}

func upTo(s, separators string) (before, rest string) {
	if i := strings.IndexAny(s, separators); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// token is what s begins with of the characters of a token.
func token(s string) (name, rest string) {
	end := strings.IndexFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),:;<=>?@[\]{}`, r)
	})
	if end < 0 {
		end = len(s)
	}
	return s[:end], s[end:]
}

// quoted is the rest of a quoted string, without its escapes.
func quoted(s string) (value, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}

// best is the challenge to answer: a token, where the registry says from whom, before a
// password. Registries name them in any order.
func best(offered []challenge) (challenge, bool) {
	i := slices.IndexFunc(offered, challenge.givesToken)
	if i < 0 {
		i = slices.IndexFunc(offered, func(c challenge) bool { return c.scheme == "basic" })
	}
	if i < 0 {
		return challenge{}, false
	}
	return offered[i], true
}

func (c challenge) givesToken() bool {
	realm, err := url.Parse(c.params["realm"])
	return err == nil && c.scheme == "bearer" && (realm.Scheme == "https" || realm.Scheme == "http") && realm.Host != ""
}

// String writes a challenge with the parameters that say something.
func (c challenge) String() string {
	var params []string
	for _, name := range []string{"realm", "service", "scope", "error"} {
		if v := c.params[name]; v != "" {
			params = append(params, name+`="`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v)+`"`)
		}
	}
	return strings.TrimSpace(c.scheme + " " + strings.Join(params, ","))
}
