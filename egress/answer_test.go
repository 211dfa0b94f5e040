package egress

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// answered is what a registry's answer becomes: its status and body, or an error.
func answered(t *testing.T, r *http.Request, token bool, status int, location, body string) (string, error) {
	t.Helper()
	resp := &http.Response{StatusCode: status, Header: http.Header{}, Trailer: http.Header{"X": {planted}},
		Body: io.NopCloser(strings.NewReader(body))}
	if location != "" {
		resp.Header.Set("Location", location)
	}
	resp, err := asking(t, Policy{}, "r.example").answer(r, resp, token)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(resp.Body)
	if length := resp.Header.Get("Content-Length"); length != "" && (length != strconv.Itoa(len(b)) || resp.Trailer != nil) {
		t.Errorf("%d: length %s of %d bytes, trailer %v", status, length, len(b), resp.Trailer)
	}
	return fmt.Sprintf("%d %s", resp.StatusCode, b), err
}

func TestWhatOfAnAnswerIsHandedOn(t *testing.T) {
	const elsewhere, hidden = "https://evil.test/", " 5 bytes that are not shown"
	for _, c := range []struct {
		method, rang string
		status       int
		location     string
		want, fails  string
	}{
		{"GET", "", 200, "", "200 layer", ""},
		{"GET", "", 200, elsewhere, "200 layer", ""},
		{"GET", "bytes=1-", 200, "", "200 layer", ""},
		{"GET", "bytes=1-", 206, "", "206 layer", ""},
		{"GET", "", 206, "", "206" + hidden, ""},
		{"GET", "bytes=1-", 207, "", "207" + hidden, ""},
		{"GET", "", 299, elsewhere, "299" + hidden, ""},
		{"GET", "", 300, elsewhere, "", "sends readers to another site"},
		{"GET", "", 399, elsewhere, "", "sends readers to another site"},
		{"GET", "", 400, elsewhere, "400" + hidden, ""},
		{"GET", "", 302, "", "302" + hidden, ""},
		{"HEAD", "", 404, "", "404 ", ""},
		{"GET", "", 302, "ftp://r.example/", "", "none of HTTP"},
		{"GET", "", 302, "http://%zz", "", "none of HTTP"},
		{"GET", "", 302, "/v2/else", "302 ", ""},
		{"GET", "", 307, "https://b.s3.amazonaws.com/", "307 ", ""},
		{"HEAD", "", 302, "https://b.s3.amazonaws.com/", "302 ", ""},
		{"HEAD", "", 308, "https://b.s3.amazonaws.com/", "308 ", ""},
		{"POST", "", 302, "https://b.s3.amazonaws.com/", "302 ", ""}, // GET from there on
		{"POST", "", 307, "https://b.s3.amazonaws.com/", "", "sends what was posted"},
		{"POST", "", 308, "https://b.s3.amazonaws.com/", "", "sends what was posted"},
		{"POST", "", 308, "/v2/else", "308 ", ""},
	} {
		r := request(t, c.method, "https://r.example/v2/a/blobs/b")
		if c.rang != "" {
			r.Header.Set("Range", c.rang)
		}
		got, err := answered(t, r, false, c.status, c.location, "layer")
		if got != c.want || !holds(err, c.fails) {
			t.Errorf("%s %s, %d %s: %q, %v; want %q, %q", c.method, c.rang, c.status, c.location, got, err, c.want, c.fails)
		}
	}
}

// filled is a document with spaces up to a length.
func filled(s string, length int) string { return s + strings.Repeat(" ", length-len(s)) }

func TestHowMuchOfAnErrorIsRead(t *testing.T) {
	const denied = `{"errors":[{"code":"DENIED"}]}`
	code := func(about string) string {
		return `403 {"errors":[{"code":"DENIED","message":"403 Forbidden, with ` + about + ` bytes that are not shown"}]}`
	}
	four := strings.NewReplacer("X", `{"code":"DENIED"}`).Replace(`{"errors":[{"code":"PLANTED"},X,X,X,X]}`)
	for _, c := range []struct{ name, body, want string }{
		{"at the bound", filled(denied, 65536), code("65536")},
		{"beyond it", filled(denied, 65537), code("more than 65536")},
		{"far beyond it", filled(denied, 90000), code("more than 65536")},
	} {
		got, err := answered(t, request(t, http.MethodGet, "https://r.example/v2/"), false, http.StatusForbidden, "", c.body)
		if got != c.want || err != nil {
			t.Errorf("%s: %q, %v; want %q", c.name, got, err, c.want)
		}
	}
	got, err := answered(t, request(t, http.MethodGet, "https://r.example/v2/"), false, http.StatusForbidden, "", four)
	if strings.Count(got, `"DENIED"`) != 3 || err != nil {
		t.Errorf("of four codes: %q, %v; want three", got, err)
	}
}

