package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/test/kubetest"
)

// TestNoSecretValueIsInStoreOrMemory greps a running server and all it wrote.
func TestNoSecretValueIsInStoreOrMemory(t *testing.T) {
	const value, name = "planted-secret-value-5e0c91", "planted-secret-name-77d2"
	c := kubetest.Start(t, kubetest.Options{NoControllers: true})
	role, err := os.ReadFile("../../deploy/rbac/readonly.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.Apply(t, string(role))
	c.Apply(t, fmt.Sprintf(`apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: default}
---
apiVersion: v1
kind: Secret
metadata: {name: %s, namespace: default}
stringData: {password: %s}
---
apiVersion: v1
kind: Pod
metadata: {name: user, namespace: default}
spec:
  containers: [{name: c, image: "example.com/a:1", envFrom: [{secretRef: {name: %s}}]}]
`, name, value, name))
	account, err := c.AccountKubeconfig("breakwater", "breakwater")
	if err != nil {
		t.Fatal(err)
	}
	bin := plainBinary(t)
	for _, test := range []struct {
		name, kubeconfig string
		args             []string
	}{
		{"with the documented role", account, nil},
		{"with names and types of Secrets", c.Kubeconfig, []string{"--secret-names"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("KUBECONFIG", test.kubeconfig)
			data := t.TempDir()
			s := serve(
				t,
				bin,
				append(test.args, "--from", "prod=context:test", "--listen", "127.0.0.1:0", "--data", data, "--no-images", "--save-every", "100ms")...)
			a := s.asker(t)
			until(t, "the pod and the secret's name", func() bool {
				var found []struct{ Name string }
				a.get(t, "/search?q="+name, &found)
				return len(found) > 0
			})
			memory := memoryOf(t, s.cmd.Process.Pid)
			if !bytes.Contains(memory, []byte(name)) {
				t.Fatal("the secret's name is not in memory: the search proves nothing")
			}
			s.stop(t) // it saves what it has
			written := filesBelow(t, data)
			for _, v := range []string{value, base64.StdEncoding.EncodeToString([]byte(value))} {
				if n := bytes.Count(memory, []byte(v)); n > 0 {
					t.Errorf("%s is %d times in memory", v, n)
				}
				if n := bytes.Count(written, []byte(v)); n > 0 {
					t.Errorf("%s is %d times in the data folder", v, n)
				}
			}
		})
	}
}

// memoryOf reads every readable page of a process.
func memoryOf(t *testing.T, pid int) []byte {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Skip("the memory of a process cannot be read here: ", err)
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Skip("the memory of a process cannot be read here: ", err)
	}
	defer mem.Close()
	var all bytes.Buffer
	for lines := bufio.NewScanner(bytes.NewReader(maps)); lines.Scan(); {
		var from, to int64
		var rights string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &rights); err != nil || !strings.HasPrefix(rights, "rw") {
			continue
		}
		_, _ = io.Copy(&all, io.NewSectionReader(mem, from, to-from)) // a page that went away holds nothing
	}
	return all.Bytes()
}

// filesBelow is everything a folder holds, dumps unpacked.
func filesBelow(t *testing.T, dir string) []byte {
	t.Helper()
	var all bytes.Buffer
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() { // the socket holds nothing
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		all.Write(b)
		all.Write(unpacked(b))
		return err
	})
	if err != nil || all.Len() == 0 {
		t.Fatalf("nothing was written: %v", err)
	}
	return all.Bytes()
}

