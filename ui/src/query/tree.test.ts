import { describe, expect, test } from "vitest";
import {
  addLine,
  columns,
  connect,
  disconnect,
  nodeAt,
  partsOf,
  reach,
  setColumns,
  setKind,
  setLine,
  setOptional,
  setOrder,
  start,
  toCondition,
  toConnection,
} from "./tree";

test("the hunt is three additions to a kind", () => {
  const images = start("Image");
  const found = connect(images, [], "HAS_VULNERABILITY", "out", "Vulnerability");
  const named = addLine(found.query, found.place, { prop: "id", op: "CONTAINS", value: "3889" });
  const hunt = connect(named, [], "RUNS_IMAGE", "in", "Pod");
  expect(hunt.place).toEqual([1]);
  expect(hunt.query).toEqual({
    find: {
      as: "i",
      kinds: ["Image"],
      with: [
        {
          edge: ["HAS_VULNERABILITY"],
          dir: "out",
          to: { as: "v", kinds: ["Vulnerability"], where: { prop: "id", op: "CONTAINS", value: "3889" } },
        },
        { edge: ["RUNS_IMAGE"], dir: "in", to: { as: "p", kinds: ["Pod"] } },
      ],
    },
    distinct: true,
  });
  expect(images).toEqual({ find: { as: "i", kinds: ["Image"] }, distinct: true });
});

test("a variable is never given twice", () => {
  const pods = start("Pod");
  expect(connect(pods, [], "RUNS_AS", "out", "Permission").query.find.with?.[0]?.to.as).toBe("p2");
});

test("a second condition makes an AND, and taking it away unmakes it", () => {
  const both = addLine(addLine(start("Pod"), [], { prop: "exposed" }), [], { prop: "privileged" });
  expect(both.find.where).toEqual({ and: [{ prop: "exposed" }, { prop: "privileged" }] });
  expect(setLine(both, [], 0, undefined).find.where).toEqual({ prop: "privileged" });
});

test("a connection goes with all below it", () => {
  const one = connect(start("Pod"), [], "RUNS", "out", "Container");
  expect(disconnect(one.query, one.place)).toEqual(start("Pod"));
});

const menu = (props: string[], connections: [string, "in" | "out", string][]) => ({
  insights: [],
  properties: props.map((name) => ({ name, label: name, sentence: "", type: "text" as const, ops: ["="] })),
  connections: connections.map(([edge, dir, to]) => ({
    edge,
    dir,
    label: edge,
    sentence: "",
    to: [{ name: to, label: to, plural: to }],
  })),
});

test("another kind keeps what it has as well", () => {
  const pods = addLine(addLine(start("Pod"), [], { prop: "name", op: "=", value: "a" }), [], {
    or: [{ prop: "exposed" }, { prop: "name" }],
  });
  const both = connect(connect(pods, [], "RUNS", "out", "Container").query, [], "IN", "in", "Namespace").query;
  const found = setKind(both, [], "Service", menu(["name"], [["IN", "in", "Namespace"]])).find;
  expect(found.kinds).toEqual(["Service"]);
  expect(found.where).toEqual({ prop: "name", op: "=", value: "a" });
  expect(found.with?.map((r) => r.edge)).toEqual([["IN"]]);
});

test("a connection may be there or must be there", () => {
  const one = connect(start("Pod"), [], "RUNS", "out", "Container");
  const may = setOptional(one.query, one.place, true);
  expect(may.find.with?.[0]?.optional).toBe(true);
  expect(setOptional(may, one.place, false)).toEqual(one.query);
});

test("an order is set and taken away", () => {
  const pods = start("Pod");
  expect(setOrder(pods, { of: "p", prop: "name" }).order).toEqual([{ of: "p", prop: "name" }]);
  expect(setOrder(setOrder(pods, { of: "p", prop: "name" }), undefined)).toEqual(pods);
});

test("a connection becomes a condition with all that was asked of its end, and comes back", () => {
  const runs = connect(start("Pod"), [], "RUNS", "out", "Container");
  const uses = connect(
    addLine(runs.query, runs.place, { prop: "privileged" }),
    runs.place,
    "USES_IMAGE",
    "out",
    "Image",
  );
  const none = toCondition(uses.query, runs.place, (rel) => ({ not: { exists: rel } }));
  const images = { edge: ["USES_IMAGE"], dir: "out" as const, to: { as: "i", kinds: ["Image"] } };
  const containers = {
    edge: ["RUNS"],
    dir: "out" as const,
    to: { as: "c", kinds: ["Container"], where: { and: [{ prop: "privileged" }, { exists: images }] } },
  };
  expect(none.find).toEqual({ as: "p", kinds: ["Pod"], where: { not: { exists: containers } } });
  expect(toConnection(none, [], 0, containers).find).toEqual({ as: "p", kinds: ["Pod"], with: [containers] });
});

