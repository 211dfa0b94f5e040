import { expect, it } from "vitest";
import { wrong } from "./TextPane";

const text = "MATCH (i:Image)\nMATCH (p:Pood) RETURN p";

it.each([
  { name: "the word at a place", at: { line: 2, col: 10 }, want: "Pood" },
  { name: "a sign alone", at: { line: 2, col: 7 }, want: "(" },
  { name: "the end", at: { line: 2, col: 24 }, want: "" },
  { name: "beyond the text", at: { line: 9, col: 3 }, want: "" },
])("$name", ({ at, want }) => {
  const { from, to, line } = wrong(text, at);
  expect([text.slice(from, to), line.wrong]).toEqual([want, want]);
});
