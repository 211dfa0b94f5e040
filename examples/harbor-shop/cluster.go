package harborshop

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"testing/fstest"
	"text/template"

	"sigs.k8s.io/yaml"
)

//go:embed clusters
var clusters embed.FS

// cluster renders a cluster's manifests and adds what its controllers made.
func (e *Estate) cluster(clusterName string) (Cluster, error) {
	applied, all := fstest.MapFS{}, fstest.MapFS{}
	dir := path.Join("clusters", clusterName)
	entries, err := fs.ReadDir(clusters, dir)
	if err != nil {
		return Cluster{}, fmt.Errorf("read the manifests of %s: %w", clusterName, err)
	}
	c := &controllers{imageID: e.ImageID}
	for _, entry := range entries {
		text, err := e.render(path.Join(dir, entry.Name()))
		if err != nil {
			return Cluster{}, err
		}
		all[entry.Name()] = &fstest.MapFile{Data: text, Mode: 0o444}
		if entry.Name() != "system.yaml" {
			applied[entry.Name()] = all[entry.Name()]
		}
		if err := c.read(text); err != nil {
			return Cluster{}, fmt.Errorf("read %s/%s: %w", dir, entry.Name(), err)
		}
	}
	made, err := c.made()
	if err != nil {
		return Cluster{}, fmt.Errorf("make the pods of %s: %w", clusterName, err)
	}
	text, err := documents(made)
	if err != nil {
		return Cluster{}, fmt.Errorf("write the pods of %s: %w", clusterName, err)
	}
	all["pods.yaml"] = &fstest.MapFile{Data: text, Mode: 0o444}
	return Cluster{Name: clusterName, Manifests: all, Applied: applied}, nil
}

// render fills in the registry: {{image "shop/cart:2.1.0"}}.
func (e *Estate) render(file string) ([]byte, error) {
	image := func(short string) (string, error) {
		if e.Digests[Host+"/"+short] == "" {
			return "", fmt.Errorf("there is no image %s", short)
		}
		return Host + "/" + short, nil
	}
	t, err := template.New(path.Base(file)).Funcs(template.FuncMap{"image": image}).ParseFS(clusters, file)
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", file, err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, nil); err != nil {
		return nil, fmt.Errorf("render %s: %w", file, err)
	}
	return b.Bytes(), nil
}

// documents is objects as multi-document YAML.
func documents(objects []any) ([]byte, error) {
	var b bytes.Buffer
	for _, o := range objects {
		text, err := yaml.Marshal(o)
		if err != nil {
			return nil, err
		}
		b.WriteString("---\n")
		b.Write(text)
	}
	return b.Bytes(), nil
}