test("inside a condition a connection is one more condition, and lines are edited by their way", () => {
  const none = toCondition(connect(start("Pod"), [], "RUNS", "out", "Container").query, [0], (rel) => ({
    not: { exists: rel },
  }));
  const inside = connect(none, ["where/not/exists/to"], "USES_IMAGE", "out", "Image");
  expect(inside.place).toEqual(["where/not/exists/to", "where/exists/to"]);
  expect(nodeAt(inside.query, inside.place)).toEqual({ as: "i", kinds: ["Image"] });
  const named = addLine(inside.query, inside.place, { prop: "running" });
  expect(named.find.where?.not?.exists?.to.where?.exists?.to.where).toEqual({ prop: "running" });
});

test("what an attacker can reach is a condition over every edge a path may walk", () => {
  expect(reach(start("Pod"), [], ["HOLDS", "CAN_ACT_AS"], "out", "Permission").find).toEqual({
    as: "p",
    kinds: ["Pod"],
    where: {
      exists: {
        edge: ["HOLDS", "CAN_ACT_AS"],
        dir: "out",
        upTo: 12,
        to: { as: "p2", kinds: ["Permission"] },
      },
    },
  });
});

test("what is reached in several steps is shown in one", () => {
  const rel = { edge: ["OWNS"], dir: "in" as const, upTo: 3, to: { as: "d", kinds: ["Deployment"] } };
  const reach = addLine(start("Pod"), [], { exists: rel });
  expect(toConnection(reach, [], 0, rel).find.with).toEqual([
    { edge: ["OWNS"], dir: "in", to: { as: "d", kinds: ["Deployment"] } },
  ]);
});

test("columns are those that were chosen, or every variable that is shown", () => {
  const runs = connect(start("Pod"), [], "RUNS", "out", "Container").query;
  const query = addLine(runs, [], { exists: { edge: ["IN"], dir: "out", to: { as: "n", kinds: ["Namespace"] } } });
  expect(columns(query)).toEqual([{ of: "p" }, { of: "c" }]);
  const chosen = setColumns(setOrder(query, { of: "c", prop: "name" }), [{ of: "p", prop: "name" }]);
  expect([columns(chosen), chosen.order]).toEqual([[{ of: "p", prop: "name" }], undefined]);
});

describe("chosen columns and order stay", () => {
  const name = { of: "p", prop: "name" },
    image = { of: "c", prop: "image" };
  const runs = connect(start("Pod"), [], "RUNS", "out", "Container").query;
  const chosen = setOrder(setColumns(runs, [name, image]), name);
  const asked = toCondition(chosen, [0], (rel) => ({ exists: rel }));
  const cases = [
    {
      name: "a connection that is added is one more column",
      query: connect(chosen, [], "IN", "out", "Namespace").query,
      columns: [name, image, { of: "n" }],
    },
    { name: "one that is taken away goes with its columns", query: disconnect(chosen, [0]), columns: [name] },
    { name: "one that becomes a condition as well", query: asked, columns: [name] },
    {
      name: "and comes back as itself",
      query: toConnection(asked, [], 0, runs.find.with?.[0] ?? { edge: [], dir: "out", to: {} }),
      columns: [name, { of: "c" }],
    },
    {
      name: "another kind keeps those that it has as well",
      query: setKind(chosen, [], "Deployment", menu(["name"], [["RUNS", "out", "Container"]])),
      columns: [name, image],
    },
  ];
  test.each(cases)("$name", ({ query, columns }) => expect([query.return, query.order]).toEqual([columns, [name]]));

  test("not what is gone", () => {
    const other = setKind(chosen, [], "Secret", menu(["type"], [["RUNS", "out", "Container"]]));
    expect([other.return, other.order]).toEqual([[image], undefined]);
    const none = disconnect(setOrder(setColumns(runs, [image]), image), [0]);
    expect([none.return, none.order]).toEqual([undefined, undefined]);
    const named = { ...chosen, order: [{ name: "image" }] };
    expect(disconnect(named, [0]).order).toBeUndefined();
    expect(connect(named, [], "IN", "out", "Namespace").query.order).toEqual(named.order);
  });

  test("where none were chosen, all is shown", () => {
    expect(connect(runs, [], "IN", "out", "Namespace").query.return).toBeUndefined();
  });
});

test("each line is asked as far as itself, and left out", () => {
  const runs = connect(addLine(start("Pod"), [], { prop: "exposed" }), [], "RUNS", "out", "Container");
  const query = addLine(runs.query, runs.place, { prop: "privileged" });
  const parts = partsOf(query);
  expect(parts.map((p) => p.line?.prop ?? p.rel?.edge[0])).toEqual(["exposed", "RUNS", "privileged"]);
  expect(parts.map((p) => p.upTo)).toEqual([addLine(start("Pod"), [], { prop: "exposed" }), runs.query, query]);
  expect(parts.map((p) => p.without)).toEqual([
    setLine(query, [], 0, undefined),
    disconnect(query, [0]),
    setLine(query, [0], 0, undefined),
  ]);
});
