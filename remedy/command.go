package remedy

import (
	"encoding/json"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/ref"
)

// apiVersions are those of the kinds that are changed.
var apiVersions = map[string]string{
	"Pod": "v1", "ReplicationController": "v1", "Service": "v1", "Secret": "v1",
	"Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1", "ReplicaSet": "apps/v1",
	"Job": "batch/v1", "CronJob": "batch/v1", "Ingress": "networking.k8s.io/v1", "NetworkPolicy": "networking.k8s.io/v1",
	"Role": "rbac.authorization.k8s.io/v1", "ClusterRole": "rbac.authorization.k8s.io/v1",
	"RoleBinding": "rbac.authorization.k8s.io/v1", "ClusterRoleBinding": "rbac.authorization.k8s.io/v1",
}

// named is an object as kubectl takes it: with its group, where another's kind may be
// called the same. Kind and name are one word, KIND/NAME: a role may be called --all.
func named(r ref.Ref) string {
	kind := strings.ToLower(r.Kind)
	if group, _, ok := strings.Cut(apiVersions[r.Kind], "/"); ok {
		kind += "." + group
	}
	out := quoted(kind + "/" + r.Name)
	if r.Namespace != "" {
		out += " -n " + quoted(r.Namespace)
	}
	return out
}

// quoted is a word for a shell: names of roles may hold anything.
func quoted(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:/") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// patch changes an object by a patch of a type: strategic or merge.
func patch(of ref.Ref, kind string, tree map[string]any, notes []string) analyse.Change {
	text := written(tree)
	c := analyse.Change{Object: of.String(), Do: analyse.Patch, YAML: text, Note: strings.Join(notes, " ")}
	if of.Kind != "Job" {
		c.Command = "kubectl patch " + named(of) + " --type " + kind + " --patch-file /dev/stdin" + here(text)
	}
	return c
}

// replacement deletes an object and makes it again, changed.
func replacement(of ref.Ref, tree map[string]any, notes []string) analyse.Change {
	line, _ := json.Marshal(tree) // of what was read as YAML
	return analyse.Change{Object: of.String(), Do: analyse.Replace, YAML: written(tree), Note: strings.Join(notes, " "),
		Command: "kubectl get " + named(of) + " -o yaml | kubectl patch --local -f - --type strategic -p " + quoted(string(line)) +
			" -o yaml | kubectl replace --force -f -\n"}
}

// application makes an object, or has it be as it is written.
func application(of ref.Ref, object any, notes ...string) analyse.Change {
	text := written(object)
	return analyse.Change{Object: of.String(), Do: analyse.Apply, YAML: text, Note: strings.Join(notes, " "),
		Command: "kubectl apply --server-side --field-manager breakwater -f -" + here(text)}
}

func deletion(of ref.Ref, notes ...string) analyse.Change {
	return analyse.Change{Object: of.String(), Do: analyse.Delete, Command: "kubectl delete " + named(of) + "\n",
		Note: strings.Join(notes, " ")}
}

// here is a document on the standard input of a shell's command.
func here(text string) string { return " <<'EOF'\n" + text + "EOF\n" }

func written(object any) string {
	text, _ := yaml.Marshal(object) // of trees and of types that are made for it
	return string(text)
}
