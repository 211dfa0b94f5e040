import { expect, it } from "vitest";
import { ago, bytes, until } from "./format";

const now = Date.parse("2026-01-01T12:00:00Z");

it("what was and what will be are said in the same words", () => {
  expect(["11:59:57", "11:30:00", "06:00:00"].map((t) => ago(`2026-01-01T${t}Z`, now))).toEqual([
    "3 s",
    "30 min",
    "6 h",
  ]);
  expect(["12:00:03", "12:30:00", "11:00:00"].map((t) => until(`2026-01-01T${t}Z`, now))).toEqual([
    "3 s",
    "30 min",
    "0 s",
  ]);
});

it("bytes have a unit that fits them", () => {
  expect([0, 312, 4_200_000, 57_300_000, 2e15].map(bytes)).toEqual(["0 B", "312 B", "4.2 MB", "57 MB", "2,000 TB"]);
});
