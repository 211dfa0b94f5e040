package vuln

import (
	"regexp"
	"strings"
)

// release is an ecosystem taken apart: Family "Ubuntu", Number "22.04",
// Channel "Pro". Only distributions have a Number.
type release struct{ Family, Number, Channel string }

func (r release) String() string {
	if r.Number == "" {
		return r.Family
	}
	return r.Family + ":" + r.Number
}

// family says how one ecosystem names releases and packages.
type family struct {
	number func(suffix string) string
	// channel is what else a suffix says: builds with versions of their own.
	channel func(suffix string) string
	// versions is the ecosystem whose comparison applies, if not its own.
	versions string
	// bySource: advisories name source packages only.
	bySource bool
	// byBoth: advisories name binary packages in some records, source packages in others.
	byBoth bool
	name   func(string) string
}

// families are the ecosystems with rules of their own. Others are compared as
// semantic says and have no releases.
var families = map[string]family{
	"Debian":         {number: untilDot, bySource: true},
	"Ubuntu":         {number: ubuntuNumber, channel: ubuntuChannel, bySource: true},
	"Echo":           {versions: "Debian", number: untilDot, bySource: true},
	"Alpine":         {number: alpineNumber, bySource: true},
	"Alpaquita":      {number: lowered, bySource: true},
	"Wolfi":          {byBoth: true},
	"Chainguard":     {byBoth: true},
	"MinimOS":        {byBoth: true},
	"CleanStart":     {versions: "Alpine", byBoth: true},
	"AlmaLinux":      {number: untilDot, byBoth: true},
	"Rocky Linux":    {number: untilDot, byBoth: true},
	"Red Hat":        {number: redHatNumber, byBoth: true},
	"CentOS":         {versions: "Red Hat", number: untilDot, byBoth: true},
	"Oracle Linux":   {versions: "Red Hat", number: firstPart, channel: secondPart, byBoth: true},
	"Amazon Linux":   {versions: "Red Hat", number: amazonNumber, channel: secondPart, byBoth: true},
	"Fedora":         {versions: "Red Hat", number: untilDot, byBoth: true},
	"Azure Linux":    {versions: "Red Hat", number: untilDot, byBoth: true},
	"Photon OS":      {versions: "Red Hat", number: lowered, byBoth: true},
	"SUSE":           {number: suseNumber, byBoth: true},
	"openSUSE":       {number: suseNumber, byBoth: true},
	"openEuler":      {number: lowered, byBoth: true},
	"Mageia":         {number: lowered, byBoth: true},
	"PyPI":           {name: pythonName},
	"NuGet":          {name: strings.ToLower},
	"Packagist":      {name: strings.ToLower},
	"GitHub Actions": {versions: "npm", name: strings.ToLower},
	"Kubernetes":     {versions: "Go"},
}

// parseEcosystem takes "Ubuntu:Pro:22.04:LTS" apart.
func parseEcosystem(text string) release {
	name, suffix, _ := strings.Cut(text, ":")
	r := release{Family: familyName(name)}
	f, ok := families[r.Family]
	if !ok || f.number == nil {
		return r
	}
	r.Number = f.number(suffix)
	if f.channel != nil {
		r.Channel = f.channel(suffix)
	}
	return r
}

// familyName forgives the case and the short names that other tools write.
func familyName(name string) string {
	name = strings.TrimSpace(name)
	if _, ok := families[name]; ok {
		return name
	}
	switch low := strings.ToLower(name); low {
	case "redhat", "rhel":
		return "Red Hat"
	case "rocky", "rockylinux":
		return "Rocky Linux"
	case "alma":
		return "AlmaLinux"
	case "amazon":
		return "Amazon Linux"
	case "oracle":
		return "Oracle Linux"
	case "cbl-mariner", "mariner": // as Azure Linux was called until its third release
		return "Azure Linux"
	default:
		for known := range families {
			if strings.ToLower(known) == low {
				return known
			}
		}
	}
	return name
}

// hasReleases says that a package of this family without a release cannot be judged.
func (r release) hasReleases() bool { return families[r.Family].number != nil }

// isDistribution says that the family's packages are those of a distribution.
func (r release) isDistribution() bool {
	f := families[r.Family]
	return f.bySource || f.byBoth
}

var elTag = regexp.MustCompile(`\.(?:el|amzn|azl|cm|fc)(\d+)`)

