package runtime

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestWhatLooksLikeASecretIsTakenOut(t *testing.T) {
	tests := []struct{ command, gone, stays string }{
		{"app --password=hunter2 --host=db", "hunter2", "--host=db"},
		{"app --password hunter2 --host db", "hunter2", "--host db"},
		{"app -password hunter2 x", "hunter2", "app"},
		{"env DB_PASSWORD=hunter2 HOME=/root app", "hunter2", "HOME=/root"},
		{"java -Dspring.datasource.password=hunter2 -jar a.jar", "hunter2", "-jar a.jar"},
		{"mysql -uroot -phunter2 shop", "hunter2", "-uroot"},
		{"mysql -u root -p shop", "\x00", "-p shop"},
		{"sshpass -p hunter2 ssh host", "hunter2", "ssh host"},
		{"redis-cli -a hunter2 ping", "hunter2", "ping"},
		{"curl -u alice:hunter2 https://x.example/a", "hunter2", "alice:"},
		{"curl --user alice:hunter2 x", "hunter2", "alice:"},
		{"curl https://alice:hunter2@x.example/a", "hunter2", "x.example/a"},
		{"curl -H|Authorization: Bearer abcdef123 x|https://x.example", "abcdef123", "https://x.example"},
		{"curl -H|X-Api-Key: abcdef123|y", "abcdef123", "X-Api-Key"},
		{"curl https://x.example/a?token=abc123&page=2", "abc123", "page=2"},
		{"curl -d|{\"user\":\"a\",\"password\":\"hunter2\"}", "hunter2", `"user":"a"`},
		{"sh -c|mysql -uroot -phunter2 -e 'select 1'", "hunter2", "select 1"},
		{"sh -c|export TOKEN=hunter2; curl -u a:hunter2 x; redis-cli -a hunter2 ping", "hunter2", "ping"},
		{"sh -c|app --token hunter2 --verbose", "hunter2", "--verbose"},
		{"docker login -u alice -p hunter2 r.example", "hunter2", "r.example"},
		{"docker run -p 8080:80 web", "\x00", "-p 8080:80"},
		{"aws configure set aws_access_key_id AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE", "configure"},
		{"git clone https://ghp_abcdefghijklmnopqrstuvwxyz0123456789@github.com/x/y", "ghp_abc", "github.com"},
		{"app eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "eyJ", "app"},
		{"app wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY1", "wJalrX", "app"},
		{"cat /etc/shadow", "\x00", "/etc/shadow"},
		{"sh -c|cat /var/run/secrets/kubernetes.io/serviceaccount/token", "\x00", "serviceaccount/token"},
		{"ls /var/lib/kubelet/pods/0f0e0d0c-0b0a-4908-8706-050403020100/volumes", "\x00", "0f0e0d0c-0b0a-4908-8706-050403020100"},
		{"ctr run r.example/a@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 x", "\x00", "sha256:9f86d0"},
	}
	for _, test := range tests {
		arguments := strings.Fields(test.command)
		if first, rest, ok := strings.Cut(test.command, "|"); ok {
			arguments = append(strings.Fields(first), strings.Split(rest, "|")...)
		}
		r := exec(func(r *Record) { r.Process.Path, r.Process.Arguments = "/usr/bin/"+arguments[0], arguments })
		e := decode(t, &Decoder{}, r).Events[0]
		got := e.Fields["CommandLine"][0]
		var kept Record
		if err := json.Unmarshal(e.Evidence(), &kept); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(got, test.gone) || !strings.Contains(got, test.stays) || strings.Join(kept.Process.Arguments, " ") != got {
			t.Errorf("%q became %q, evidence %q: want no %q, and %q", test.command, got, kept.Process.Arguments, test.gone, test.stays)
		}
	}
}

func TestARecordKeepsNothingThatIsNotKnownOfOne(t *testing.T) {
	for name, line := range map[string]string{
		"a member": `{"version":1,"kind":"exec","node":"n","sequence":1,"time":"2026-01-01T00:00:00Z","any":"hunter2",` +
			`"process":{"name":"sh","environment":["A=hunter2"]}}`,
		"an ancestor": `{"version":1,"kind":"exec","node":"n","sequence":1,"time":"2026-01-01T00:00:00Z","process":{"name":"sh"},` +
			`"ancestors":[{"name":"sh","arguments":["sh","-c","mysql -phunter2"]}]}`,
		"why":         `{"version":1,"kind":"lost","node":"n","sequence":1,"time":"2026-01-01T00:00:00Z","lost":1,"why":"password=hunter2"}`,
		"no record":   `{"any":"hunter2"}`,
		"wrong types": `{"version":"hunter2","kind":"exec","arguments":"hunter2"}`,
		"no object":   `["hunter2"]`,
	} {
		clean := Clean([]byte(line))
		if !json.Valid(clean) || strings.Contains(string(clean), "hunter2") {
			t.Errorf("%s: %s", name, clean)
		}
		tells := func(line []byte) (out string) {
			if err := (&Decoder{}).Read(bytes.NewReader(line), func(b *Batch) error { out = toldOf(b); return nil }); err != nil {
				t.Fatal(err)
			}
			return out
		}
		if raw, cleaned := tells([]byte(line)), tells(clean); raw != cleaned && !strings.Contains(raw, "no record") && name != "why" {
			t.Errorf("%s: cleaned, it tells\n%s\nwant\n%s", name, cleaned, raw)
		}
	}
}
