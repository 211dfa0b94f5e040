package ingest

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/breakwater-sec/breakwater/store"
)

// placed is the pod that a sensor says it is in, if its cluster tells of one on that node; else "".
func (s *Server) placed(cluster, node, pod string) string {
	if nodes, why := s.config.SensorPods(cluster); pod == "" || why != "" || nodes[pod] != node {
		return ""
	}
	return pod
}

// sensed says whether a cluster runs the sensor that wants to join on the node that it names. Whoever holds the join token can
// name a node; of the uid of a sensor's pod, only who may list pods there knows. A sensor of before says no pod: it joins where the
// cluster runs one, until the first of the cluster has said its pod. A cluster that runs none has sensors outside of pods.
func (s *Server) sensed(ctx context.Context, of store.IngestToken, q asksFor, from string) error {
	nodes, why := s.config.SensorPods(of.Cluster)
	if why != "" || len(nodes) == 0 || q.Pod != "" && nodes[q.Pod] == q.Node {
		return nil
	}
	missing := fmt.Sprintf("a sensor's pod on the node %s", q.Node)
	if q.Pod != "" {
		missing = fmt.Sprintf("the pod %.64q of a sensor on the node %s", q.Pod, q.Node)
	} else if runs(nodes, q.Node) {
		named, err := s.config.Tokens.NamesPods(ctx, of.Cluster)
		if err != nil || !named {
			return err
		}
		missing = "the sensor's pod: it must say its uid (POD_UID), as the sensor's manifest has it now"
	}
	if _, err := s.waits(ctx, of, q.Node, from); err != nil {
		return err
	}
	return refuse(http.StatusTooManyRequests, "unknown pod",
		fmt.Errorf("waiting: the cluster %s has not told of %s", of.Cluster, missing))
}

func runs(nodes map[string]string, node string) bool {
	for _, one := range nodes {
		if one == node {
			return true
		}
	}
	return false
}

// succeeds lets go of the key of a node whose sensor's pod is gone, for the sensor whose pod runs there now. One that ends without a
// word leaves its key behind; what is gone is the cluster's to say, and no sensor's.
func (s *Server) succeeds(ctx context.Context, c store.Certificate) bool {
	if c.Pod == "" {
		return false
	}
	key, pod, err := s.config.Tokens.NodeKey(ctx, c.Cluster, c.Node)
	if err != nil || key == "" || pod == "" || pod == c.Pod {
		return false
	}
	nodes, why := s.config.SensorPods(c.Cluster)
	if _, there := nodes[pod]; there || why != "" {
		return false
	}
	err = s.config.Tokens.LeaveNode(ctx, c.Cluster, c.Node, key)
	if err != nil && !errors.Is(err, context.Canceled) {
		s.config.Log.Error("cannot let go of the key of a sensor that is gone", "cluster", c.Cluster, "node", c.Node, "error", err)
	}
	return err == nil
}
