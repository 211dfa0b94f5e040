import { expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { reaching, steps } from "./choices";
import { verbOf } from "./words";

const joined = (edge: string, dir: "out" | "in") => ({ edge, dir, label: edge, sentence: "", to: [] });
const kind = (name: string, connections: Schemas["ConnectionChoice"][], family = ""): Schemas["KindInfo"] => ({
  name,
  label: name,
  plural: `${name}s`,
  group: "",
  family,
  sentence: "",
  menu: { insights: [], properties: [], connections },
});
const edge = (name: string, derived: boolean, step: boolean): Schemas["EdgeInfo"] => ({
  name,
  verb: name,
  inverse: name,
  sentence: "",
  derived,
  step,
});
const schema = {
  kinds: {
    Internet: kind("Internet", [joined("ROUTES_TO", "out")]),
    Pod: kind("Pod", [joined("ROUTES_TO", "in"), joined("CAN_EXPLOIT", "out"), joined("IN", "out")]),
    Container: kind("Container", [joined("CAN_EXPLOIT", "in"), joined("CAN_TAKE_OVER", "out")], "Thing"),
    Thing: kind("Thing", [joined("CAN_EXPLOIT", "in")]),
    Node: kind("Node", [joined("CAN_TAKE_OVER", "in")]),
    Namespace: kind("Namespace", [joined("IN", "in")]),
  },
  edges: {
    ROUTES_TO: edge("ROUTES_TO", false, true),
    CAN_EXPLOIT: edge("CAN_EXPLOIT", true, true),
    CAN_TAKE_OVER: edge("CAN_TAKE_OVER", true, true),
    IN: edge("IN", false, false),
  },
} as unknown as Schemas["Schema"];

const asked = (name: string) => reaching(schema, (schema.kinds[name] as Schemas["KindInfo"]).menu, () => undefined);

it.each([
  ["Internet", ["can reach Containers", "can reach Nodes"]],
  ["Pod", ["can reach Containers", "can reach Nodes"]],
  [
    "Container",
    ["can reach Containers", "can reach Nodes", "can be reached from Pods", "can be reached from Containers"],
  ],
  ["Node", ["can be reached from Pods", "can be reached from Containers"]],
  ["Namespace", []],
])("a %s is asked about what attackers gain of it, and from it", (name, want) => {
  expect(asked(name).map((c) => c.label)).toEqual(want);
});

it("is asked over all edges that a path may walk, and read back as one verb", () => {
  const all = steps(schema);
  expect(all).toEqual(["ROUTES_TO", "CAN_EXPLOIT", "CAN_TAKE_OVER"]);
  const picked: unknown[] = [];
  reaching(schema, schema.kinds.Node?.menu ?? { insights: [], properties: [], connections: [] }, (...p) =>
    picked.push(p),
  )[0]?.pick();
  expect(picked).toEqual([[all, "in", "Pod"]]);
  const rel = (edges: string[], dir: "out" | "in") => verbOf(schema, undefined, { edge: edges, dir, to: {} });
  expect([rel(all, "out"), rel(all, "in"), rel(["ROUTES_TO"], "out")]).toEqual([
    "can reach",
    "can be reached from",
    "ROUTES_TO",
  ]);
});
