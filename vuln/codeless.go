package vuln

import "regexp"

// Distributions' advisories name source packages, and a source makes binary
// packages that hold none of its code: documentation, translations, and headers
// of a kernel that a container does not run. Those are not affected in
// any version. Only names that distributions use for nothing else are listed.
var codelessName = regexp.MustCompile(`(?:-docs?|-l10n|-full-i18n)$|^locales(?:-all)?$|^(?:kernel-headers|linux-libc-dev)$|^linux-headers-`)

// Codeless says that a distribution's package holds no code that an advisory
// could speak of, and why; language packages never are.
func Codeless(p Package) (why string, yes bool) {
	if !parseEcosystem(p.Ecosystem).hasReleases() || !codelessName.MatchString(p.Name) {
		return "", false
	}
	return "the package holds documentation, translations or kernel headers, none of the code its source's advisories speak of", true
}
