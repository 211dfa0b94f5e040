package runtime

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// Arguments hold passwords, and an alert outlives them. So what looks like one is
// taken out before anything else sees it: rules, sentences and evidence get the
// rest. What is not recognised stays, which no list can rule out.

const hidden = "…"

// secretName is how names of secrets end: password, db_passwd, API-Key, AWS_SECRET_ACCESS_KEY.
const secretName = `[\w.-]*(?:passw(?:or)?d|pwd|passphrase|secret|token|credentials?|authorization|api[_.-]?key|` +
	`(?:access|private|secret|account|shared|encryption|signing|auth)[_.-]?key|auth|pass|apikey)`

var (
	// --password=x, PASSWORD=x, -Ddb.password=x, "token": "x", X-Api-Key: x
	assigned = regexp.MustCompile(`(?i)(^|[\s"'` + "`" + `;&|?,{(-])(` + secretName +
		`)(["']?\s*[=:]\s*["']?)((?:(?:bearer|basic|token|digest|negotiate)\s+)?[^\s"'` + "`" + `&;,)}]+)`)
	// --password x within one text, such as the script of sh -c
	followed = regexp.MustCompile(`(?i)((?:^|[\s"'])--?` + secretName + `\s+["']?)([^\s"'-][^\s"']*)`)
	// scheme://user:password@host
	inAddress = regexp.MustCompile(`(://[^/\s:@"']*:)[^/\s@"']+(@)`)
	scheme    = regexp.MustCompile(`(?i)\b((?:bearer|basic)\s+)[\w.~+/=-]{6,}`)
	// What tokens of well-known makers look like, and keys in PEM.
	shaped = regexp.MustCompile(`\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|` +
		`\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|` +
		`\bxox[abeprs]-[\w-]{10,}|` +
		`\bsk[-_](?:live[-_]|test[-_]|ant[-_]|proj[-_])?[\w-]{16,}|` +
		`\bAIza[\w-]{30,}|\bnpm_\w{30,}|` +
		`\beyJ[\w-]{6,}\.[\w-]+(?:\.[\w-]*)?|` +
		`-----BEGIN [A-Z ]*PRIVATE KEY-----[^"']*`)
	// A long run of letters and digits that is no word of a language.
	long = regexp.MustCompile(`(?:\b(?:sha256|sha512|sha1|md5):)?[A-Za-z0-9+=]{20,}`)
	// a whole flag whose value is the next argument
	flag = regexp.MustCompile(`(?i)^--?` + secretName + `$`)
)

// given are the short flags by which programs take a password, in the same
// argument or the next; for -u it is what stands behind a colon.
var given = map[string][]string{
	"mysql": {"-p"}, "mysqldump": {"-p"}, "mysqladmin": {"-p"}, "mysqlimport": {"-p"}, "mariadb": {"-p"}, "mariadb-dump": {"-p"},
	"mariadb-admin": {"-p"}, "sshpass": {"-p"}, "mongo": {"-p"}, "mongosh": {"-p"}, "mongodump": {"-p"}, "docker": {"-p"},
	"podman": {"-p"}, "nerdctl": {"-p"}, "helm": {"-p"}, "skopeo": {"-p"}, "crane": {"-p"}, "az": {"-p"}, "redis-cli": {"-a"},
	"valkey-cli": {"-a"}, "ldapsearch": {"-w"}, "ldapmodify": {"-w"}, "ldapadd": {"-w"}, "sqlcmd": {"-P"}, "smbclient": {"-U"},
	"rpcclient": {"-U"}, "openssl": {"-k", "-K"}, "curl": {"-u", "--user", "-U", "--proxy-user"}, "zip": {"-P"}, "unzip": {"-P"}, "7z": {"-p"},
}

// pairs are programs whose short flags take name:password.
var pairs = []string{"curl", "smbclient", "rpcclient"}

// glued are those that take a password only without a space; with one it is a
// prompt, and what follows something else.
var glued = []string{"mysql", "mysqldump", "mysqladmin", "mysqlimport", "mariadb", "mariadb-dump", "mariadb-admin", "7z"}

// afterLogin are programs for which -p is a password only after the word login.
var afterLogin = []string{"docker", "podman", "nerdctl", "helm", "skopeo", "crane", "az"}

