package detect

import (
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/event"
)

// lineHolds runs one line of a selection on the values of a field.
func lineHolds(t *testing.T, line string, values ...string) bool {
	t.Helper()
	f := event.Fields{"other.name": {"same", "like"}}
	if len(values) > 0 {
		f["name"] = values
	}
	return holds(t, "  one:\n    "+line+"\n  condition: one\n", f)
}

func TestNumbersAreCompared(t *testing.T) {
	values := []string{"-1", "4", "4.9", "5", "5.0", "5.1", "40", "x", "", "NaN"}
	tests := map[string]string{
		"gt": "5.1 40", "gte": "5 5.0 5.1 40", "lt": "-1 4 4.9", "lte": "-1 4 4.9 5 5.0",
	}
	for how, want := range tests {
		var got []string
		for _, v := range values {
			if lineHolds(t, "name|"+how+": 5", v) {
				got = append(got, v)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s 5 holds for %v, want %s", how, got, want)
		}
		if lineHolds(t, "name|"+how+": 5") {
			t.Errorf("%s 5 holds for an absent field", how)
		}
	}
	// More digits than a short float has.
	if !lineHolds(t, "name|gt: 16777216", "16777217") {
		t.Error("16777217 is not more than 16777216")
	}
}

func TestOneValueOfAFieldIsEnough(t *testing.T) {
	tests := []struct {
		line   string
		values []string
		want   bool
	}{
		{"name: b", []string{"a", "b"}, true},
		{"name: c", []string{"a", "b"}, false}, {"name: [c, b]", []string{"a", "b"}, true},
		{"name|all: [b, a]", []string{"a", "b"}, true},
		{"name|all: [a, c]", []string{"a", "b"}, false}, {"name|all: [a, A]", []string{"a"}, true},
		{"name|all: [a, b]", []string{"a"}, false},
		{"name|re|all: [^a, z$]", []string{"abz"}, true}, {"name|re|all: [^a, z$]", []string{"ab"}, false},
		{"name|contains|cased: eB", []string{"weB"}, true}, {"name|contains|cased: eB", []string{"web"}, false},
		{"name|cased: [get, LIST]", []string{"LIST"}, true}, {"name|cased: [get, LIST]", []string{"list"}, false},
		{"name|cased: null", nil, true}, {"name: [null, '']", []string{""}, true},
		{"name: [null, '']", nil, true}, {"name: [null, x]", nil, true},
		{"name: null", []string{""}, false},
		{"name|exists: false", []string{""}, false}, {"name|exists: true", []string{""}, true},
		{"name|exists: false", nil, true}, {"name|exists: [true, false]", nil, true},
		{"name|fieldref: other.name", []string{"x", "LIKE"}, true}, {"name|fieldref: other.name", nil, false},
		{"name|fieldref: address", []string{"x"}, false},
		{"name|cidr: 10.1.2.3/8", []string{"10.9.9.9"}, true},
		{"name|cidr: '::ffff:10.0.0.0/104'", []string{"10.9.9.9"}, true}, {"name|cidr: '::ffff:10.0.0.0/104'", []string{"11.9.9.9"}, false},
		{"name|cidr: '::ffff:0.0.0.0/96'", []string{"::ffff:11.9.9.9"}, true}, {"name|cidr: '::ffff:0.0.0.0/96'", []string{"::1"}, false},
		{"name|cidr: '::ffff:0.0.0.0/95'", []string{"10.9.9.9"}, false},
		{"name|cidr: [10.0.0.0/8, 192.168.0.0/16]", []string{"192.168.1.1"}, true},
		{"name|cidr: 'fd00::/8'", []string{"fd12::1"}, true}, {"name|cidr: 'fd00::/8'", []string{"10.0.0.1"}, false},
		{"name|cidr: 0.0.0.0/0", []string{"", "no address"}, false},
		{"name|cidr: '::/0'", []string{"", "no address"}, false},
		{"name: 1.50", []string{"1.50"}, true},
		{"name: 1.50", []string{"1.5"}, false}, {"name: 0x1f", []string{"0X1F"}, true},
		{"name: yes", []string{"yes"}, true}, {"name: '~'", []string{"~"}, true}, {"name: ~", []string{"~"}, false},
	}
	for _, test := range tests {
		if got := lineHolds(t, test.line, test.values...); got != test.want {
			t.Errorf("%s of %q: %v, want %v", test.line, test.values, got, test.want)
		}
	}
}
