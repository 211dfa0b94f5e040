package versions

import (
	"math/rand/v2"
	"strings"
)

// words are what versions of an ecosystem are made of: a head, numbers between joints, and tails.
type words struct {
	heads, joints, tails []string
	// bits are put in or taken out anywhere, to try what nobody would write.
	bits []string
	// numbers is how many of them a version has: at least and at most.
	numbers [2]int
	// small says that the tool holds numbers in 64 bits.
	small bool
}

var (
	debianWords = words{heads: []string{"", "", "", "1:", "2:", "0:"}, joints: []string{".", ".", ".", "+", "~"},
		tails: []string{"", "-1", "-2", "-1.1", "-0ubuntu1", "-1ubuntu2.1", "+dfsg-1", "~rc1-1", "~beta2", "+deb12u1", "-1~deb12u1",
			"-1+deb12u3", "-1+b2", "a", "p1", "+git20230101.abcdef-1", "-1build1", "~~", "~", "-1~bpo12+1"},
		bits: []string{"~", "+", "-", ".", "a", "Z", "0", "1", "9", "00"}, numbers: [2]int{1, 4}}
	rpmWords = words{heads: []string{"", "", "", "1:", "2:", "0:"}, joints: []string{".", ".", ".", "_", "~", "^"},
		tails: []string{"-1.el8", "-1.el9", "-2.el8_5", "-4.el8_5.2", "k-5.el8_5", "-1.fc38", "~rc1-1", "^git1-1", "^20230101-1",
			"-1.amzn2.0.3", "-150400.4.57.1", "-1.module+el8.6.0+1", "b1-1", "-0.1.rc2", "~-1"},
		bits: []string{"~", "^", ".", "_", "a", "Z", "0", "1", "9", "00", "+"}, numbers: [2]int{1, 4}}
	alpineWords = words{heads: []string{""}, joints: []string{"."},
		tails: []string{"", "-r0", "-r1", "-r10", "a-r0", "_rc1", "_rc1-r1", "_alpha", "_beta2", "_pre", "_p1", "_p20230101-r0", "_git20230101",
			"_git20230101-r1", "_cvs", "_svn1", "_hg2", "_p", "b", "_rc", "_alpha1_p2", "~deadbeef-r0"},
		bits: []string{"0", "1", "9", "00", ".0", ".01", "a", "_p1", "_rc2", "-r0"}, numbers: [2]int{1, 4}, small: true}
	npmWords = words{heads: []string{"", "", "v"}, joints: []string{"."},
		tails: []string{"", "", "", "-alpha", "-alpha.1", "-beta.2", "-beta.11", "-rc.1", "-0", "-1", "-1.2.3", "+build", "-rc.1+build.5",
			"-a.b-c",
			"-canary.20230101", "-next.0", "-alpha-1", "-Beta", "-x.7.z.92", "-0.3.7", "--", "-1a"},
		bits: []string{"0", "1", "9", "-", ".", "a", "+"}, numbers: [2]int{3, 3}}
	pythonWords = words{heads: []string{"", "", "", "", "1!", "v"}, joints: []string{"."},
		tails: []string{"", "", "a1", "b2", "rc1", "c1", ".dev0", ".dev3", ".post1", ".post2.dev1", "-1", "a1.dev2", "rc1.post1", "+local",
			"+local.1",
			"+ubuntu.1", ".alpha", "-beta-2", "_pre3", ".preview", ".rev4", "r5", "+1", "+a.1.b", "RC2", ".0", "post", "dev"},
		bits: []string{"0", "1", "9", "a", ".", "-", "_", "00"}, numbers: [2]int{1, 4}}
	mavenWords = words{heads: []string{""}, joints: []string{".", ".", ".", "-"},
		tails: []string{"", "", "-alpha", "-alpha-1", "a1", "-beta-2", "b2", "-M1", "-milestone-3", "-rc1", "-RC2", "-cr1", "-SNAPSHOT",
			".Final", ".GA",
			".RELEASE", "-sp", "-sp1", ".SP2", "-jre", "-android", ".v20200101", "-1", ".redhat-00001", "-alpha-1-SNAPSHOT", "-xyz", ".x", "-0",
			".0",
			"-b01", ".beta"},
		bits: []string{"0", "1", "9", "a", ".", "-", "x", "00"}, numbers: [2]int{1, 4}}
	rubyWords = words{heads: []string{""}, joints: []string{"."},
		tails: []string{"", "", "", ".pre", ".pre1", ".rc1", ".rc.2", ".beta", ".beta2", ".a", ".alpha.1", "-java", "-1", ".0", ".0.0", "a",
			"b1", ".x.0",
			".pre.0"},
		bits: []string{"0", "1", "9", "a", ".", "-", "B"}, numbers: [2]int{1, 4}}
	phpWords = words{heads: []string{"", "", "v"}, joints: []string{"."},
		tails: []string{"", "", "", "-alpha", "-alpha1", "-beta.2", "-beta3", "-RC1", "-rc2", "-dev", "-patch1", "-p2", "a1", "b2", "RC3",
			"-stable",
			"+build", "-alpha1-dev", ".0", "_beta1", "-pl3"},
		bits: []string{"0", "1", "9"}, numbers: [2]int{1, 4}, small: true}
	cargoWords = words{heads: []string{""}, joints: []string{"."},
		tails: []string{"", "", "", "-alpha", "-alpha.1", "-beta.2", "-beta.11", "-rc.1", "-0", "-1", "-1.2.3", "+build", "-rc.1+build.5",
			"-a.b-c", "-nightly.20230101", "-pre", "-alpha-1", "-Beta", "-x.7.z.92", "--", "-1a", "+5.4.0", "+wasi-0.2"},
		bits: []string{"0", "1", "9", "-", ".", "a", "+"}, numbers: [2]int{3, 3}, small: true}
	goWords = words{heads: []string{"v"}, joints: []string{"."},
		tails: []string{"", "", "", "-rc.1", "-beta.2", "-0.20230101000000-abcdefabcdef", "-rc.1.0.20230101000000-abcdefabcdef", "+incompatible",
			"-alpha", "-alpha.1", "-1", "-pre+incompatible"},
		bits: []string{"0", "1", "9", "-", ".", "a"}, numbers: [2]int{3, 3}}
)

