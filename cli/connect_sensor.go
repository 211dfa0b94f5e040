package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/deploy/sensor"
	"github.com/breakwater-sec/breakwater/ingest"
)

func connectSensorCommand(s streams) *cobra.Command {
	var o connection
	var image string
	c := &cobra.Command{
		Use:   "sensor --cluster NAME --image IMAGE --out DIR",
		Short: "Make a token and the manifests that put the sensor on every node of a cluster",
		Long: `Make a join token for one cluster, and write the manifests that put breakwater-sensor
on each of its nodes: a namespace, a Secret with the token and the server's
certificate authority, where the server is, and a DaemonSet. The sensor's pods get
two capabilities, no token for the API server, no socket of a container runtime and
no folder of the node. The token stands in that file and nowhere else; the server
keeps a hash of it. With it a node of the cluster joins: its sensor makes a key and
gets a certificate that lives for a day and renews itself. So the token matters when
a sensor's pod begins; breakwater tokens lists, ends and renews it. The image is yours to build: deploy/sensor/Dockerfile.`,
		Example: "  breakwater connect sensor --cluster prod --server https://breakwater.example:7879 --image " +
			"registry.example/breakwater-sensor:1 --out ./sensor",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return connectSensor(c.Context(), s, o, image) },
	}
	o.flags(c, "nodes reach", 90*days)
	c.Flags().IntVar(&o.uses, "uses", 10_000, "how often a node may join with the token; 0 is no limit")
	c.Flags().StringVar(&image, "image", "", "the image of breakwater-sensor, as nodes pull it")
	return c
}

func connectSensor(ctx context.Context, s streams, o connection, image string) error {
	if image == "" {
		return errors.New("want --image IMAGE: build one from deploy/sensor/Dockerfile and push it where the nodes pull from")
	}
	ca, token, err := o.grant(ctx, ingest.Runtime)
	if err != nil {
		return err
	}
	manifests, err := sensorManifests(o, image, ca, token)
	if err != nil {
		return err
	}
	if err := datadir.WriteFiles(o.out, map[string][]byte{"breakwater-sensor.yaml": manifests}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, afterSensor, o.out, o.cluster, image)
	return err
}

// sensorManifests puts Secret and ConfigMap between the namespace and the
// DaemonSet that wants them, and the image into its place.
func sensorManifests(o connection, image string, ca []byte, token string) ([]byte, error) {
	namespace, daemonSet, _ := bytes.Cut(sensor.DaemonSet, []byte("\n---\n"))
	was := []byte("image: breakwater-sensor\n")
	if bytes.Count(daemonSet, was) != 1 {
		return nil, errors.New("the sensor's manifest has no place for its image")
	}
	quoted, err := yaml.Marshal(map[string]string{"image": image})
	if err != nil {
		return nil, err
	}
	named := metav1.ObjectMeta{Name: "breakwater-sensor", Namespace: "breakwater-sensor"}
	parts := [][]byte{namespace}
	for _, object := range []any{
		corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: named,
			Data: map[string][]byte{"token": []byte(token), "ca.crt": ca}},
		corev1.ConfigMap{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}, ObjectMeta: named,
			Data: map[string]string{"server": o.server}},
	} {
		part, err := yaml.Marshal(object)
		if err != nil {
			return nil, err
		}
		parts = append(parts, bytes.TrimSpace(part))
	}
	return bytes.Join(slices.Concat(parts, [][]byte{bytes.Replace(daemonSet, was, quoted, 1)}), []byte("\n---\n")), nil
}

const afterSensor = `Wrote %[1]s/breakwater-sensor.yaml (it holds the token: readable by you only). If the image
is not there yet, build it in Breakwater's source and push it to where the nodes pull from:

  CGO_ENABLED=0 go build -trimpath ./cmd/breakwater-sensor
  docker build -f deploy/sensor/Dockerfile -t %[3]s .
  docker push %[3]s

Then put the sensor on every node of %[2]s:

  kubectl apply -f %[1]s/breakwater-sensor.yaml
  kubectl -n breakwater-sensor rollout status daemonset/breakwater-sensor

Its nodes then appear on the portal's page Sensors. What each container is, the
server knows from the cluster: watch it too (breakwater serve --from %[2]s=context:…).
`
