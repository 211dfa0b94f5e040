package segment

import (
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/test/manifests"
)

const (
	mounted = "containers: [{name: a, image: i, volumeMounts: [{name: v, mountPath: /m}]}]"
	claimed = "volumes: [{name: v, persistentVolumeClaim: {claimName: d}}], " + mounted
	aClaim  = "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: d, namespace: ns}\nspec: "
)

func aVolume(name, spec string) string {
	return "---\napiVersion: v1\nkind: PersistentVolume\nmetadata: {name: " + name + ", labels: {tier: " + name + "}}\nspec: " + spec + "\n"
}

func TestAMountTellsWhichFolderOfTheNodeItShowsAndWhatThatOpens(t *testing.T) {
	mount := func(path, how string) string {
		return "volumes: [{name: v, hostPath: {path: " + path + "}}], containers: [{name: a, image: i, volumeMounts: [{name: v, mountPath: /m" +
			how + "}]}]"
	}
	const bound, class = "volumeName: big, resources: {requests: {storage: 1Gi}}", "storageClassName: s, accessModes: [ReadWriteOnce], "
	for _, test := range []struct{ name, spec, more, folder, opens string }{
		{"a host folder", mount("/etc", ""), "", "/etc", "start-up"},
		{"with a slash too many", mount("/etc/", ""), "", "/etc", "start-up"},
		{"to read", mount("/usr/bin", ", readOnly: true"), "", "/usr/bin", ""},
		{"a part of it", mount("/", ", subPath: etc/cron.d"), "", "/etc/cron.d", "start-up"},
		{"a harmless part", mount("/", ", subPath: srv/data"), "", "/srv/data", ""},
		{"a part that a variable names", mount("/etc", ", subPathExpr: $(POD)"), "", "/etc", "start-up"},
		{"a part by an expression without variables", mount("/etc", ", subPathExpr: app"), "", "/etc/app", ""},
		{"no folder of the node", "volumes: [{name: v, emptyDir: {}}], " + mounted, "", "", ""},
		{"through a claim that has its volume", claimed, aClaim + "{" + bound + "}\n" + aVolume("big", "{hostPath: {path: /etc/cron.d}}"),
			"/etc/cron.d", "start-up"},
		{"a local volume", claimed, aClaim + "{" + bound + "}\n" + aVolume("big", "{local: {path: /var/lib/kubelet}}"), "/var/lib/kubelet",
			"kubelet-config"},
		{"a volume of a driver", claimed, aClaim + "{" + bound + "}\n" + aVolume("big", "{csi: {driver: d, volumeHandle: h}}"), "", ""},
		{"a volume that nobody saw", claimed, aClaim + "{" + bound + "}\n", "", ""},
		{"a claim that nobody saw", claimed, aVolume("big", "{hostPath: {path: /etc}}"), "", ""},
		{"a volume that is kept for the claim", claimed,
			aClaim + "{}\n" + aVolume("big", "{hostPath: {path: /etc}, claimRef: {namespace: ns, name: d}}"), "/etc", "start-up"},
		{"a volume that is kept for another", claimed, aClaim + "{" + class + "resources: {requests: {storage: 1Gi}}}\n" +
			aVolume("big", "{"+class+"capacity: {storage: 5Gi}, hostPath: {path: /etc}, claimRef: {namespace: ns, name: other}}"), "", ""},
		{"the smallest that fits", claimed, aClaim + "{" + class + "resources: {requests: {storage: 2Gi}}}\n" +
			aVolume("big", "{"+class+"capacity: {storage: 9Gi}, hostPath: {path: /big}}") +
			aVolume("fit", "{"+class+"capacity: {storage: 2Gi}, hostPath: {path: /fit}}") +
			aVolume("tiny", "{"+class+"capacity: {storage: 1Gi}, hostPath: {path: /tiny}}"), "/fit", ""},
		{"another class", claimed, aClaim + "{" + class + "resources: {requests: {storage: 1Gi}}}\n" +
			aVolume("big", "{storageClassName: other, accessModes: [ReadWriteOnce], capacity: {storage: 9Gi}, hostPath: {path: /etc}}"), "", ""},
		{"another access", claimed, aClaim + "{" + class + "resources: {requests: {storage: 1Gi}}}\n" +
			aVolume("big", "{storageClassName: s, accessModes: [ReadOnlyMany], capacity: {storage: 9Gi}, hostPath: {path: /etc}}"), "", ""},
		{"other labels", claimed, aClaim + "{" + class + "selector: {matchLabels: {tier: gold}}, resources: {requests: {storage: 1Gi}}}\n" +
			aVolume("big", "{"+class+"capacity: {storage: 9Gi}, hostPath: {path: /etc}}"), "", ""},
		{"a claim that only reads", "volumes: [{name: v, persistentVolumeClaim: {claimName: d, readOnly: true}}], " +
			"containers: [{name: a, image: i, volumeMounts: [{name: v, mountPath: /m}]}]",
			aClaim + "{" + bound + "}\n" + aVolume("big", "{hostPath: {path: /usr/bin}}"), "/usr/bin", ""},
		{"as a device", "volumes: [{name: v, persistentVolumeClaim: {claimName: d}}], " +
			"containers: [{name: a, image: i, volumeDevices: [{name: v, devicePath: /dev/x}]}]",
			aClaim + "{volumeName: big, volumeMode: Block}\n" + aVolume("big", "{volumeMode: Block, local: {path: /dev/sdb}}"), "/dev/sdb", "disk"},
		{"a driver's device", "volumes: [{name: v, persistentVolumeClaim: {claimName: d}}], " +
			"containers: [{name: a, image: i, volumeDevices: [{name: v, devicePath: /dev/x}]}]",
			aClaim + "{volumeName: big, volumeMode: Block}\n" + aVolume("big", "{volumeMode: Block, csi: {driver: d, volumeHandle: h}}"), "", ""},
	} {
		n, _ := read(t, podWith(test.spec, "")+test.more).Node("Container", "c/ns/Pod/p/a")
		mounts := 0
		for e := range n.Out("MOUNTS") {
			mounts++
			onNode, path := e.To.Value("hostPath").Bool(), e.Value("hostFolder").String()
			if path != test.folder || e.Value("opens").String() != test.opens || onNode != (test.folder != "") {
				t.Errorf("%s: folder %q opens %q, on the node %v; want %q and %q", test.name, path, e.Value("opens"), onNode, test.folder, test.opens)
			}
		}
		if mounts != 1 {
			t.Errorf("%s: %d mounts", test.name, mounts)
		}
	}
}

