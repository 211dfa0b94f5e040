import { screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { get } from "../../test/server";
import { show } from "../../test/show";
import { CoveragePage } from "./CoveragePage";

const raw =
  `open r.example/a@sha256:${"f".repeat(64)}: registry r.example has no such image (404): ` +
  `GET https://r.example/v2/a: NAME_UNKNOWN: Unknown name`;
const image = {
  id: "sha256:1",
  name: "r.example/a:1",
  registry: "r.example",
  repository: "a",
  tags: [],
  state: "failed",
  error: raw,
  running: true,
  pods: 2,
  severity: null,
  criticals: null,
  highs: null,
  vulnerabilities: null,
  packages: null,
  rce: null,
  exploited: null,
};

it("tells the short reason of a gap in a sentence, and keeps the raw text folded", async () => {
  get("/storage", { title: "not in your scope", status: 403 }, 403);
  get("/coverage", {
    clusters: [],
    images: { total: 3, done: 2, waiting: 0, failed: 1, unsupported: 0, unknown: 0 },
    advisories: { records: 1, sources: 1, kev: false, epss: true },
    ecosystems: {},
    unscanned: [image],
    gaps: [
      {
        cluster: "prod",
        source: "image",
        what: "image r.example/a:1",
        why: raw,
        consequence: "whether it is vulnerable is not known",
      },
      {
        cluster: "prod",
        source: "audit",
        what: "audit log",
        why: "nobody sends it here",
        consequence: "no alert is raised",
      },
    ],
  });
  show(<CoveragePage />, "/coverage");
  expect(await screen.findAllByText(/^Registry r\.example has no such image \(404\)\./)).toHaveLength(2);
  expect(screen.getByText("Whether it is vulnerable is not known.")).toBeTruthy();
  expect(screen.getAllByText(raw).map((e) => e.closest("details")?.open)).toEqual([false, false]);
  expect(screen.getByRole("link", { name: "r.example/a:1" }).getAttribute("href")).toBe("/image?id=sha256%3A1");
  expect(screen.getByRole("heading", { name: "Gaps (1)" })).toBeTruthy();
  expect(screen.getByRole("heading", { name: "Events that are not seen (1)" })).toBeTruthy();
  expect(screen.getByRole("heading", { name: "Images never scanned (1 of 3)" })).toBeTruthy();
});

it("where no cluster and no image was read, nothing is said to be complete", async () => {
  get("/storage", { title: "not in your scope", status: 403 }, 403);
  get("/coverage", {
    clusters: [],
    images: { total: 0, done: 0, waiting: 0, failed: 0, unsupported: 0, unknown: 0 },
    advisories: { records: 0, sources: 0, kev: false, epss: false },
    ecosystems: {},
    unscanned: [],
    gaps: [],
  });
  show(<CoveragePage />, "/coverage");
  expect(await screen.findByText("No cluster was read, so nothing was looked for.")).toBeTruthy();
  expect(screen.getByText("No image was seen.")).toBeTruthy();
});
