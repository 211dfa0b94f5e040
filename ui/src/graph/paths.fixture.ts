import type { Schemas } from "../api/client";

type Thing = Schemas["Thing"];
type Step = Schemas["PathStep"];

/** A thing of a path; more than one stands for replicas. */
export function thing(id: string, count = 1, kind = "Pod"): Thing {
  return {
    id,
    kind,
    name: id,
    count,
    members: count > 1 ? Array.from({ length: count }, (_, i) => `ns/${id}-${i}`) : [id],
  };
}

export function step(from: string, to: string, more: Partial<Step> = {}): Step {
  return { from, to, edge: "E", verb: "routes to", derived: false, evidence: [], ...more };
}

/** A path of these things and steps; its entry is the first thing, its target the last. */
export function makePath(nodes: Thing[], steps: Step[], more: Partial<Schemas["Path"]> = {}): Schemas["Path"] {
  const first = nodes[0] ?? thing("none"),
    last = nodes.at(-1) ?? first;
  return {
    id: "p",
    type: "t",
    title: "Many services lead to one cluster",
    cluster: "prod",
    namespace: "shop",
    risk: "high",
    riskScore: 70,
    riskFactors: [],
    attack: [],
    why: "Because.",
    entry: first,
    target: last,
    foothold: last,
    steps,
    also: [],
    entryClass: "known",
    confidence: "exposed to the internet",
    alternatives: 0,
    story: ["A story."],
    nodes,
    frames: [],
    vulnerabilities: [],
    vulnerabilitiesTotal: 0,
    fixes: [],
    pods: nodes.length,
    workloads: 1,
    uncertain: [],
    owners: [],
    dependsOn: [],
    ...more,
  };
}

/** The internet, so many services with a pod and a container each, one node, one cluster. */
export function manyServices(n: number): Schemas["Path"] {
  const each = Array.from({ length: n }, (_, i) => i);
  const ids = (kind: string) => each.map((i) => thing(`${kind.toLowerCase()}-${i}`, 1, kind));
  const inside = [...ids("Service"), ...ids("Pod"), ...ids("Container")];
  const steps = each.flatMap((i) => [
    step("internet", `service-${i}`),
    step(`service-${i}`, `pod-${i}`),
    step(`pod-${i}`, `container-${i}`, { verb: "can be exploited in", derived: true }),
    step(`container-${i}`, "node", { verb: "can take over", derived: true }),
  ]);
  return makePath(
    [thing("internet", 1, "Internet"), ...inside, thing("node", 1, "Node"), thing("cluster", 1, "Cluster")],
    [...steps, step("node", "cluster", { verb: "can take over", derived: true })],
    {
      frames: [
        { id: "cluster", kind: "Cluster", name: "prod", nodes: ["node", "cluster"] },
        { id: "ns", kind: "Namespace", name: "shop", parent: "cluster", nodes: inside.map((t) => t.id) },
      ],
    },
  );
}