func TestSecretsThatOnlyTheNodeGetsAreNoContainers(t *testing.T) {
	for _, test := range []struct {
		name, spec, more string
		mounts, needs    []string
	}{
		{"as files", "volumes: [{name: v, secret: {secretName: s}}], " + mounted, "", []string{"s volume"}, nil},
		{"projected", "volumes: [{name: v, projected: {sources: [{secret: {name: s}}]}}], containers: [{name: a, image: i, " +
			"volumeMounts: [{name: v, mountPath: /m}]}]", "", []string{"s volume"}, nil},
		{"mounted by no container", "volumes: [{name: v, secret: {secretName: s}}], containers: [{name: a, image: i}]", "", nil,
			[]string{"s volume"}},
		{"as a variable", "containers: [{name: a, image: i, env: [{name: X, valueFrom: {secretKeyRef: {name: s, key: k}}}]}]", "",
			[]string{"s env"}, nil},
		{"as variables", "containers: [{name: a, image: i, envFrom: [{secretRef: {name: s}}]}]", "", []string{"s envFrom"}, nil},
		{"of a driver", "volumes: [{name: v, csi: {driver: d, nodePublishSecretRef: {name: s}}}], containers: [{name: a, image: i, " +
			"volumeMounts: [{name: v, mountPath: /m}]}]", "", nil, []string{"s volume"}},
		{"of a file share", "volumes: [{name: v, azureFile: {secretName: s, shareName: x}}], containers: [{name: a, image: i}]", "", nil,
			[]string{"s volume"}},
		{"of a disk over the network", "volumes: [{name: v, iscsi: {targetPortal: x, iqn: x, lun: 0, secretRef: {name: s}}}], " +
			"containers: [{name: a, image: i}]", "", nil, []string{"s volume"}},
		{"that pulls the image", "imagePullSecrets: [{name: s}], containers: [{name: a, image: i}]", "", nil, []string{"s image pull"}},
		{"that pulls the image, of the account", "containers: [{name: a, image: i}]",
			"---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default, namespace: ns}\nimagePullSecrets: [{name: s}]\n", nil,
			[]string{"s image pull"}},
		{"the pod's own before the account's", "imagePullSecrets: [{name: own}], containers: [{name: a, image: i}]",
			"---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default, namespace: ns}\nimagePullSecrets: [{name: s}]\n", nil,
			[]string{"own image pull"}},
	} {
		v := read(t, podWith(test.spec, "")+test.more)
		c, _ := v.Node("Container", "c/ns/Pod/p/a")
		p, _ := v.Node("Pod", "c/ns/Pod/p")
		var mounts, needs []string
		for e := range c.Out("MOUNTS") {
			if e.To.Kind() == "Secret" {
				mounts = append(mounts, e.To.Text("name")+" "+e.Value("how").String())
			}
		}
		for e := range p.Out("NEEDS") {
			needs = append(needs, e.To.Text("name")+" "+e.Value("how").String())
		}
		if !slices.Equal(mounts, test.mounts) || !slices.Equal(needs, test.needs) {
			t.Errorf("%s: mounts %v, needs %v; want %v and %v", test.name, mounts, needs, test.mounts, test.needs)
		}
	}
}

