import { describe, expect, it } from "vitest";
import { parted, pieces, sentence, shortReason } from "./text";

describe("shortReason", () => {
  const cases: { name: string; why: string; want: string }[] = [
    {
      name: "a short one stays",
      why: "there is no package database in the image",
      want: "there is no package database in the image",
    },
    {
      name: "a registry's answer is behind digests and addresses",
      why:
        "open r.example/a@sha256:fea9: registry r.example has no such image (404): " +
        "GET https://r.example/v2/a/manifests/sha256:fea9: NAME_UNKNOWN: Unknown name",
      want: "registry r.example has no such image (404)",
    },
    {
      name: "an unreachable server",
      why: "GET https://10.0.0.1/api: dial tcp 10.0.0.1:443: connection refused",
      want: "connection refused",
    },
    { name: "nothing to read is cut", why: `open sha256:${"f".repeat(300)}`, want: `open sha256:${"f".repeat(127)}…` },
  ];
  it.each(cases)("$name", ({ why, want }) => expect(shortReason(why)).toBe(want));
});

it("a title is parted where it differs from the shorter one", () => {
  const all = ["Exposed pod", "Exposed pod and can take over its node", "Another"];
  expect(all.map((t) => parted(t, all))).toEqual([
    { lead: "", tail: "Exposed pod" },
    { lead: "Exposed pod", tail: "and can take over its node" },
    { lead: "", tail: "Another" },
  ]);
});

it("a phrase becomes a sentence, a sentence stays one", () => {
  expect(["they may be missing", "Nothing.", ""].map(sentence)).toEqual(["They may be missing.", "Nothing.", ""]);
});

it("what stands in backticks is code", () => {
  expect(pieces("Drop `privileged: true`; keep the rest")).toEqual([
    { text: "Drop ", code: false },
    { text: "privileged: true", code: true },
    { text: "; keep the rest", code: false },
  ]);
  expect(pieces("an odd ` stays")).toEqual([{ text: "an odd ` stays", code: false }]);
});

it("a title is parted where it goes on beyond a shorter one, or begins to name things", () => {
  const general = ["Exposed pod", "Exposed pod and can take over a node"];
  expect(
    [
      "Exposed pod",
      "Exposed pod: web in shop",
      "Exposed pod and can take over a node: web, node n1",
      "Exposed pods",
    ].map((t) => parted(t, general)),
  ).toEqual([
    { lead: "", tail: "Exposed pod" },
    { lead: "Exposed pod:", tail: "web in shop" },
    { lead: "Exposed pod and can take over a node:", tail: "web, node n1" },
    { lead: "", tail: "Exposed pods" },
  ]);
});
