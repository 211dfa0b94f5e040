package enrichment

import "github.com/breakwater-sec/breakwater/collect"

// sensorLabel is what deploy/sensor calls its pods.
const sensorLabel = "breakwater-sensor"

// isSensor says whether a pod is one of the sensor's DaemonSet, in whichever namespace that is.
func isSensor(pod *collect.Pod) bool {
	return pod.Owner.Kind == "DaemonSet" && pod.Node != "" && pod.Phase != "Succeeded" && pod.Phase != "Failed" && pod.Labels != nil &&
		pod.Labels.Map["app.kubernetes.io/name"] == sensorLabel
}

// Sensors are the nodes on which a cluster runs sensors, by the uids of their pods, and why that is not known.
func (c *Context) Sensors(cluster string) (nodes map[string]string, why string) {
	if why = c.Knows(cluster); why != "" {
		return nil, why
	}
	c.mu.RLock()
	known := c.mu.pods[cluster]
	c.mu.RUnlock()
	nodes = map[string]string{}
	if known == nil {
		return nodes, ""
	}
	known.mu.RLock()
	defer known.mu.RUnlock()
	for _, pod := range known.mu.sensors {
		nodes[pod.UID] = pod.Node
	}
	return nodes, ""
}
