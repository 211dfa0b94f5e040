package api

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/store"
)

// pages are the routes of the portal: ui/src/App.tsx, held to it by a test.
var pages = []string{"", "sign-in", "explorer", "paths", "path", "diff", "recommendations", "recommendation",
	"vulnerabilities", "vulnerability", "images", "image", "image/bases", "image/diff", "registries", "registries/connect", "registry", "sensors",
	"exceptions", "tokens", "alerts", "alert", "entity", "coverage", "activity"}

// portal serves the built pages: files, and the application on each of its
// routes. What is neither is not found: a person is told by the application,
// a program by a problem.
func portal(assets fs.FS) http.Handler {
	files := http.FileServerFS(assets)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		if rest, scoped := strings.CutPrefix(name, "in/"); scoped { // every page of one cluster: /in/prod/paths
			_, name, _ = strings.Cut(rest, "/")
		}
		if info, err := fs.Stat(assets, name); err == nil && !info.IsDir() && !strings.HasPrefix(name, ".") { // those are of the build
			if strings.HasPrefix(name, "assets/") {
				w.Header().Set("Cache-Control", "public, max-age=31536000, immutable") // names carry a hash
			}
			files.ServeHTTP(w, r)
			return
		}
		switch {
		case slices.Contains(pages, name):
			r.URL.Path = "/"
			files.ServeHTTP(w, r)
		case strings.Contains(r.Header.Get("Accept"), "text/html") && !strings.HasPrefix(name, "assets/"):
			tell(w, assets)
		default:
			notFound(w, r)
		}
	})
}

// tell lets the application say that there is no such page.
func tell(w http.ResponseWriter, assets fs.FS) {
	page, err := fs.ReadFile(assets, "index.html")
	if err != nil {
		problem(w, http.StatusInternalServerError, "the portal cannot be read", err.Error())
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write(page) // the asker left
}

func notFound(w http.ResponseWriter, r *http.Request) {
	problem(w, http.StatusNotFound, "no such page", r.Method+" "+r.URL.Path)
}

// ready answers who asks whether requests may come: 503 with the reasons until the first picture
// stands, and while the records cannot be written. A disk that is almost full is none: what is
// there can be read.
func (s *server) ready(w http.ResponseWriter, _ *http.Request) {
	var reasons []string
	if s.Unready != nil {
		reasons = s.Unready()
	}
	AnswerReady(w, reasons)
}

// AnswerReady answers a probe that asks whether requests may come: not while there are reasons.
func AnswerReady(w http.ResponseWriter, reasons []string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	answer := struct {
		Status  string   `json:"status"`
		Reasons []string `json:"reasons,omitempty"`
	}{"ready", reasons}
	if len(reasons) > 0 {
		answer.Status = "not ready"
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(answer) // the asker left
}

// room says why nothing more is stored.
func (s *server) room() string {
	if s.Room == nil {
		return ""
	}
	return s.Room()
}

// health answers probes, which have no session and no name of ours: whether the
// server and its store work, and nothing else.
func (s *server) health(w http.ResponseWriter, r *http.Request) {
	if _, err := s.Sessions.Session(r.Context(), ""); err != nil && !errors.Is(err, store.ErrNotFound) {
		s.Log.Error("the store does not answer", "error", err)
		problem(w, http.StatusServiceUnavailable, "the store does not answer", "see the server's log")
		return
	}
	AnswerAlive(w)
}

// AnswerAlive answers a probe that asks whether the server lives.
func AnswerAlive(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"status":"ok"}`+"\n") // the asker left
}
