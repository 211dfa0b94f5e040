// Package hostpath knows what lies under a folder or file of a node, and so what
// a container opens that is given it. It knows no cluster and reads no disk.
package hostpath

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// Ways are what whoever uses a folder or file of a node opens by it, each the word
// of one attack technique. What only writing opens is not opened by a read-only mount.
//
// One way that writes is enough to control the node, so only the first is told: the
// others would say the same of the same mount.
func Ways(folder string, readOnly bool) (ways []string) {
	folder = Clean(folder)
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

// Join is the folder that a mount shows of a volume's folder.
func Join(folder, subPath string) string {
	return Clean(folder + "/" + subPath)
}

// sameAs are names of nodes' folders that lead to others.
var sameAs = []struct{ from, to string }{
	{"/proc/1/root", "/"}, {"/proc/1/cwd", "/"}, {"/proc/self/root", "/"},
	{"/var/run", "/run"}, {"/bin", "/usr/bin"}, {"/sbin", "/usr/sbin"}, {"/lib", "/usr/lib"}, {"/lib64", "/usr/lib64"},
}

// Clean is the shortest name of a folder, one for all that mean the same. A Windows
// folder is named as a Linux one, without its drive.
func Clean(folder string) string {
	if drive := strings.IndexByte(folder, ':'); drive == 1 || strings.Contains(folder, `\`) {
		folder = strings.ToLower(strings.ReplaceAll(folder[drive+1:], `\`, "/"))
	}
	folder = path.Clean("/" + folder)
	for _, s := range sameAs {
		if within(folder, s.from) {
			folder = path.Clean(s.to + strings.TrimPrefix(folder, s.from))
		}
	}
	return folder
}