func TestAContainerMayGetATokensSecretWithoutTheToken(t *testing.T) {
	const secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: ns, " +
		"annotations: {kubernetes.io/service-account.name: d}}\ntype: "
	const token = secret + "kubernetes.io/service-account-token\n"
	env := func(key string) string {
		return "containers: [{name: a, image: i, env: [{name: X, valueFrom: {secretKeyRef: {name: s, key: " + key + "}}}]}]"
	}
	volume := func(source, mount string) string {
		return "volumes: [{name: v, " + source + "}], containers: [{name: a, image: i, volumeMounts: [{name: v, mountPath: /m" + mount + "}]}]"
	}
	for _, test := range []struct {
		name, spec, secret string
		without            bool
	}{
		{"the token as a variable", env("token"), token, false},
		{"the certificate as a variable", env("ca.crt"), token, true},
		{"a variable of no token's Secret", env("ca.crt"), secret + "Opaque\n", false},
		{"of a Secret that nobody saw", env("ca.crt"), "", false},
		{"all as variables", "containers: [{name: a, image: i, envFrom: [{secretRef: {name: s}}]}]", token, false},
		{"all as files", volume("secret: {secretName: s}", ""), token, false},
		{"one as a file", volume("secret: {secretName: s, items: [{key: ca.crt, path: ca}]}", ""), token, true},
		{"two as files", volume("secret: {secretName: s, items: [{key: ca.crt, path: ca}, {key: token, path: t}]}", ""), token, false},
		{"one file of all", volume("secret: {secretName: s}", ", subPath: ca.crt"), token, true},
		{"a file of all that a variable names", volume("secret: {secretName: s}", ", subPathExpr: $(FILE)"), token, false},
		{"one projected", volume("projected: {sources: [{secret: {name: s, items: [{key: ca.crt, path: ca}]}}]}", ""), token, true},
		{"one projected beside all", volume("projected: {sources: [{secret: {name: s, items: [{key: ca.crt, path: ca}]}}, {secret: {name: s}}]}",
			""), token, false},
		{"one of another Secret projected", volume("projected: {sources: [{secret: {name: s}}, {secret: {name: o, items: [{key: ca.crt, "+
			"path: ca}]}}]}", ""), token, false},
	} {
		v := read(t, podWith(test.spec, "")+test.secret)
		c, _ := v.Node("Container", "c/ns/Pod/p/a")
		var mounted, without bool
		for e := range c.Out("MOUNTS") {
			if e.To.Kind() == "Secret" && e.To.Text("name") == "s" {
				mounted, without = true, without || e.Value("withoutToken").String() == "true"
			}
		}
		if !mounted || without != test.without {
			t.Errorf("%s: mounted %v, without its token %v, want %v", test.name, mounted, without, test.without)
		}
	}
}

