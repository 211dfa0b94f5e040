import { describe, expect, it } from "vitest";
import type { Schemas } from "../api/client";
import { fold, hidden, shownAs, walk } from "./fold";
import { absolute, column, least, view } from "./layout";
import { drawing, type Drawing } from "./model";
import { longRoute, makePath, manyServices, step, thing } from "./paths.fixture";
import { chokes, firstRoute } from "./routes";

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
      name: "one that can be read a little smaller is made smaller",
      size: { width: 1000 / least, height: 100 },
      want: { x: 0, y: (400 - 100 * least) / 2, zoom: least, fits: true },
    },
    {
      name: "one that cannot begins at its entry, its text never under 11 px",
      size: { width: 5000, height: 100 },
      want: { x: 0, y: (400 - 100 * least) / 2, zoom: 11 / 12, fits: false },
    },
  ])("$name", ({ size, want }) => expect(view(size, canvas)).toEqual(want));

  it("brings what is chosen into the middle, and never looks beyond the drawing", () => {
    const at = (x: number) => view({ width: 5000, height: 100 }, canvas, { x, y: 0, width: 100, height: 50 }).x;
    expect([at(0), at(2450), at(4900)]).toEqual([0, 500 - 2500 * least, 1000 - 5000 * least]);
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

describe("a long route", () => {
  const d = drawing(longRoute(30, 31));
  const row = fold(d, new Set()).nodes.find((n) => n.between)?.fold ?? "";

  it("is folded where things stand in a row, never its entry, foothold and target", () => {
    expect(shown(fold(d, new Set()))).toEqual([
      "internet 1",
      "thing-0 1",
      "thing-1 1",
      "thing-2 1",
      "26 things between 26",
      "cluster 1",
    ]);
    expect(lines(fold(d, new Set())).slice(-2)).toEqual([`thing-2 can act as ${row}`, `${row} can act as cluster`]);
  });

  it("is opened whole, and can be folded again", () => {
    const opened = fold(d, new Set([row]));
    expect([opened.nodes.length, opened.nodes.filter((n) => n.fold === row && n.open).length]).toEqual([31, 1]);
    expect(lines(opened)).toEqual(lines(d));
  });

  it("tells what has to be opened before a thing or step is in sight", () => {
    const folded = fold(d, new Set());
    const asked = ["thing-9", "thing-9|E|thing-10", "thing-1", "thing-2|E|thing-3", "nothing"];
    expect(asked.map((id) => hidden(folded, id))).toEqual([row, row, undefined, undefined, undefined]);
    expect(hidden(fold(d, new Set([row])), "thing-9")).toBeUndefined();
  });

  it("of few things is not folded, nor where ways part", () => {
    expect(fold(drawing(longRoute(11, 12)), new Set()).nodes).toHaveLength(12);
    const parting = longRoute(12, 13);
    const also = parting.nodes.slice(3, 11).map((n) => step(n.id, "cluster"));
    expect(fold(drawing({ ...parting, also }), new Set()).nodes).toHaveLength(13);
  });

  it("stands in the frame that is around all of the row", () => {
    const path = longRoute(30, 31);
    const frames = path.frames.map((f) => ({
      ...f,
      nodes: f.id === "ns" ? f.nodes.filter((n) => n !== "thing-9") : [...f.nodes, "thing-9"],
    }));
    expect(fold(drawing({ ...path, frames }), new Set()).nodes.find((n) => n.between)?.frame).toBe("c");
    expect(fold(d, new Set()).nodes.find((n) => n.between)?.frame).toBe("ns");
  });
});

it("a step or thing in a crowd is shown as the crowd", () => {
  const folded = fold(drawing(manyServices(5)), new Set());
  const [, services] = folded.nodes;
  expect(shownAs(folded, "service-3")).toBe(services?.id);
  expect(shownAs(folded, "service-3|E|pod-3")).toBe(folded.edges[1]?.id);
  expect([shownAs(folded, "node"), shownAs(folded, "none"), shownAs(folded, undefined)]).toEqual([
    "node",
    undefined,
    undefined,
  ]);
});

describe("routes", () => {
  const ids = ["in", "a", "b", "c", "d", "out", "aside"];
  const routes = drawing(
    makePath(
      ["in", "a", "b", "d", "c", "aside", "out"].map((id) => thing(id)),
      [step("in", "a"), step("a", "b"), step("b", "d"), step("d", "out")],
      { also: [step("a", "c"), step("c", "d"), step("a", "aside")] },
    ),
  );

  it("the first is drawn alone until the others are asked for", () => {
    expect([routes.nodes.length, routes.edges.length]).toEqual([ids.length, 7]);
    expect(lines(firstRoute(routes))).toEqual(["in routes to a", "a routes to b", "b routes to d", "d routes to out"]);
    expect(shown(firstRoute(routes))).toEqual(["in 1", "a 1", "b 1", "d 1", "out 1"]);
  });

  it("what every route passes is told in the order of the first", () => {
    expect(chokes(routes)).toEqual(["in|E|a", "a", "d", "d|E|out"]);
  });

  it("where routes share nothing, or none arrives, nothing is told", () => {
    const two = [step("in", "a"), step("a", "out")],
      other = [step("in", "b"), step("b", "out")];
    const things = ["in", "a", "b", "out"].map((id) => thing(id));
    expect(chokes(drawing(makePath(things, two, { also: other })))).toEqual([]);
    expect(chokes(drawing(makePath(things, [step("in", "a")])))).toEqual([]);
  });
});

it("goes down beside its story only where there is room for both", () => {
  const cases: [number, number, number][] = [
    [330, 1500, 560],
    [600, 1500, 1240],
    [700, 1500, 1240],
    [330, 3000, 1240],
  ];
  expect(cases.map(([width, height, room]) => column({ width, height }, room))).toEqual([true, true, false, false]);
});