func TestAClusterThatTellsNothingIsGapsNotSafety(t *testing.T) {
	c := kubetest.Start(t, kubetest.Options{NoControllers: true})
	c.Apply(t, "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: nobody, namespace: default}\n")
	kubeconfig, err := c.AccountKubeconfig("default", "nobody")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", kubeconfig)
	s := serve(t, plainBinary(t), "--from", "prod=context:test", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--no-images")
	a := s.asker(t)
	var st state
	until(t, "a gap for every kind", func() bool {
		a.get(t, "/status", &st)
		said := map[string]bool{}
		for _, g := range st.Gaps {
			if strings.Contains(g.Why, "forbidden") || strings.Contains(g.Why, "403") {
				said[g.What] = g.Consequence != ""
			}
		}
		return said["pods"] && said["services"] && said["nodes"] && said["networkpolicies.networking.k8s.io"] &&
			said["clusterroles.rbac.authorization.k8s.io"]
	})
	t.Logf("%d gaps; cluster %+v", len(st.Gaps), st.Clusters)
}

func TestAnEmptyClusterIsServed(t *testing.T) {
	c := kubetest.Start(t, kubetest.Options{NoControllers: true})
	t.Setenv("KUBECONFIG", c.Kubeconfig)
	s := serve(t, plainBinary(t), "--from", "prod=context:test", "--listen", "127.0.0.1:0", "--data", t.TempDir())
	a := s.asker(t)
	var st state
	until(t, "current", func() bool {
		a.get(t, "/status", &st)
		return st.Clusters[0].State == "current"
	})
	if st.Clusters[0].Counts["Pod"] != 0 || len(a.paths(t, "")) != 0 {
		t.Errorf("%+v", st)
	}
	var home struct{ Gaps []struct{ What, Why string } }
	a.get(t, "/home", &home)
	for _, g := range home.Gaps {
		if strings.Contains(g.Why, "403") || strings.Contains(g.Why, "refused") {
			t.Errorf("gap %+v", g)
		}
	}
}

func TestASlowServerIsWaitedForAndASilentOneIsSaid(t *testing.T) {
	c := kubetest.Start(t, kubetest.Options{NoControllers: true})
	bin := plainBinary(t)
	through := func(pass func(from, to net.Conn)) string {
		t.Helper()
		b, err := os.ReadFile(c.Kubeconfig)
		if err != nil {
			t.Fatal(err)
		}
		server, err := url.Parse(c.Admin.Host)
		if err != nil {
			t.Fatal(err)
		}
		kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
		text := strings.ReplaceAll(string(b), server.Host, between(t, server.Host, pass))
		if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return kubeconfig
	}
	t.Run("slow", func(t *testing.T) {
		t.Setenv("KUBECONFIG", through(func(from, to net.Conn) {
			b := make([]byte, 8<<10)
			for {
				n, err := from.Read(b)
				time.Sleep(20 * time.Millisecond) // at most 400 kB/s
				if _, e := to.Write(b[:n]); err != nil || e != nil {
					return
				}
			}
		}))
		s := serve(t, bin, "--from", "prod=context:test", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--no-images")
		a := s.asker(t)
		until(t, "current", func() bool {
			var st state
			a.get(t, "/status", &st)
			return st.Clusters[0].State == "current"
		})
	})
	t.Run("silent", func(t *testing.T) {
		t.Setenv("KUBECONFIG", through(func(from, _ net.Conn) { _, _ = io.Copy(io.Discard, from) }))
		s := serve(t, bin, "--from", "prod=context:test", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--no-images")
		a := s.asker(t)
		until(t, "that nobody answers", func() bool {
			var st state
			a.get(t, "/status", &st)
			for _, g := range st.Gaps {
				if g.What == "connection" && g.Consequence != "" {
					t.Logf("%s: %s", g.What, g.Why)
					return true
				}
			}
			return false
		})
	})
}

// between listens and hands each connection's halves to pass; it tells its address.
func between(t *testing.T, server string, pass func(from, to net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			upstream, err := net.Dial("tcp", server)
			if err != nil {
				client.Close()
				continue
			}
			go func() { defer upstream.Close(); pass(client, upstream) }()
			go func() { defer client.Close(); pass(upstream, client) }()
		}
	}()
	return l.Addr().String()
}

// unpacked is the content of a gzip file, nothing of any other.
func unpacked(b []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	text, _ := io.ReadAll(z) // a torn file holds what it holds
	return text
}
