// Package hostpath knows what lies under a folder or file of a node, and so what
// a container opens that is given it. It knows no cluster and reads no disk.
package hostpath

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// Ways are what the user of a folder or file of a node opens by it, each the word
// of one attack technique. What only writing opens is not opened by a read-only mount.
//
// One way that writes is enough to control the node, so only the first is told: the
// others would say the same of the same mount.
func Ways(folder string, readOnly bool) []string {
	ways := waysOf(Clean(folder), readOnly)
	if ways == nil && strings.Contains(folder, `\`) {
		return waysOf(asWindows(folder), readOnly) // a node of Windows may be meant
	}
	return ways
}

func waysOf(folder string, readOnly bool) (ways []string) {
	for _, p := range places {
		if !p.touches(folder) {
			continue
		}
		switch {
		case !p.read && !readOnly:
			return []string{p.way}
		case p.read && !slices.Contains(ways, p.way):
			ways = append(ways, p.way)
		}
	}
	return ways
}

// touches says whether a mounted folder is the place, holds it, or lies in it where
// what lies in it counts.
func (p place) touches(folder string) bool {
	at := p.path
	if in, home := strings.CutPrefix(at, "~"); home {
		at = homeAt(folder) + in
	}
	return within(at, folder) || p.tree && within(folder, at)
}

// homeAt is the home that a folder lies in, or one that it holds if it holds any.
func homeAt(folder string) string {
	if !within(folder, "/home") {
		return "/root"
	}
	user, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(folder, "/home"), "/"), "/")
	return "/home/" + cmp.Or(user, "*")
}

func within(inner, outer string) bool {
	return outer == "/" || inner == outer || strings.HasPrefix(inner, outer+"/")
}

// Join is the folder that a mount shows of a volume's folder. A part that steps back ends at the volume, as a kubelet
// has it. One that passes a link out of the volume is refused by kubelets that look and followed by those of before,
// so it is where the link leads.
func Join(folder, subPath string) string {
	if ofWindows(folder) {
		subPath = strings.ToLower(strings.ReplaceAll(subPath, `\`, "/"))
	}
	return follow(Clean(folder), subPath)
}

// Clean is the shortest name of a folder, one for all that mean the same: what a kernel comes to that walks it name by
// name. A Windows folder is named as a Linux one, without its drive.
func Clean(folder string) string {
	if ofWindows(folder) {
		return asWindows(folder)
	}
	return follow("/", folder)
}

// ofWindows tells a folder that only Windows would name so: by a drive or a backslash in front, or by no slash in front
// and a backslash anywhere. Elsewhere a backslash is a letter like others.
func ofWindows(folder string) bool {
	drive := len(folder) > 1 && folder[1] == ':' && folder[0] != '/'
	return drive || !strings.HasPrefix(folder, "/") && strings.Contains(folder, `\`)
}

// asWindows reads a folder as Windows does, which knows no upper case.
func asWindows(folder string) string {
	for _, device := range []string{`\\?\`, `\\.\`} {
		folder = strings.TrimPrefix(folder, device)
	}
	if len(folder) > 1 && folder[1] == ':' {
		folder = folder[2:]
	}
	return follow("/", strings.ToLower(strings.ReplaceAll(folder, `\`, "/")))
}

// follow walks names from a folder, never back beyond it; a link out of it leads to the whole node. It costs no more
// than the names are long.
func follow(root, names string) string {
	at := split(root)
	floor := len(at)
	for name := range strings.SplitSeq(names, "/") {
		switch name {
		case "", ".":
		case "..":
			at = at[:max(floor, len(at)-1)]
		default:
			at = append(at, name)
			if len(at) > deepestLink {
				continue
			}
			if from := "/" + strings.Join(at, "/"); leads(from) != from {
				if at = split(leads(from)); !within(leads(from), root) {
					floor = 0
				}
			}
		}
	}
	return "/" + strings.Join(at, "/")
}

func split(folder string) []string {
	return strings.FieldsFunc(folder, func(r rune) bool { return r == '/' })
}

// links are names of nodes' folders that lead to others.
var links = map[string]string{
	"/var/run": "/run", "/bin": "/usr/bin", "/sbin": "/usr/sbin", "/lib": "/usr/lib", "/lib64": "/usr/lib64", "/dev/fd": "/proc/self/fd",
}

// leads is where a name leads: it itself unless it is a link. The root and the working folder of a process of the node
// are the node's own as far as anybody knows who reads no node, and what it holds open may be too.
func leads(at string) string {
	if of, ok := strings.CutPrefix(at, "/proc/"); ok && ofProcess.MatchString(of) {
		return "/"
	}
	return cmp.Or(links[at], at)
}

// deepestLink is how many names the longest link has: /proc/1/task/1/fd/0.
const deepestLink = 6

var ofProcess = regexp.MustCompile(`^(\d+|self|thread-self)(/task/\d+)?/(root|cwd|fd/\d+)$`)
