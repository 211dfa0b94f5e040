package cli

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/image"
)

func TestAScanTellsTheServerWhatIsInTheImageAndTriesAgainWhereThereIsNoRoom(t *testing.T) {
	var got assess.Upload
	asked := 0
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked == 1 {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		if r.Header.Get("Authorization") != "Bearer secret" || r.URL.Path != "/api/v1/uploads" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		text, err := io.ReadAll(z)
		if err != nil {
			t.Error(err)
		}
		if got, err = assess.ReadUpload(text); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"image":"sha256:aa","name":"registry.example/shop/web:1"}`)
	}))
	defer web.Close()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	u, err := (&uploading{to: web.URL, as: "registry.example/shop/web:1", tokenFile: file}).ready(1)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	inv := &image.Inventory{Version: image.InventoryVersion, Config: "sha256:" + strings.Repeat("a", 64), Reference: "docker-archive:web.tar"}
	if err := u.send(t.Context(), streams{out: &said, err: &said}, inv); err != nil {
		t.Fatal(err)
	}
	if got.Reference != "registry.example/shop/web:1" || got.ID != inv.Config || inv.Reference != "docker-archive:web.tar" ||
		!strings.Contains(said.String(), "told the server what is in registry.example/shop/web:1") || asked != 2 {
		t.Errorf("%+v, asked %d times, said %s", got, asked, &said)
	}
	u.token = "wrong"
	if err := u.send(t.Context(), streams{out: &said, err: &said}, inv); err == nil || !strings.Contains(err.Error(), "401") {
		t.Error(err)
	}
}

func TestAnUploadThatCannotBeIsRefusedBeforeAnythingIsRead(t *testing.T) {
	t.Setenv(uploadToken, "")
	for _, test := range []struct {
		u      uploading
		images int
		want   string
	}{
		{uploading{as: "r.example/a:1"}, 1, "go with --upload"},
		{uploading{to: "breakwater.example"}, 1, "want https://"},
		{uploading{to: "https://user:pw@breakwater.example"}, 1, "without an account"},
		{uploading{to: "http://breakwater.example"}, 1, "want https"},
		{uploading{to: "https://breakwater.example", as: "r.example/a:1"}, 2, "names one image"},
		{uploading{to: "https://breakwater.example", as: "A B"}, 1, "--upload-as"},
		{uploading{to: "https://breakwater.example"}, 1, uploadToken},
		{uploading{to: "https://breakwater.example", tokenFile: "/dev/null", ca: "/dev/null"}, 1, "want a token"},
	} {
		if _, err := test.u.ready(test.images); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q", test.u, err, test.want)
		}
	}
	t.Setenv(uploadToken, "x")
	if _, err := (&uploading{to: "https://breakwater.example", ca: "/dev/null"}).ready(1); err == nil ||
		!strings.Contains(err.Error(), "in PEM") {
		t.Error(err)
	}
	if u, err := (&uploading{}).ready(1); u != nil || err != nil {
		t.Errorf("%v, %v", u, err)
	}
}

func FuzzUploadAnswer(f *testing.F) {
	f.Add(`{"image":"sha256:aa","name":"registry.example/shop/web:1"}`)
	f.Add(`{"title":"no","detail":"\u001b[31m"}`)
	f.Fuzz(func(t *testing.T, body string) {
		name, image, why := uploadAnswer(strings.NewReader(body))
		if strings.ContainsAny(name+image+why, "\x1b\r\x00") {
			t.Errorf("%q %q %q", name, image, why)
		}
	})
}
