package graph

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"unsafe"
)

var listed = Column{Name: "tags", Type: List}

func columnOf(t *testing.T, rows ...[]string) *Col {
	t.Helper()
	c := newCol(listed, len(rows))
	if err := c.fill(len(rows), func(i int) Value { return ListValue(rows[i]) }); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestListsThatDifferInAnythingAreToldApart(t *testing.T) {
	rows := [][]string{{"a", "b"}, {"ab"}, {"a", "b"}, nil, {}, {"", "a"}, {"a", ""}, {"b", "a"}, {"a\x01b"}, {"a", "b", ""},
		{"nil"}, {"il" + string(make([]byte, 108))}}
	c := columnOf(t, rows...)
	for i, want := range rows {
		if got := c.Value(uint32(i)).List(); !reflect.DeepEqual(got, want) {
			t.Errorf("row %d: %q, want %q", i, got, want)
		}
	}
	if got, want := len(c.lists.all), len(rows)-1; got != want {
		t.Errorf("%d lists are kept, want %d: two rows say the same", got, want)
	}
}

func TestAWordOfManyListsIsKeptOnce(t *testing.T) {
	var rows [][]string
	for i := range 10 {
		rows = append(rows, []string{fmt.Sprintf("own-%d", i), fmt.Sprint("shared")})
	}
	c := columnOf(t, rows...)
	first := unsafe.StringData(c.Value(0).List()[1])
	for i := range rows {
		if unsafe.StringData(c.Value(uint32(i)).List()[1]) != first {
			t.Fatalf("row %d has a word of its own", i)
		}
	}
}

func TestWhoAppendsToAListChangesNoOther(t *testing.T) {
	long := append(make([]string, 0, 8), "a")
	c := columnOf(t, long, []string{"a"}).changed(listed, 3, []change{{2, ListValue(long)}})
	for i := range uint32(3) {
		_ = append(c.Value(i).List(), "more")
	}
	for i := range uint32(3) {
		if l := c.Value(i).List(); !slices.Equal(l, []string{"a"}) || len(l[:cap(l)]) != 1 {
			t.Errorf("row %d: %q with room for %d", i, l, cap(l))
		}
	}
}

func TestListsThatNothingSaysAnyMoreAreForgotten(t *testing.T) {
	const rows = 4
	c := columnOf(t, []string{"a"}, []string{"b"}, nil, []string{"d"})
	before := c
	for n := range 50 {
		c = c.changed(listed, rows, []change{{1, ListValue([]string{fmt.Sprint(n)})}, {2, Value{}}})
		if len(c.lists.all) > 2*rows {
			t.Fatalf("after %d changes %d lists are kept for %d rows", n, len(c.lists.all), rows)
		}
	}
	if got := fmt.Sprint(c.Value(0), c.Value(1), c.Value(2).IsNull(), c.Value(3)); got != "a 49 true d" {
		t.Errorf("got %s", got)
	}
	if got := fmt.Sprint(before.Value(1), before.Value(2).IsNull()); got != "b false" {
		t.Errorf("the column of before says %s now", got)
	}
	j := join(listed, rows+1)
	j.add(c, 1, rows)
	j.add(before, 1, 2)
	j.add(nil, 0, 1)
	joined := j.done()
	if got := fmt.Sprint(joined.Value(0), joined.Value(1).IsNull(), joined.Value(2), joined.Value(3), joined.Value(4).IsNull()); got != "49 true d b true" {
		t.Errorf("joined: %s", got)
	}
	if len(joined.lists.all) != 3 {
		t.Errorf("%d lists are joined, want the 3 that rows say", len(joined.lists.all))
	}
}
