package analyse

import "testing"

func TestWordsAreWrittenAsPeopleSayThem(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{plural(0, "pod"), "0 pods"},
		{plural(1, "pod"), "1 pod"},
		{plural(2, "pod"), "2 pods"},
		{plural(3, "way"), "3 ways"},
		{plural(3, "vulnerability"), "3 vulnerabilities"},
		{lowerFirst("Container image"), "container image"},
		{lowerFirst("A way in"), "a way in"},
		{lowerFirst("RBAC grants"), "RBAC grants"},
		{lowerFirst("ConfigMap"), "ConfigMap"},
		{lowerFirst(""), ""},
		{lowerFirst("Pod"), "pod"},
		{sentence(""), ""},
		{sentence("it is so."), "It is so."},
		{clause("Drop it, or not"), "Drop it"},
		{clause("Drop  it\nnow"), "Drop it now"},
		{clause(",x"), ",x"},
		{spoken(Thing{Kind: "Node", Name: "2 worker nodes", Count: 2}), "2 worker nodes"},
		{spoken(Thing{Kind: "Node", Name: "n", Count: 1}), "node n"},
		{spoken(Thing{Kind: "Pod", Name: "p", Count: 2}), "pod p"},
		{listed([]string{"1", "2"}, 2), "1, 2"},
		{listed([]string{"1", "2", "3"}, 2), "1, 2 and 1 more"},
		{label("Image"), "Container image"},
		{label("Nothing"), "Nothing"},
		{narrowing(Thing{Kind: "Gateway", Name: "g"}), "Close the way through gateway g."},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestARiskIsAWord(t *testing.T) {
	for score, want := range map[int]string{0: "low", 29: "low", 30: "medium", 54: "medium", 55: "high", 79: "high", 80: "critical"} {
		if got := riskWord(score); got != want {
			t.Errorf("%d is %s, want %s", score, got, want)
		}
	}
}
