package ref

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name, id string
		want     Ref
		rest     string
	}{
		{"a pod", "prod/shop/Pod/web", Ref{"prod", "shop", "Pod", "web"}, ""},
		{"a container of a pod", "prod/shop/Pod/web/app", Ref{"prod", "shop", "Pod", "web"}, "app"},
		{"a volume of a workload", "prod/shop/Deployment/web/volume/data", Ref{"prod", "shop", "Deployment", "web"}, "volume/data"},
		{"a node", "prod/Node/n1", Ref{"prod", "", "Node", "n1"}, ""},
		{"the cluster", "prod/Cluster", Ref{"prod", "", "Cluster", ""}, ""},
		{"a user with a slash", "prod/User/oidc:team/alice", Ref{"prod", "", "User", "oidc:team/alice"}, ""},
		{"a user named as an object", "prod/User/a/Pod/b", Ref{"prod", "", "User", "a/Pod/b"}, ""},
		{"a cluster named as EKS does", "arn:aws:eks:eu-west-1:12:cluster/Prod/shop/Pod/web",
			Ref{"arn:aws:eks:eu-west-1:12:cluster/Prod", "shop", "Pod", "web"}, ""},
		{"a node of such a cluster", "arn:aws:eks:eu-west-1:12:cluster/Prod/Node/n1", Ref{"arn:aws:eks:eu-west-1:12:cluster/Prod", "",
			"Node", "n1"}, ""},
		{"a cluster named as a kind", "Pod/shop/Pod/web", Ref{"Pod", "shop", "Pod", "web"}, ""},
		{"no cluster", "shop/Pod/web", Ref{}, ""},
		{"no name", "prod/shop/Pod", Ref{}, ""},
		{"an empty name", "prod/shop/Pod/", Ref{}, ""},
		{"an empty namespace", "prod//Pod/web", Ref{}, ""},
		{"something after a slash", "prod/shop/Pod/web/", Ref{}, ""},
		{"a digest", "sha256:00", Ref{}, ""},
		{"a kind nobody knows", "prod/shop/Thing/a", Ref{}, ""},
		{"nothing", "", Ref{}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, rest, ok := Parse(tt.id)
			if got != tt.want || rest != tt.rest || ok != (tt.want != Ref{}) {
				t.Errorf("got %+v, rest %q, %v; want %+v, rest %q", got, rest, ok, tt.want, tt.rest)
			}
		})
	}
}

// TestWhatIsWrittenIsReadBack draws refs of every kind.
func TestWhatIsWrittenIsReadBack(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	for range 100 {
		for _, kind := range slices.Sorted(maps.Keys(kinds)) {
			r := Ref{Cluster: pick("prod", "files", "gke_p_europe-west1_c", "arn:aws:eks:x:1:cluster/a", "Pod"), Kind: kind,
				Name: pick("a", "web-1", "system:node", "x.y")}
			switch kinds[kind] {
			case inNamespace:
				r.Namespace = pick("shop", "kube-system", "a")
			case free:
				r.Name = pick("alice", "oidc:a/b", "a/Pod/b", "system:serviceaccount:a:b")
			case isCluster:
				r.Name = ""
			}
			if got := (Ref{Cluster: r.Cluster, Namespace: r.Namespace}).WithKindName(r.KindName()); got != r {
				t.Fatalf("%+v is written %q and read %+v", r, r.KindName(), got)
			}
			if kind, id := ParseKindID(KindID(r.Kind, r.ID())); kind != r.Kind || id != r.ID() {
				t.Fatalf("%+v is read as %q and %q", r, kind, id)
			}
			if got, rest, ok := Parse(r.ID()); !ok || got != r || rest != "" {
				t.Fatalf("%+v is written %q and read %+v, rest %q, %v", r, r.ID(), got, rest, ok)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"prod/shop/Pod/web/app", "prod/Cluster", "a/b/Node/n", "prod/User/a/b", "//Pod//", "a/Cluster/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, id string) {
		r, rest, ok := Parse(id)
		if rest != "" {
			rest = "/" + rest
		}
		if ok && r.ID()+rest != id {
			t.Errorf("%q is read as %+v and rest %q", id, r, rest)
		}
	})
}
