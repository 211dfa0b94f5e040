package egress

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"
)

// FuzzAnswer: of what a foreign server answers, a token is handed on that has the form of one, and of an error the
// known words; nothing else of it.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{`{"token":"abc.def==","expires_in":300}`, `{"access_token":"a","refresh_token":"b b"}`, `{"token":1}`,
		`{"errors":[{"code":"DENIED","message":"planted"},{"code":"planted"}]}`, `[`, ``, `{"token":"a","token":"b\\n"}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := http.NewRequest(http.MethodGet, "https://r.example/v2/", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer := func() *http.Response {
			return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body))}
		}
		text, _ := io.ReadAll(said(r, answer()).Body)
		var told struct {
			Errors []struct{ Code, Message string }
		}
		if json.Unmarshal(text, &told) == nil && len(told.Errors) > 3 {
			t.Errorf("%d errors are told", len(told.Errors))
		}
		if len(body) > 2000 && len(text) > 1000 {
			t.Errorf("an answer is repeated: %s", text)
		}
		s := &session{Transport: &Transport{}, registry: "r.example"}
		resp, err := s.tokens(r, answer())
		if err != nil {
			return
		}
		text, _ = io.ReadAll(resp.Body)
		var got map[string]any
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		for name, value := range got {
			if text, is := value.(string); is && !tokenForm.MatchString(text) || !is && name != "expires_in" {
				t.Errorf("%s is handed on: %v", name, value)
			}
		}
	})
}
