package kube

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/strictyaml"
)

// folder is what of a folder is to be read.
type folder struct {
	files []string
	// patches are the files by which a kustomization changes others: parts of
	// objects, and no objects.
	patches map[string]bool
}

// tree reads the manifests below a folder; files of other types are passed over.
func (m *manifests) tree(shown string, fsys fs.FS) error {
	found := folder{patches: map[string]bool{}}
	if err := m.walk(shown, fsys, &found); err != nil {
		return err
	}
	for _, name := range found.files {
		if found.patches[name] {
			m.facts.Count(collect.Left("a patch of a kustomization, which is a gap"))
			continue
		}
		m.file(shown, fsys, name, false)
	}
	return nil
}

func (m *manifests) walk(shown string, fsys fs.FS, found *folder) error {
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			m.unread(path.Join(shown, name), err)
			return nil
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			if !slices.Contains(ofTools, d.Name()) && !strings.HasPrefix(d.Name(), "..") && holdsManifests(fsys, name) {
				m.unread(path.Join(shown, name), errors.New("a hidden folder is not read: name it, if what it holds is applied"))
			}
			return fs.SkipDir
		case d.IsDir() && isFile(fsys, path.Join(name, "Chart.yaml")):
			m.chart(path.Join(shown, name))
			return fs.SkipDir
		case d.IsDir():
			return nil
		case slices.Contains(kustomizations, d.Name()):
			m.kustomization(shown, fsys, name, found)
			return nil
		case d.Type()&fs.ModeSymlink != 0 && isFolder(fsys, name):
			if !strings.HasPrefix(d.Name(), ".") { // "..data" of a mounted ConfigMap, whose files are links themselves
				m.unread(path.Join(shown, name), errors.New("a link to a folder is not followed: name the folder that it leads to"))
			}
			return nil
		case !isManifest(name):
			if how := unrendered(name); how != "" {
				m.unread(path.Join(shown, name), errors.New(how))
			}
			return nil
		}
		if m.files++; m.files > maxFiles {
			return fmt.Errorf("read manifests in %s: want at most %d files", shown, maxFiles)
		}
		found.files = append(found.files, name)
		return nil
	})
}

// ofTools are hidden folders whose YAML and JSON are settings of tools, which no cluster is given.
var ofTools = []string{".git", ".github", ".gitlab", ".gitea", ".hg", ".svn", ".circleci", ".devcontainer", ".idea", ".vscode",
	".terraform", ".venv", ".cache", ".npm", ".yarn"}

// holdsManifests says whether files of the types of manifests lie in or below a folder.
func holdsManifests(fsys fs.FS, dir string) (found bool) {
	_ = fs.WalkDir(fsys, dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && isManifest(name) {
			found = true
			return fs.SkipAll
		}
		return nil
	})
	return found
}

// manifestEnds are what kubectl takes of a folder, and JSON of a line each.
var manifestEnds = []string{".yaml", ".yml", ".json", ".jsonl", ".ndjson"}

func isManifest(name string) bool {
	return slices.Contains(manifestEnds, strings.ToLower(path.Ext(name)))
}

// unrendered says of a file that is to become manifests what makes them of it, and is
// empty for any other file.
func unrendered(name string) string {
	name = strings.ToLower(name)
	end := path.Ext(name)
	switch {
	case end == ".tar", end == ".zip", end == ".7z", end == ".rar", path.Ext(strings.TrimSuffix(name, end)) == ".tar", end == ".tgz":
		return "an archive is not opened: unpack it, and if it is a chart, `helm template FILE | breakwater … --from -`"
	case end == ".jsonnet", end == ".cue":
		return "it makes manifests when it is evaluated: the result is read from --from -"
	case end == ".db" && strings.Contains(name, "snapshot"):
		return snapshot
	}
	if !isManifest(strings.TrimSuffix(name, end)) {
		return ""
	}
	switch end {
	case ".gz", ".zst", ".xz", ".bz2":
		return "a compressed file is not opened: unpack it"
	case ".tpl", ".tmpl", ".gotmpl", ".template", ".j2", ".jinja", ".jinja2", ".erb", ".ejs", ".mustache":
		return "a template is read when it is rendered: the result is read from --from -"
	}
	return ""
}

func isFile(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && info.Mode().IsRegular()
}

func isFolder(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && info.IsDir()
}

// file reads one file. A file that was named must hold Kubernetes objects; one
// that was found in a folder may be anything.
func (m *manifests) file(dir string, fsys fs.FS, name string, named bool) {
	shown := path.Join(dir, name)
	b, err := content(fsys, name)
	if err == nil {
		err = packed(b)
	}
	if err != nil {
		m.unread(shown, err)
		return
	}
	before := m.objects
	m.content(shown, b)
	if named && m.objects == before && len(m.broken) == 0 {
		m.unread(shown, errors.New("want Kubernetes objects with apiVersion and kind; there is none in it"))
	}
}

