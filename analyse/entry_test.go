package analyse

import (
	"fmt"
	"strings"
	"testing"
)

func TestHowAnAttackerMayGetIn(t *testing.T) {
	const (
		routed = "Internet internet -ROUTES_TO-> Service s name=s -ROUTES_TO-> Pod p name=p namespace=n workload=Pod/p exposed=true\n"
		open   = "Pod p -RUNS-> Container c name=c namespace=n workload=Pod/p exposed=true\n"
		read   = "Container c -USES_IMAGE-> Image i name=i scanned=true\n"
		twice  = routed + open + "Service s -ROUTES_TO-> Pod q name=q namespace=n workload=Pod/p exposed=true -RUNS-> " +
			"Container d name=c namespace=n workload=Pod/p exposed=true\n"
	)
	for _, test := range []struct{ name, given, want string }{
		{"what lets an attacker in", routed + open + "Pod p -CAN_EXPLOIT-> Container c\n" + read, "known Container c by 1 ways"},
		{"what is disclosed", routed + open + read + "Pod p -CAN_READ-> Secret k name=k namespace=n\n", "known Secret k by 1 ways"},
		{"whom they are told to be", routed + open + read + "Pod p -CAN_ACT_AS-> ServiceAccount a name=a namespace=n\n",
			"known ServiceAccount a by 1 ways"},
		{"replicas are one", twice + "Pod p -CAN_EXPLOIT-> Container c\nPod q -CAN_EXPLOIT-> Container d\n", "known Container c,d by 1 ways"},
		{"known of one replica, and not of the other, is known", twice + "Pod p -CAN_EXPLOIT-> Container c\n", "known Container c by 1 ways"},
		{"nothing lets anybody in", routed + open + read, ""},
		{"an image that nobody read", routed + open + strings.ReplaceAll(read, "true", "false"),
			"possible Container c by 1 ways: image i was not scanned"},
		{"an image that was read in part", routed + open + strings.ReplaceAll(read, "scanned=true", "scanned=true partly=true"),
			"possible Container c by 1 ways: image i was read only in part"},
		{"one of two images", routed + open + read + "Container c -USES_IMAGE-> Image sha256:j\n",
			"possible Container c by 1 ways: image sha256:j was not scanned"},
		{"an image that nobody knows", routed + open, "possible Container c by 1 ways: its image is not known"},
		{"two such replicas", twice, "possible Container c,d by 1 ways: its image is not known"},
		{"not exposed", strings.ReplaceAll(routed+open, "exposed=true", "exposed=false"), ""},
		{"the pod alone is", routed + strings.ReplaceAll(open, "exposed=true", "exposed=false"), ""},
		{"a container that has ended", routed + strings.ReplaceAll(open, "exposed=true", "exposed=true ended=true"), ""},
		{"a pod that has", strings.ReplaceAll(routed, "exposed=true", "exposed=true ended=true") + open, ""},
		{"a repository from which code may come", "Repository r name=r -CAN_EXECUTE_IN-> Container c name=c namespace=n workload=Pod/p\n",
			"supply-chain Container c by 0 ways"},
		{"where nobody knows whether it may", "Repository r -CAN_EXECUTE_IN{uncertain=x}-> Container c namespace=n workload=Pod/p\n", ""},
		{"a registry, however much comes from it", "Registry r name=r -CAN_EXECUTE_IN-> Container c namespace=n workload=Pod/p\n" +
			"Registry r -CAN_EXECUTE_IN-> Container d namespace=n workload=Pod/q\n", "supply-chain Registry r by 0 ways"},
		{"a registry from which only came what has ended",
			"Registry r -CAN_EXECUTE_IN-> Container c ended=true namespace=n workload=Pod/p\n", ""},
		{"callers who prove nothing", "Group g name=system:unauthenticated\nUser u name=system:anonymous\nGroup a name=system:authenticated\n" +
			"User x name=system:unauthenticated\nGroup y name=devs\n",
			"known Group g by 0 ways: whether the API server can be reached from the internet; " +
				"known User u by 0 ways: whether the API server can be reached from the internet; " +
				"possible Group a by 0 ways: who can sign in, nor whether the API server can be reached from the internet"},
		{"the most certain first, then by name", "Repository r -CAN_EXECUTE_IN-> Container z namespace=n name=z workload=Pod/z\n" +
			"Repository r -CAN_EXECUTE_IN-> Container y namespace=n name=y workload=Pod/y\n" + routed + open + "User u name=system:anonymous\n",
			"known User u by 0 ways: whether the API server can be reached from the internet; " +
				"possible Container c by 1 ways: its image is not known; supply-chain Container y by 0 ways; supply-chain Container z by 0 ways"},
	} {
		t.Run(test.name, func(t *testing.T) {
			v, err := parseGiven(test.given)
			if err != nil {
				t.Fatal(err)
			}
			var said []string
			for _, f := range searchOn(t, v, &Rules{}).footholds() {
				var all []string
				for _, n := range f.all {
					all = append(all, givenID(n))
				}
				text := fmt.Sprintf("%s %s %s by %d ways", f.class, f.group.kind, strings.Join(all, ","), len(f.arrivals))
				if f.doubt != "" {
					text += ": " + strings.TrimPrefix(f.doubt, "whether something lets an attacker in: ")
				}
				said = append(said, text)
			}
			if got := strings.Join(said, "; "); got != test.want {
				t.Errorf("%s\nwant %s", got, test.want)
			}
		})
	}
}
