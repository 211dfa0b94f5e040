import { describe, expect, it } from "vitest";
import type { Schemas } from "../api/client";
import { fold, walk } from "./fold";
import { absolute, view } from "./layout";
import { drawing, type Drawing } from "./model";
import { makePath, manyServices, step, thing } from "./paths.fixture";

const shown = (d: Drawing) => d.nodes.map((n) => `${n.thing.name} ${n.thing.count}`);
const lines = (d: Drawing) => d.edges.map((e) => `${e.from} ${e.label} ${e.to}`);
const foldOf = (d: Drawing) => d.nodes.flatMap((n) => (n.fold ? [n.fold] : []));

describe("fold", () => {
  it("leaves a path without crowds as it is", () => {
    const d = drawing(makePath([thing("a"), thing("b"), thing("c")], [step("a", "b"), step("b", "c")]));
    expect(fold(d, new Set())).toEqual(d);
  });

  it("keeps replicas folded, and opens them with the edges of all", () => {
    const d = drawing(makePath([thing("a"), thing("b", 2), thing("c")], [step("a", "b"), step("b", "c")]));
    expect(shown(fold(d, new Set()))).toEqual(["a 1", "b 2", "c 1"]);
    const opened = fold(d, new Set(foldOf(d)));
    expect(shown(opened)).toEqual(["a 1", "b-0 1", "b-1 1", "c 1"]);
    expect(lines(opened)).toEqual([
      "a routes to ns/b-0",
      "a routes to ns/b-1",
      "ns/b-0 routes to c",
      "ns/b-1 routes to c",
    ]);
  });

  it("folds siblings that differ only in name, and never the path's entry, foothold and target", () => {
    const d = drawing(manyServices(99));
    expect(d.nodes.length).toBe(300);
    const small = fold(d, new Set());
    expect(small.nodes.map((n) => [n.kind, n.thing.count])).toEqual([
      ["Internet", 1],
      ["Service", 99],
      ["Pod", 99],
      ["Container", 99],
      ["Node", 1],
      ["Cluster", 1],
    ]);
    expect(small.edges.map((e) => e.steps.length)).toEqual([99, 99, 99, 99, 1]);
  });

  it("opens one crowd and leaves the others folded", () => {
    const d = drawing(manyServices(5));
    const services = fold(d, new Set()).nodes[1]?.fold ?? "";
    const opened = fold(d, new Set([services]));
    expect(opened.nodes.filter((n) => n.kind === "Service").map((n) => [n.fold, n.open])).toEqual(
      Array.from({ length: 5 }, () => [services, true]),
    );
    expect(opened.nodes.filter((n) => n.kind === "Pod")).toHaveLength(1);
    expect(fold(d, new Set()).nodes.map((n) => n.id)).toEqual(fold(d, new Set([""])).nodes.map((n) => n.id));
  });

  it("does not fold what stands in other relations", () => {
    const nodes = ["a", "b", "c", "d", "e"].map((id) => thing(id));
    const d = drawing(
      makePath([thing("in"), ...nodes], [...nodes.map((n) => step("in", n.id)), step("a", "b", { verb: "can read" })]),
    );
    expect(shown(fold(d, new Set()))).toEqual(["in 1", "a 1", "b 1", "c 1", "d 1", "e 1"]);
  });
});

it("arrow keys walk nodes and verbs from the entry on, each once", () => {
  const d = drawing(
    makePath([thing("a"), thing("b"), thing("c"), thing("alone")], [step("a", "b"), step("b", "c"), step("a", "c")]),
  );
  expect(walk(d)).toEqual(["a", "a|E|b", "b", "b|E|c", "c", "a|E|c", "alone"]);
});

describe("view", () => {
  const canvas = { width: 1000, height: 400 };
  it.each([
    {
      name: "a small drawing stands whole in the middle, not magnified",
      size: { width: 500, height: 100 },
      want: { x: 250, y: 150, zoom: 1, fits: true },
    },
    {
      name: "one that can be read smaller is made smaller",
      size: { width: 1250, height: 100 },
      want: { x: 0, y: 160, zoom: 0.8, fits: true },
    },
    {
      name: "one that cannot begins at its entry",
      size: { width: 5000, height: 100 },
      want: { x: 0, y: 160, zoom: 0.8, fits: false },
    },
  ])("$name", ({ size, want }) => expect(view(size, canvas)).toEqual(want));

  it("brings what is chosen into the middle, and never looks beyond the drawing", () => {
    const at = (x: number) => view({ width: 5000, height: 100 }, canvas, { x, y: 0, width: 100, height: 50 }).x;
    expect([at(0), at(2450), at(4900)]).toEqual([0, -1500, -3000]);
  });
});

it("places are told on the whole canvas", () => {
  const frames: Schemas["Frame"][] = [
    { id: "c", kind: "Cluster", name: "prod", nodes: [] },
    { id: "n", kind: "Namespace", name: "shop", parent: "c", nodes: ["a"] },
  ];
  const d = drawing({ ...makePath([thing("a")], []), frames });
  const box = (x: number, y: number) => ({ x, y, width: 10, height: 10 });
  expect(
    absolute(d, {
      width: 1,
      height: 1,
      boxes: new Map([
        ["frame c", box(100, 10)],
        ["frame n", box(20, 5)],
        ["a", box(3, 1)],
      ]),
    }).get("a"),
  ).toEqual(box(123, 16));
});