const snapshot = "a snapshot of etcd is not read: restore it, and `kubectl get` what it holds"

// packed says of bytes that are no text what they are.
func packed(b []byte) error {
	for _, of := range []struct {
		at          int
		begins, how string
	}{
		{0, "\x1f\x8b", "a compressed file is not opened: unpack it"}, {0, "BZh", "a compressed file is not opened: unpack it"},
		{0, "\xfd7zXZ\x00", "a compressed file is not opened: unpack it"}, {0, "\x28\xb5\x2f\xfd", "a compressed file is not opened: unpack it"},
		{0, "PK\x03\x04", "an archive is not opened: unpack it"}, {257, "ustar", "an archive is not opened: unpack it"},
		{16, "\xed\xda\x0c\xed", snapshot},
	} {
		if len(b) > of.at && strings.HasPrefix(string(b[of.at:min(len(b), of.at+len(of.begins))]), of.begins) {
			return errors.New(of.how)
		}
	}
	return nil
}

// content is a regular file's bytes, as many as we take.
func content(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("want a regular file, not %s", info.Mode().Type())
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return bounded(f)
}

func bounded(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("want at most %d MiB", maxFile>>20)
	}
	return b, err
}

// chart says how a Helm chart is read: its templates are no manifests until they
// are rendered.
func (m *manifests) chart(where string) {
	m.unread(where, errors.New("a Helm chart is read when it is rendered: `helm template "+where+" | breakwater … --from -`"))
}

var kustomizations = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// kustomization says what a kustomization would change in what is read: nothing of
// that is applied. Its patches are left out, its resources are read as they stand.
func (m *manifests) kustomization(shown string, fsys fs.FS, name string, found *folder) {
	where := path.Join(shown, name)
	b, err := content(fsys, name)
	var k map[string]any
	if err == nil && len(b) > maxKustomization {
		err = fmt.Errorf("want at most %d bytes", maxKustomization)
	}
	if err == nil {
		err = strictyaml.Spelled(b, maxSpelled)
	}
	if err == nil {
		err = yaml.Unmarshal(b, &k)
	}
	if err != nil {
		m.unread(where, fmt.Errorf("want a kustomization: %w", err))
		return
	}
	elsewhere := found.resources(fsys, path.Dir(name), append(named(k["resources"]), named(k["bases"])...))
	if n := len(elsewhere); n > 0 {
		m.unread(where, fmt.Errorf("%d of its resources are not in the folder, the first of them %.200s: "+
			"`kubectl kustomize %s | breakwater … --from -` reads the result", n, elsewhere[0], path.Dir(where)))
	}
	changes := changesOf(k)
	if len(changes) == 0 && len(elsewhere) > 0 {
		return
	}
	if len(changes) == 0 {
		m.facts.Count(collect.Left("a kustomization that changes nothing"))
		return
	}
	for _, field := range []string{"patches", "patchesStrategicMerge", "patchesJson6902", "replacements", "transformers", "configurations"} {
		for _, file := range named(k[field]) {
			found.patches[path.Join(path.Dir(name), file)] = true
		}
	}
	folder := path.Dir(where)
	m.unread(where, fmt.Errorf("a kustomization's %s are not applied: `kubectl kustomize %s | breakwater … --from -` reads the result",
		strings.Join(changes, ", "), folder))
}

// resources takes the files that a kustomization names and that do not end as
// manifests do, and gives those of its resources that are not in the folder.
func (f *folder) resources(fsys fs.FS, dir string, resources []string) (elsewhere []string) {
	for _, r := range resources {
		name := path.Join(dir, r)
		switch {
		case strings.Contains(r, "://") || !fs.ValidPath(name) || !isFile(fsys, name) && !isFolder(fsys, name):
			elsewhere = append(elsewhere, r)
		case isFile(fsys, name) && !isManifest(name):
			f.files = append(f.files, name)
		}
	}
	return elsewhere
}

// changesOf is the fields of a kustomization that change or add objects.
func changesOf(k map[string]any) (out []string) {
	for _, field := range slices.Sorted(maps.Keys(k)) {
		switch field {
		case "apiVersion", "kind", "metadata", "resources", "bases", "openapi", "buildMetadata", "sortOptions":
		default:
			out = append(out, field)
		}
	}
	return out
}

// named is the files that a field of a kustomization names: as text, or as path.
func named(field any) (out []string) {
	list, _ := field.([]any)
	for _, entry := range list {
		switch e := entry.(type) {
		case string:
			out = append(out, e)
		case map[string]any:
			if p, ok := e["path"].(string); ok {
				out = append(out, p)
			}
		}
	}
	return out
}
