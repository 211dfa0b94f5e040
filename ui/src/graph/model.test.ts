import { describe, expect, it } from "vitest";
import type { Schemas } from "../api/client";
import { boxes, elkGraph } from "./layout";
import { drawing } from "./model";
import { makePath, step, thing } from "./paths.fixture";

const path = (
  nodes: Schemas["Thing"][],
  frames: Schemas["Frame"][],
  steps: Schemas["PathStep"][],
  also: Schemas["PathStep"][] = [],
) => makePath(nodes, steps, { frames, also });

const frames: Schemas["Frame"][] = [
  { id: "c", kind: "Cluster", name: "prod", nodes: ["a", "b"] },
  { id: "c/n", kind: "Namespace", name: "shop", parent: "c", nodes: ["b"] },
  { id: "empty", kind: "Namespace", name: "idle", parent: "c", nodes: [] },
];

describe("drawing", () => {
  const cases: { name: string; steps: Schemas["PathStep"][]; also?: Schemas["PathStep"][]; edges: string[] }[] = [
    { name: "one edge per pair and kind", steps: [step("a", "b")], also: [step("a", "b")], edges: ["a|E|b"] },
    {
      name: "another kind is another edge",
      steps: [step("a", "b"), step("a", "b", { edge: "exploit" })],
      edges: ["a|E|b", "a|exploit|b"],
    },
    { name: "a step to what is not drawn is left out", steps: [step("a", "gone")], edges: [] },
  ];
  it.each(cases)("$name", ({ steps, also, edges }) => {
    expect(drawing(path([thing("a"), thing("b")], frames, steps, also)).edges.map((e) => e.id)).toEqual(edges);
  });

  it("puts a thing into its innermost frame and drops empty frames", () => {
    const d = drawing(path([thing("internet"), thing("a"), thing("b", 3)], frames, []));
    expect(d.nodes.map((n) => n.frame)).toEqual([undefined, "c", "c/n"]);
    expect(d.frames.map((f) => f.id)).toEqual(["c", "c/n"]);
  });

  it("keeps replicas folded as one thing with its count", () => {
    const d = drawing(path([thing("b", 3)], frames, []));
    expect(d.nodes.map((n) => n.thing.count)).toEqual([3]);
  });

  it("tells derived and uncertain edges from facts", () => {
    const d = drawing(
      path([thing("a"), thing("b")], frames, [step("a", "b", { derived: true, uncertain: "a policy" })]),
    );
    expect(d.edges[0]).toMatchObject({ derived: true, uncertain: true, label: "routes to" });
  });
});

describe("what traffic passes", () => {
  const told = (through: Schemas["Through"][]) =>
    drawing(
      makePath(
        [thing("in"), thing("a")],
        through.map((t) => step("in", "a", { through: t })),
      ),
    ).nodes[1]?.notes.map((n) => [n.text, n.why]);

  it("is drawn on the thing it leads to", () => {
    const through = { hosts: ["www.example"], addresses: ["203.0.113.7"], ports: ["443/TCP"], controllers: ["front"] };
    expect(told([through, through])).toEqual([
      ["www.example", "www.example."],
      ["203.0.113.7 · 443/TCP", "203.0.113.7, 443/TCP."],
      ["by front", "front."],
    ]);
  });

  it("is short, and whole when asked", () => {
    expect(told([{ hosts: ["a", "b", "c"] }, { ports: ["80/TCP", "443/TCP"] }])).toEqual([
      ["a +2", "a, b, c."],
      ["80/TCP, 443/TCP", "80/TCP, 443/TCP."],
    ]);
    expect(told([{}])).toEqual([]);
  });
});

describe("elkGraph", () => {
  it("tells a cluster as a thing from the cluster around it", () => {
    const d = drawing(path([thing("c", 1, "Cluster"), thing("b")], frames, []));
    expect([...boxes(elkGraph(d)).keys()].sort()).toEqual(["b", "c", "frame c", "frame c/n"]);
  });

  it("holds every one of 300 things once", () => {
    const things = Array.from({ length: 300 }, (_, i) => thing(`x${i}`));
    const graph = elkGraph(
      drawing(path(things, [{ id: "c", kind: "Cluster", name: "prod", nodes: things.map((t) => t.id) }], [])),
    );
    expect(boxes(graph).size).toBe(301);
  });
});
