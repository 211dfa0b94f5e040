import { expect, test } from "vitest";
import { addLine, connect, disconnect, setLine, start } from "./tree";

test("the hunt is three additions to a kind", () => {
  const images = start("Image");
  const found = connect(images, [], "HAS_VULNERABILITY", "out", "Vulnerability");
  const named = addLine(found.query, found.place, { prop: "id", op: "CONTAINS", value: "3889" });
  const hunt = connect(named, [], "RUNS_IMAGE", "in", "Pod");
  expect(hunt.place).toEqual([1]);
  expect(hunt.query).toEqual({ find: { as: "i", kinds: ["Image"], with: [
    { edge: ["HAS_VULNERABILITY"], dir: "out", to: { as: "v", kinds: ["Vulnerability"], where: { prop: "id", op: "CONTAINS", value: "3889" } } },
    { edge: ["RUNS_IMAGE"], dir: "in", to: { as: "p", kinds: ["Pod"] } },
  ] }, distinct: true });
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