func TestContainersShareAVolumeThatOneOfThemWrites(t *testing.T) {
	for _, test := range []struct {
		name, volume, a, b string
		want               []string
	}{
		{"both write", "emptyDir: {}", "", "", []string{"a b", "b a"}},
		{"one reads", "emptyDir: {}", "", ", readOnly: true", []string{"a b"}},
		{"a volume that only reads", "csi: {driver: d, readOnly: true}", "", "", nil},
		{"what the kubelet fills", "configMap: {name: m}", "", "", nil},
	} {
		v := read(t, podWith("volumes: [{name: v, "+test.volume+"}], containers: [{name: a, image: i, volumeMounts: [{name: v, mountPath: /m"+
			test.a+"}]}, {name: b, image: i, volumeMounts: [{name: v, mountPath: /m"+test.b+"}]}]", ""))
		var got []string
		for c := range v.Nodes("Container") {
			for e := range c.Out("SHARES_VOLUME") {
				got = append(got, c.Text("name")+" "+e.To.Text("name"))
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestANamespaceTellsWhatItsClaimsOpenToAnyPod(t *testing.T) {
	const given = "{hostPath: {path: /run/containerd/containerd.sock}"
	for _, c := range []struct{ name, manifests, want string }{
		{"a folder of any node", aVolume("x", given+"}") + aClaim + "{volumeName: x}", "runtime-socket"},
		{"kept for the claim", aVolume("x", given+", claimRef: {namespace: ns, name: d}}") + aClaim + "{}", "runtime-socket"},
		{"of some nodes", aVolume("x", given+", nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: "+
			"[{key: a, operator: Exists}]}]}}}") + aClaim + "{volumeName: x}", ""},
		{"that opens nothing", aVolume("x", "{hostPath: {path: /srv/data}}") + aClaim + "{volumeName: x}", ""},
		{"that nothing claims", aVolume("x", given+"}"), ""},
		{"that another namespace claims", aVolume("x", given+", claimRef: {namespace: other, name: d}}") + aClaim + "{}", ""},
	} {
		f := manifests.Facts(t, "apiVersion: v1\nkind: Namespace\nmetadata: {name: ns}\n"+c.manifests)
		for n := range view(t, f).Nodes("Namespace") {
			if got := strings.Join(n.Value("claimsOpen").List(), " "); got != c.want {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
		}
	}
}

// TestAStatefulSetsPodHasTheClaimsOfItsTemplates: a controller makes them, so no manifest has them.
func TestAStatefulSetsPodHasTheClaimsOfItsTemplates(t *testing.T) {
	set := func(more string) string {
		return `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: ns}
spec: {` + more + `selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}},
  spec: {volumes: [{name: w, emptyDir: {}}],
  containers: [{name: a, image: i, volumeMounts: [{name: v, mountPath: /m}, {name: w, mountPath: /w}]}]}},
  volumeClaimTemplates: [{metadata: {name: v}, spec: {storageClassName: s, accessModes: [ReadWriteOnce],
  resources: {requests: {storage: 1Gi}}}}]}
`
	}
	kept := func(claim string) string {
		return aVolume("kept", "{hostPath: {path: /etc}, claimRef: {namespace: ns, name: "+claim+"}}")
	}
	const fits = "{storageClassName: s, accessModes: [ReadWriteOnce], capacity: {storage: 5Gi}, hostPath: {path: /fit}}"
	for _, c := range []struct{ name, manifests, want string }{
		{"nothing is there for it", set(""), "v persistentVolumeClaim ; w emptyDir "},
		{"a volume is kept for the first of its pods", set("") + kept("v-db-0"), "v persistentVolumeClaim /etc; w emptyDir "},
		{"a volume is kept for another's", set("") + kept("v-web-0"), "v persistentVolumeClaim ; w emptyDir "},
		{"one that fits", set("") + aVolume("any", fits), "v persistentVolumeClaim /fit; w emptyDir "},
		{"its pods are counted from another number", set("ordinals: {start: 3}, ") + kept("v-db-3"), "v persistentVolumeClaim /etc; w emptyDir "},
		{"the claim was written, for another volume", set("") + aVolume("any", fits) + aVolume("own", "{hostPath: {path: /own}}") +
			"---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: v-db-0, namespace: ns}\nspec: {volumeName: own}\n",
			"v persistentVolumeClaim /own; w emptyDir "},
	} {
		var got []string
		for v := range view(t, manifests.Facts(t, c.manifests)).Nodes("Volume") {
			got = append(got, v.Text("name")+" "+v.Text("type")+" "+v.Text("path"))
		}
		slices.Sort(got)
		if said := strings.Join(got, "; "); said != c.want {
			t.Errorf("%s: %q, want %q", c.name, said, c.want)
		}
	}
}