func TestWhatIsATokenServersAnswer(t *testing.T) {
	longest := strings.Repeat("a", 16384)
	const none = "was asked for a token, and what it answers is none"
	for _, c := range []struct{ name, body, want, fails string }{
		{"the longest token", `{"token":"` + longest + `"}`, `200 {"token":"` + longest + `"}`, ""},
		{"a longer token", `{"token":"` + longest + `a"}`, "", none},
		{"the longest answer", filled(`{"token":"a"}`, 65536), `200 {"token":"a"}`, ""},
		{"a longer answer", filled(`{"token":"a"}`, 65537), "", none + " (65537 bytes)"},
		{"a much longer answer", filled(`{"token":"a"}`, 90000), "", none + " (65537 bytes)"},
		{"an empty token beside one", `{"token":"","access_token":"a"}`, `200 {"access_token":"a"}`, ""},
		{"no token beside one", `{"token":null,"access_token":"a","refresh_token":7}`, `200 {"access_token":"a"}`, ""},
		{"both", `{"token":"a","access_token":"b","refresh_token":"c"}`, `200 {"access_token":"b","refresh_token":"c","token":"a"}`, ""},
		{"one to refresh alone", `{"refresh_token":"c"}`, "", none},
		{"a refresh token of another form", `{"token":"a","refresh_token":"b c"}`, "", none},
		{"a second", `{"token":"a","expires_in":1}`, `200 {"expires_in":1,"token":"a"}`, ""},
		{"no second", `{"token":"a","expires_in":0}`, `200 {"token":"a"}`, ""},
		{"before now", `{"token":"a","expires_in":-1}`, `200 {"token":"a"}`, ""},
		{"a word for seconds", `{"token":"a","expires_in":"planted"}`, `200 {"token":"a"}`, ""},
		{"a list", `["token"]`, "", none},
		{"more behind it", `{"token":"a"} planted`, "", none},
	} {
		got, err := answered(t, request(t, http.MethodGet, "https://auth.r.example/token"), true, http.StatusOK, "", c.body)
		if got != c.want || !holds(err, c.fails) {
			t.Errorf("%s: %.200q, %v; want %.200q, %q", c.name, got, err, c.want, c.fails)
		}
	}
}

// breaking gives some bytes and then fails as a connection does.
type breaking struct{ given bool }

func (b *breaking) Read(p []byte) (int, error) {
	if b.given {
		return 0, errors.New(planted)
	}
	b.given = true
	return copy(p, "layer"), nil
}

func TestABodyThatBreaksOffIsToldInOurWords(t *testing.T) {
	for _, token := range []bool{false, true} {
		resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(&breaking{})}
		got := ""
		resp, err := asking(t, Policy{}, "r.example").answer(request(t, http.MethodGet, "https://r.example:5000/v2/a/blobs/b"), resp, token)
		if err == nil {
			var b []byte
			b, err = io.ReadAll(resp.Body)
			got = string(b)
		}
		if err == nil || err.Error() != "r.example:5000: what it sends is not understood" || !token && got != "layer" {
			t.Errorf("for a token %v: %q, %v", token, got, err)
		}
	}
}

// TestWhoGoesOnAndOnIsCutOff: a byte now and then is below every bound of size, and holds nobody.
func TestWhoGoesOnAndOnIsCutOff(t *testing.T) {
	was := saidWithin
	saidWithin = 50 * time.Millisecond
	t.Cleanup(func() { saidWithin = was })
	for _, status := range []int{http.StatusUnauthorized, http.StatusInternalServerError, http.StatusOK} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte(" "))
				w.(http.Flusher).Flush()
				time.Sleep(time.Millisecond)
			}
		}))
		t.Cleanup(s.Close)
		resp, err := http.Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		r := request(t, http.MethodGet, s.URL)
		if status == http.StatusOK { // of a token server
			if _, err := asking(t, Policy{}, "registry.example").tokens(r, resp); err == nil {
				t.Error("a token that never ends is one")
			}
			continue
		}
		got := said(r, resp)
		b, err := io.ReadAll(got.Body)
		if err != nil || got.StatusCode != status || !strings.Contains(string(b), "bytes that are not shown") {
			t.Errorf("%d %q %v", got.StatusCode, b, err)
		}
	}
}