// inferred fills a missing release of an rpm distribution from the version's
// tag ("1.1.1k-4.el8"), which is all that some package databases tell.
func (r release) inferred(version string) release {
	if r.Number != "" || !r.hasReleases() {
		return r
	}
	if m := elTag.FindStringSubmatch(version); m != nil {
		r.Number = m[1]
	}
	return r
}

// comparable says that we know how versions of this family compare.
func comparable(familyName string) bool {
	_, err := parseVersion(familyName, "1.0")
	return err == nil
}

// packageName is the index form of a package's name.
func packageName(familyName, name string) string {
	if f := families[familyName]; f.name != nil {
		return f.name(name)
	}
	return name
}

// lookupNames are the names under which advisories may know the package, each
// with the version that those advisories speak of.
func (r release) lookupNames(p Package) []nameVersion {
	source, sourceVersion := p.Source, p.SourceVersion
	if source == "" {
		source = p.Name
	}
	if sourceVersion == "" {
		sourceVersion = p.Version
	}
	f := families[r.Family]
	switch {
	case f.bySource:
		return []nameVersion{{packageName(r.Family, source), sourceVersion}}
	case f.byBoth && source != p.Name:
		return []nameVersion{{packageName(r.Family, p.Name), p.Version}, {packageName(r.Family, source), sourceVersion}}
	default:
		return []nameVersion{{packageName(r.Family, p.Name), p.Version}}
	}
}

type nameVersion struct{ name, version string }

func lowered(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

func untilDot(s string) string {
	head, _, _ := strings.Cut(lowered(s), ".")
	return head
}

// amazonNumber is the generation: "2023" of "2023.6.20241010", "1" of the first one's releases, which had months ("2018.03").
func amazonNumber(s string) string {
	switch head, month, _ := strings.Cut(firstColon(s), "."); {
	case len(head) == 4 && head < "2022" && month != "":
		return "1"
	default:
		return head
	}
}

// firstPart and secondPart are those of "9:ksplice".
func firstPart(s string) string { return untilDot(firstColon(s)) }

func secondPart(s string) string {
	_, second, _ := strings.Cut(lowered(s), ":")
	return second
}

func firstColon(s string) string {
	first, _, _ := strings.Cut(lowered(s), ":")
	return first
}

var (
	ubuntuDigits = regexp.MustCompile(`\d\d\.\d\d`)
	alpineDigits = regexp.MustCompile(`^v?(\d+\.\d+)`)
	redHatMajor  = regexp.MustCompile(`^(?:enterprise_linux:)?(\d+)(?:\.\d+)?(?:::.*)?$`)
	suseWords    = regexp.MustCompile(`(\d+)(?:[ .-]*sp|\.)(\d+)|(\d+)`)
	pythonRuns   = regexp.MustCompile(`[-_.]+`)
)

func ubuntuNumber(s string) string { return ubuntuDigits.FindString(s) }

// ubuntuChannel is "" for the archive everyone has, "Pro" for the expanded
// maintenance archive, and a word for builds with versions of their own
// (FIPS, real-time kernels).
func ubuntuChannel(suffix string) string {
	channel := ""
	for part := range strings.SplitSeq(suffix, ":") {
		switch {
		case part == "Pro":
			channel = "Pro"
		case part != "" && part != "LTS" && !ubuntuDigits.MatchString(part):
			return part
		}
	}
	return channel
}

// alpineNumber keeps "3.18" of "v3.18.4". What edge calls itself ("3.21_alpha20240807") is no release yet.
func alpineNumber(s string) string {
	if strings.Contains(s, "_") {
		return "edge"
	}
	if m := alpineDigits.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return lowered(s)
}

// redHatNumber keeps the major release of the main stream; extended-update
// streams ("rhel_eus:8.4::appstream") have versions of their own and stay apart.
func redHatNumber(s string) string {
	if m := redHatMajor.FindStringSubmatch(lowered(s)); m != nil {
		return m[1]
	}
	head, _, _ := strings.Cut(lowered(s), "::")
	return head
}

// suseNumber makes "Linux Enterprise Server 15 SP4", "15.4" and "Leap 15.4" "15.4".
func suseNumber(s string) string {
	s = lowered(s)
	m := suseWords.FindStringSubmatch(s)
	switch {
	case m == nil:
		return s
	case m[1] != "":
		return m[1] + "." + m[2]
	default:
		return m[3]
	}
}

func pythonName(s string) string { return strings.ToLower(pythonRuns.ReplaceAllString(s, "-")) }
