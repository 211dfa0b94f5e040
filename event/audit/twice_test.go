package audit

import (
	"strings"
	"testing"
)

// Who writes an event may write a name twice, or with escapes: what is read of it and what is kept of it have to be of one mind.
func TestASecretIsTakenOutHoweverItsNameIsWritten(t *testing.T) {
	const secret = "hunter2hunter2hunter2"
	const head = `"level":"RequestResponse","auditID":"1","stage":"ResponseComplete","verb":"create","requestURI":"/api/v1/namespaces/a/secrets",` +
		`"user":{"username":"u"},"objectRef":{"resource":"secrets","namespace":"a","name":"s","apiVersion":"v1"},`
	body := `{"kind":"Secret","metadata":{"name":"s"},"stringData":{"password":"` + secret + `"}}`
	pod := `{"kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i","env":[{"name":"PASSWORD","value":"` + secret +
		`"}],"command":["sh","-c","PASSWORD=` + secret + ` run"]}]}}`
	for name, event := range map[string]string{
		"twice":                 `{` + head + `"requestObject":{},"requestObject":` + body + `}`,
		"twice, the first":      `{` + head + `"requestObject":` + body + `,"requestObject":{}}`,
		"escaped":               `{` + head + `"requestObj\u0065ct":` + body + `}`,
		"in other case":         `{` + head + `"RequestObject":` + body + `,"REQUESTOBJECT":` + pod + `}`,
		"a pod, twice":          `{` + strings.ReplaceAll(head, "secrets", "pods") + `"requestObject":` + pod + `,"requestObject":` + pod + `}`,
		"a pod, keys twice":     `{` + strings.ReplaceAll(head, "secrets", "pods") + `"requestObject":{"spec":{},"spec":{"containers":[{"name":"c","env":[{"name":"A","name":"PASSWORD","value":"x","value":"` + secret + `"}]}]}}}`,
		"a pod, escaped":        `{` + strings.ReplaceAll(head, "secrets", "pods") + `"requestObject":{"sp\u0065c":{"containers":[{"name":"c","\u0065nv":[{"name":"PASSW\u004fRD","value":"` + secret + `"}]}]}}}`,
		"of an unknown name":    `{` + head + `"more":` + body + `}`,
		"in the user":           `{` + head + `"user":{"username":"u","extra":{"password":["` + secret + `"]},"extr\u0061":{"token":["` + secret + `"]}}}`,
		"in the annotations":    `{` + head + `"annotations":{"password":"` + secret + `","p":"password=` + secret + `"}}`,
		"invalid UTF-8":         `{` + head + `"requestObject":{"stringData":{"pass` + "\xff" + `word":"` + secret + `"}}}`,
		"in the object's names": `{` + head + `"responseStatus":{"message":"password=` + secret + ` is bad","code":400}}`,
	} {
		if kept := string(Clean([]byte(event))); strings.Contains(kept, secret) {
			t.Errorf("%s: %s", name, kept)
		}
	}
}
