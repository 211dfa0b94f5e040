import { expect, test } from "vitest";
import { addLine, connect, disconnect, setKind, setLine, setOptional, setOrder, start } from "./tree";

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
