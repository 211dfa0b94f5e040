package netpol

import (
	"fmt"
	"net/netip"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestTheAddressesOfARuleAreOnePeer: who writes a policy may name thousands of blocks, and except as many from each. That
// they are told apart by nobody is what keeps them from being multiplied by each other and by the pods.
func TestTheAddressesOfARuleAreOnePeer(t *testing.T) {
	var peers []networkingv1.NetworkPolicyPeer
	var except []string
	for i := range 4000 {
		block := &networkingv1.IPBlock{CIDR: fmt.Sprintf("172.16.%d.%d/32", i/100, 2*(i%100))}
		peers = append(peers, networkingv1.NetworkPolicyPeer{IPBlock: block})
		except = append(except, fmt.Sprintf("172.17.%d.%d/32", i/100, 2*(i%100)))
	}
	peers = append(peers, networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: "172.17.0.0/16", Except: except}},
		networkingv1.NetworkPolicyPeer{PodSelector: &metav1.LabelSelector{}})
	r, err := compileRule("x", peers, nil)
	if err != nil || len(r.peers) != 2 {
		t.Fatalf("%d peers, %v", len(r.peers), err)
	}
	for at, want := range map[string]bool{"172.16.1.2": true, "172.16.1.3": false, "172.17.1.2": false, "172.17.1.3": true,
		"172.17.255.255": true,
		"172.18.0.0":     false} {
		if got := r.peers[1].block.Contains(netip.MustParseAddr(at)); got != want {
			t.Errorf("%s: %t", at, got)
		}
	}
	allocated := testing.AllocsPerRun(1, func() {
		if _, err := compileBlock(peers[4000].IPBlock); err != nil {
			t.Fatal(err)
		}
	})
	if allocated > 10*4000 { // one by one they were copied for each: their square
		t.Errorf("%.0f allocations for 4000 exceptions", allocated)
	}
}

func TestBlocksThatMayHoldPodsAreThoseThatMeetTheirAddresses(t *testing.T) {
	for block, want := range map[string]bool{"10.1.2.3/32": true, "0.0.0.0/0": true, "8.8.8.8/32": false, "11.0.0.0/8": false,
		"9.0.0.0/8": false, "fc00::1/128": true, "2001:db8::/32": false, "::/0": true, "192.160.0.0/12": true,
		"192.166.0.0/15": false} {
		r := In(netip.MustParsePrefix(block))
		if got := r.mayHoldPods(); got != want || got != (len(r.And(pods)) > 0) {
			t.Errorf("%s: %t", block, got)
		}
	}
	if (Ranges{}).mayHoldPods() {
		t.Error("none may")
	}
}
