package audit

import (
	"fmt"
	"strings"
	"testing"
)

// deployment is one with so many containers.
func deployment(containers int) string {
	return `{"kind":"Deployment","spec":{"template":{"spec":{"containers":[` +
		strings.TrimSuffix(strings.Repeat(`{"name":"c","image":"i"},`, containers), ",") + `]}}}}`
}

func patch(operations ...string) string { return "[" + strings.Join(operations, ",") + "]" }

func add(path string) string { return fmt.Sprintf(`{"op":"add","path":%q,"value":{}}`, path) }

func TestAPatchBeyondBoundsNamesEverything(t *testing.T) {
	first, object := add("/spec/template/spec/containers/0"), deployment(3)
	many := make([]string, maxOperations)
	for i := range many {
		many[i] = first
	}
	crowd := deployment(20_000)
	for _, c := range []struct {
		name, patch, object string
		whole               bool
	}{
		{"one operation", patch(first), object, false},
		{"as many as an API server takes", patch(many...), object, false},
		{"one more", patch(append(many, first)...), object, true},
		{"a way as deep as may be", patch(add(strings.Repeat("/a", maxWay))), object, false},
		{"a deeper one", patch(add(strings.Repeat("/a", maxWay+1))), object, true},
		{"one that is far deeper than any stack", patch(add(strings.Repeat("/a", 500_000))), object, true},
		{"every operation in every element", patch(many...), crowd, true},
	} {
		if got := named(c.patch, c.object); (got == c.object) != c.whole {
			t.Errorf("%s: everything is named: %v, want %v", c.name, !c.whole, c.whole)
		}
	}
	if got := stated(patch(add(strings.Repeat("/a", 500_000)))); got != "" {
		t.Errorf("%.60s", got)
	}
}

func TestOperationsThatMoveElementsMakeNumbersUntrustworthy(t *testing.T) {
	const list = "/spec/template/spec/containers/"
	for _, c := range []struct {
		name       string
		operations string
		images     int // of the three containers: in how many it stands
	}{
		{"one element by its number", patch(add(list + "1/image")), 1},
		{"another operation adds one before", patch(add(list+"1/image"), add(list+"0")), 3},
		{"another moves one away", patch(add(list+"1/image"), `{"op":"move","from":"`+list+`0","path":"/x"}`), 3},
		{"another moves one in another list", patch(add(list+"1/image"), add("/spec/other/0")), 1},
		{"the same adds it", patch(add(list + "1")), 1},
		{"the last", patch(add(list + "-")), 1},
		{"none", patch(add(list + "7/image")), 0},
		{"no number", patch(add(list + "01/image")), 0},
	} {
		object := strings.Replace(deployment(3), `"image":"i"`, `"image":"I"`, -1)
		if got := strings.Count(named(c.operations, object), `"image"`); got != c.images {
			t.Errorf("%s: %d, want %d", c.name, got, c.images)
		}
	}
}

func TestAnObjectOfMorePartsThanMayBeIsNotLookedInto(t *testing.T) {
	for n, want := range map[int]bool{maxParts: true, maxParts + 1: false} {
		if got := readable(strings.Repeat("{", n)); got != want {
			t.Errorf("%d parts: %v", n, got)
		}
	}
}

func TestWhatIsRememberedOfObjectsIsBounded(t *testing.T) {
	b := newBefore()
	facts := make([]string, 1000)
	for i := range facts {
		facts[i] = fmt.Sprint(i, strings.Repeat("f", 1000))
	}
	for i := range 500 { // 500 MB, were they all kept
		b.note(fmt.Sprint("uid-", i), 1, facts, true)
		b.note(fmt.Sprint("uid-", i), 2, facts, true)
	}
	if b.size > maxFacts || b.size < maxFacts/2 {
		t.Errorf("%d bytes, want up to %d", b.size, maxFacts)
	}
	sum := 0
	for _, versions := range b.recent.Values() {
		sum += sizeOf(versions)
	}
	if sum != b.size {
		t.Errorf("%d bytes are counted, and %d are there", b.size, sum)
	}
	if _, known := b.of("uid-499", 3); !known {
		t.Error("the last is forgotten")
	}
	if _, known := b.of("uid-0", 3); known {
		t.Error("the first is not")
	}
}

func BenchmarkClean(b *testing.B) {
	for name, text := range map[string]string{"get": request("get", "pods", `,"userAgent":"kubectl/v1.37.2 (linux/amd64)"`),
		"deployment": request("update", "deployments", `,"requestObject":`+deployment(3)+`,"responseObject":`+deployment(3))} {
		line := []byte(strings.ReplaceAll(text, "\n", ""))
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Clean(line)
			}
		})
		b.Run(name+" decoded", func(b *testing.B) {
			for b.Loop() {
				if _, err := (&Decoder{}).Decode(line); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
