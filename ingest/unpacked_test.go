package ingest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/event/audit"
)

// TestWhatCloudsSendIsTaken: by Firehose, by Pub/Sub, by a forwarder; each event by itself, and as clean as others.
func TestWhatCloudsSendIsTaken(t *testing.T) {
	p := newPlace(t, t.TempDir())
	p.config.Unpack = audit.Unpack
	p.config.Clean = func(_ Kind, event []byte) []byte { return bytes.ReplaceAll(event, []byte("hunter2"), []byte("gone")) }
	r := p.start(t)
	token := p.token(t, "prod", Audit)
	const one = `{"auditID":"AT","verb":"get","requestURI":"/api/v1/secrets?p=hunter2"}`
	quoted := func(id string) string {
		b, _ := json.Marshal(strings.Replace(one, "AT", id, 1)) // of a text
		return string(b)
	}
	aks := func(id string) string { return `{"category":"kube-audit","properties":{"log":` + quoted(id) + `}}` }
	firehose := `{"requestId":"r","records":[{"data":"` + base64.StdEncoding.EncodeToString([]byte(aks("f"))) + `"}]}`
	pushed := `{"message":{"data":"` + base64.StdEncoding.EncodeToString([]byte(aks("p"))) + `"}}`
	for _, c := range []struct {
		name, body, query string
		header            map[string]string
		status            int
		answer            string
	}{
		{"a forwarder, one a line", one + "\n" + one + "\n", "", map[string]string{"Authorization": "Bearer " + token}, 200, ""},
		{"Event Hubs", `{"records":[` + aks("h") + `,` + aks("i") + `]}`, "", map[string]string{"Authorization": "Bearer " + token}, 200, ""},
		{"Firehose", firehose, "", map[string]string{firehoseKey: token, firehoseID: "r"}, 200, `"requestId":"r"`},
		{"Pub/Sub", pushed, "?token=" + token, nil, 200, ""},
		{"what is none", `{"a":1}`, "", map[string]string{"Authorization": "Bearer " + token}, 400, ""},
		{"no JSON", `audit`, "", map[string]string{"Authorization": "Bearer " + token}, 400, ""},
		{"another's token", pushed, "?token=x", nil, 401, ""},
	} {
		req, err := http.NewRequestWithContext(
			t.Context(),
			http.MethodPost,
			"https://"+r.Addr().String()+"/v1/audit/prod"+c.query,
			strings.NewReader(c.body),
		)
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range c.header {
			req.Header.Set(k, v)
		}
		resp, err := p.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		_, _ = said.ReadFrom(resp.Body) // what is missing fails below
		resp.Body.Close()
		if resp.StatusCode != c.status || !strings.Contains(said.String(), c.answer) {
			t.Errorf("%s: %s %s, want %d %s", c.name, resp.Status, said.String(), c.status, c.answer)
		}
	}
	sensor, err := p.client.Post("https://"+r.Addr().String()+"/v1/sensor/status?token="+p.token(t, "prod", Runtime), "application/json",
		strings.NewReader(`{"node": "n1"}`))
	if err != nil {
		t.Fatal(err)
	}
	sensor.Body.Close()
	if sensor.StatusCode != http.StatusUnauthorized {
		t.Errorf("a sensor's token in the address: %s", sensor.Status)
	}
	var got collected
	r.consume(t, got.handle)
	all := strings.Join(got.wait(t, 6), "")
	for _, id := range []string{"f", "h", "i", "p"} {
		if !strings.Contains(all, `"auditID":"`+id+`"`) {
			t.Errorf("event %s did not come: %s", id, all)
		}
	}
	if strings.Contains(all, "hunter2") {
		t.Errorf("a secret lies in the stream: %s", all)
	}
}