// harmless copies arguments without what looks like a secret.
func harmless(name string, arguments []string) []string {
	out := make([]string, len(arguments))
	flags := given[name]
	if slices.Contains(afterLogin, name) && !slices.Contains(arguments, "login") {
		flags = nil
	}
	next := ""
	for i, a := range arguments {
		switch {
		case next != "":
			out[i], next = takenOut(name, next, a), ""
		case i > 0 && flag.MatchString(a):
			out[i], next = a, a
		case i > 0 && slices.Contains(flags, a) && !slices.Contains(glued, name):
			out[i], next = a, a
		case i > 0 && behind(flags, a) != "":
			f := behind(flags, a)
			out[i] = f + takenOut(name, f, a[len(f):])
		default:
			out[i] = harmlessText(a)
		}
	}
	return out
}

// behind is the flag that an argument begins with and goes on after.
func behind(flags []string, argument string) string {
	for _, f := range flags {
		if len(f) == 2 && len(argument) > 2 && strings.HasPrefix(argument, f) {
			return f
		}
	}
	return ""
}

// takenOut is what is left of the value of a flag.
func takenOut(name, flag, value string) string {
	if slices.Contains(pairs, name) && strings.Contains(strings.ToLower(flag), "u") {
		user, _, has := strings.Cut(strings.ReplaceAll(value, "%", ":"), ":")
		if !has {
			return harmlessText(value)
		}
		return user + ":" + hidden
	}
	return hidden
}

// Bounds of one text. A sensor keeps less of it.
const (
	maxText     = 32 << 10
	maxCommands = 64
)

// harmlessText takes secrets out of one text, which may be a script.
func harmlessText(s string) string {
	if len(s) < 6 {
		return s
	}
	if len(s) > maxText {
		s = s[:maxText] + hidden
	}
	if strings.ContainsAny(s, "=:") {
		s = assigned.ReplaceAllString(s, "${1}${2}${3}"+hidden)
		s = inAddress.ReplaceAllString(s, "${1}"+hidden+"${2}")
	}
	if strings.ContainsAny(s, " \t\n") {
		s = followed.ReplaceAllString(s, "${1}"+hidden)
		s = scheme.ReplaceAllString(s, "${1}"+hidden)
		s = inScript(s)
	}
	if len(s) >= 16 {
		s = shaped.ReplaceAllString(s, hidden)
		s = long.ReplaceAllStringFunc(s, unlessWord)
	}
	return s
}

// inScript looks at the commands of a script as if each were started by itself.
func inScript(s string) string {
	words := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t\n;|&()", r) })
	commands := 0
	for i, w := range words {
		if len(given[path.Base(w)]) == 0 {
			continue
		}
		if commands++; commands > maxCommands {
			return hidden
		}
		end := min(len(words), i+16)
		cleaned := flagsOnly(path.Base(w), words[i:end])
		for k, c := range cleaned {
			if have := words[i+k]; c != have && len(have) > 2 {
				s = strings.ReplaceAll(s, have, c)
			}
		}
	}
	return s
}

// flagsOnly is harmless for words of a script: values are taken out, the rest stays.
func flagsOnly(name string, words []string) []string {
	out := slices.Clone(words)
	flags := given[name]
	if slices.Contains(afterLogin, name) && !slices.Contains(words, "login") {
		return out
	}
	for i := 1; i < len(words); i++ {
		if f := behind(flags, words[i]); f != "" {
			out[i] = f + takenOut(name, f, words[i][len(f):])
		} else if slices.Contains(flags, words[i]) && !slices.Contains(glued, name) && i+1 < len(words) {
			out[i+1] = takenOut(name, words[i], words[i+1])
			i++
		}
	}
	return out
}

// unlessWord hides a long run unless it is a word, a number or a digest.
func unlessWord(s string) string {
	if strings.HasPrefix(s, "sha") || strings.HasPrefix(s, "md5:") {
		return s
	}
	digits := strings.ContainsAny(s, "0123456789")
	lower, upper := s != strings.ToUpper(s), s != strings.ToLower(s)
	if digits && lower && upper || len(s) >= 32 && digits && (lower || upper) {
		return hidden
	}
	return s
}
