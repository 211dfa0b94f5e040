package audit

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

func TestALogIsToldInItsOrderHoweverManyProcessorsReadIt(t *testing.T) {
	var log strings.Builder
	for n := range 3 * batchSize {
		verb := []string{"create", "update"}[min(n, 1)]
		object := fmt.Sprintf(`{"kind":"Pod","metadata":{"uid":"u","resourceVersion":"%d"},"spec":{"containers":[`+
			`{"name":"c","securityContext":{"privileged":true}}]}}`, n+1)
		switch n % 5 {
		case 3:
			log.WriteString(`{"verb":` + "\n")
		case 4:
			fmt.Fprintf(&log, `{"items":[{"verb":"get","auditID":"%d"},{}]}`+"\n", n)
		default:
			fmt.Fprintf(&log, `{"verb":%q,"auditID":"%d","stage":"ResponseComplete","responseStatus":{"code":200},`+
				`"objectRef":{"resource":"pods","name":"p"},"requestObject":%s,"responseObject":%s}`+"\n", verb, n, object, object)
		}
	}
	told := func(processors int) (out []string) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		err := (&Decoder{Cluster: "c"}).Read(strings.NewReader(log.String()), func(b *Batch) error {
			for _, e := range b.Events {
				id, _ := e.Identity()
				out = append(out, fmt.Sprint(id, e.Fields, e.Entities))
			}
			out = append(out, fmt.Sprint(b.Rejected, b.Dropped))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	alone := told(1)
	if all := strings.Join(alone, "\n"); strings.Count(all, "container.privileged") != 1 {
		t.Errorf("of a pod that was privileged before, the first event alone tells it:\n%.2000s", all)
	}
	for range 5 {
		if beside := told(8); !reflect.DeepEqual(alone, beside) {
			t.Fatal("eight processors tell something else than one")
		}
	}
}

func TestWhatBreaksOffInAHelperIsLeftAndTheRestIsDone(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	done := make([]bool, 500)
	beside(len(done), func(i int) {
		if i%100 == 7 {
			panic("broken")
		}
		done[i] = true
	})
	for i, is := range done {
		if is == (i%100 == 7) {
			t.Errorf("%d: done %v", i, is)
		}
	}
	beside(0, func(int) { t.Error("nothing is to be done") })
	b := &Batch{}
	(&Decoder{}).line(b, &part{line: 1, text: `{"verb":"get"}`})
	if len(b.Events) != 1 {
		t.Errorf("what was left is not read again: %+v", b)
	}
}
