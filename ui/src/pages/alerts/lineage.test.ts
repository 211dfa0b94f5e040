import { expect, it } from "vitest";
import { lineage, lineages } from "./lineage";

const process = { pid: 7, uid: 0, name: "sh", arguments: ["sh", "-c", "id"] };

it("the farthest parent comes first, the program last", () => {
  const l = lineage({
    process,
    ancestors: [{ name: "near" }, { name: "far", container: "unknown" }],
    container: { id: "c1" },
  });
  expect(l?.map((p) => [p.name, p.container])).toEqual([
    ["far", "unknown"],
    ["near", ""],
    ["sh", "c1"],
  ]);
});

it("an event that is no program's start has none, in any shape", () => {
  expect(
    [{}, { verb: "create" }, { process: "sh" }, { process: null }, { process: [1] }].map((e) => lineage(e)),
  ).toEqual([undefined, undefined, undefined, undefined, undefined]);
});

it("what is missing or of another type is empty, never a fault", () => {
  expect(lineage({ process: { name: 5, arguments: "x" }, ancestors: [null, { pid: "1" }], container: "c" })).toEqual([
    { name: "", pid: 0, uid: 0, path: "", line: "", cut: false, container: "" },
    { name: "", pid: 0, uid: 0, path: "", line: "", cut: false, container: "" },
    { name: "", pid: 0, uid: 0, path: "", line: "", cut: false, container: "" },
  ]);
});

it("lines that differ by process numbers only are one, with how often", () => {
  const all = lineages([
    { process, time: "2026-01-01T00:00:00Z" },
    { process: { ...process, pid: 8 } },
    { verb: "get" },
    { process: { ...process, uid: 1 } },
  ]);
  expect(all.map((l) => l.times)).toEqual([2, 1]);
  expect(all.map((l) => l.first)).toEqual(["2026-01-01T00:00:00Z", ""]);
});