var numbers = []string{"0", "1", "2", "3", "9", "10", "11", "100", "20230101", "01", "010", "18446744073709551616"}

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

// number is mostly a small one; the last of them is beyond 64 bits.
func (w words) number(r *rand.Rand) string {
	few := len(numbers)
	if w.small {
		few--
	}
	return numbers[min(r.IntN(few), r.IntN(few))]
}

func (w words) one(r *rand.Rand) string {
	var s strings.Builder
	s.WriteString(pick(r, w.heads))
	for i := range w.numbers[0] + r.IntN(w.numbers[1]-w.numbers[0]+1) {
		if i > 0 {
			s.WriteString(pick(r, w.joints))
		}
		s.WriteString(w.number(r))
	}
	s.WriteString(pick(r, w.tails))
	return s.String()
}

// beside is a version near another: what decides is often the last of them.
func (w words) beside(r *rand.Rand, v string) string {
	i := r.IntN(len(v) + 1)
	switch r.IntN(6) {
	case 0:
		return v[:i] + pick(r, w.bits) + v[i:]
	case 1:
		return v[:i] + v[min(i+1, len(v)):]
	case 2:
		return v[:i] + pick(r, w.bits) + v[min(i+1, len(v)):]
	case 3:
		return v + pick(r, w.tails)
	case 4:
		return v + pick(r, w.joints) + w.number(r)
	default:
		for _, tail := range w.tails {
			if head, ok := strings.CutSuffix(v, tail); ok && tail != "" {
				return head + pick(r, w.tails)
			}
		}
		return v + pick(r, w.tails)
	}
}

// pairs are n of them, the same for the same seed.
func (w words) pairs(seed uint64, n int) []pair {
	r := rand.New(rand.NewPCG(seed, 7))
	seen := map[pair]bool{}
	var out []pair
	for len(out) < n {
		p := pair{a: w.one(r)}
		p.b = w.beside(r, p.a)
		if r.IntN(4) == 0 {
			p.b = w.one(r)
		}
		if p.a != "" && p.b != "" && !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	return out
}
