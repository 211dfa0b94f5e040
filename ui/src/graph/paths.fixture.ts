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

/** A route of so many steps through a cluster, with others beside it, to so many things in all. */
export function longRoute(length: number, things: number): Schemas["Path"] {
  const kinds = ["Service", "Pod", "Container", "ServiceAccount", "Permission", "Secret"];
  const kind = (i: number) => kinds[i % kinds.length] ?? "Pod";
  const first = Array.from({ length: length - 1 }, (_, i) => thing(`thing-${i}`, 1, kind(i)));
  const nodes = [thing("internet", 1, "Internet"), ...first, thing("cluster", 1, "Cluster")];
  const steps = nodes.slice(1).map((n, i) => step(nodes[i]?.id ?? "", n.id, { verb: "can act as", derived: i > 3 }));
  const also: Step[] = [],
    others: Thing[] = [];
  for (let at = 0; nodes.length + others.length < things; at++) {
    const from = first[at % (first.length - 1)],
      to = first[(at % (first.length - 1)) + 1];
    const row = [0, 1]
      .map((i) => thing(`other-${at}-${i}`, 1, kind(at + i)))
      .slice(0, things - nodes.length - others.length);
    others.push(...row);
    [from, ...row].forEach((n, i) => {
      const next = row[i] ?? to;
      if (n && next) also.push(step(n.id, next.id, { verb: "can read", derived: true }));
    });
  }
  const inside = [...first, ...others];
  return makePath([...nodes.slice(0, -1), ...others, ...nodes.slice(-1)], steps, {
    also,
    alternatives: 999,
    foothold: first[2] ?? nodes[0],
    story: steps.map((s) => `From ${s.from} an attacker gets to ${s.to}.`),
    frames: [
      { id: "c", kind: "Cluster", name: "prod", nodes: ["cluster"] },
      { id: "ns", kind: "Namespace", name: "shop", parent: "c", nodes: inside.map((t) => t.id) },
    ],
  });
}
