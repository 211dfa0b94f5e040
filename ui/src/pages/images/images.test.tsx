import { screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { get } from "../../test/server";
import { show } from "../../test/show";
import { ImagePage } from "./ImagePage";
import { ImagesPage } from "./ImagesPage";

const image = (name: string, partly: boolean) => ({
  id: name,
  name,
  registry: "r.example",
  repository: name,
  tags: [],
  state: "done",
  partly,
  running: true,
  pods: 1,
  severity: partly ? null : "None",
  criticals: 0,
  highs: 0,
  vulnerabilities: 0,
  packages: 3,
});

it("an image that was read in part has none known, and only one that was read wholly has none", async () => {
  get("/status", { clusters: [] });
  get("/images", {
    items: [image("part", true), image("whole", false)],
    total: 2,
    counts: { total: 2, done: 2, waiting: 0, failed: 0, unsupported: 0, unknown: 0 },
    asOf: null,
  });
  show(<ImagesPage />, "/images");
  const row = (name: string) => screen.getByRole("link", { name }).closest("tr") as HTMLElement;
  await screen.findByRole("link", { name: "part" });
  expect(within(row("part")).getAllByText("none known")).toHaveLength(3);
  expect(within(row("part")).getByText("unknown")).toBeTruthy();
  expect(within(row("whole")).queryByText("none known")).toBeNull();
  expect(within(row("whole")).getByText("None")).toBeTruthy();
});

const finding = (id: string, exception?: object) => ({
  vulnerability: { kind: "Vulnerability", id, name: id },
  severity: "High",
  package: "openssl",
  installed: "1",
  image: { kind: "Image", id: "web", name: "web" },
  exception,
});

const until = { reason: "not reached", author: "alice", until: "2027-01-31", where: "e.yaml:2" };

it("an image's page marks what was accepted, and hands out what is known in each format", async () => {
  get("/recommendations", { items: [], total: 0 });
  get("/image", {
    row: image("web", false),
    secrets: [
      {
        secret: { kind: "ImageSecret", id: "secret:1", name: "npm access token" },
        kind: "npm access token",
        file: "root/.npmrc:2",
        removed: true,
        published: false,
        images: 3,
      },
    ],
    layers: [],
    packages: [],
    pods: [],
    paths: [],
    gaps: [],
    dismissed: [
      {
        vulnerability: { kind: "Vulnerability", id: "CVE-9", name: "CVE-9" },
        severity: "High",
        package: "mod",
        installed: "2",
        reason: "alice says that it is not affected",
      },
    ],
    findings: [
      finding("CVE-1", { ...until, expired: false }),
      finding("CVE-2", { ...until, expired: true }),
      finding("CVE-3"),
    ],
  });
  show(<ImagePage />, "/image?id=web");
  const row = (name: string) => screen.getByRole("link", { name }).closest("tr") as HTMLElement;
  await screen.findByRole("link", { name: "CVE-1" });
  expect(within(row("CVE-1")).getByText("until 2027-01-31: not reached")).toBeTruthy();
  expect(within(row("CVE-2")).getByText("ended with 2027-01-31, counts again: not reached")).toBeTruthy();
  expect(within(row("CVE-3")).queryByText(/2027/)).toBeNull();
  expect(within(row("CVE-9")).getByText("Alice says that it is not affected.")).toBeTruthy();
  expect(screen.getByText("Not affected (1)")).toBeTruthy();
  expect(row("npm access token").textContent).toBe("npm access tokenroot/.npmrc:2taken away by a layer above3");
  expect(screen.getByRole("link", { name: "CycloneDX" }).getAttribute("href")).toContain(
    "/api/v1/report/image?id=web&format=cyclonedx",
  );
});

it("an image that a build told of says so, and not that it was read", async () => {
  get("/recommendations", { items: [], total: 0 });
  const row = {
    ...image("web", true),
    toldBy: "shop-ci",
    toldAt: "2026-01-01T00:00:00Z",
    scannedAt: "2026-01-01T00:00:00Z",
  };
  get("/image", {
    row,
    secrets: [],
    layers: [],
    packages: [],
    pods: [],
    paths: [],
    gaps: [],
    dismissed: [],
    findings: [],
  });
  show(<ImagePage />, "/image?id=web");
  const said = (await screen.findByText(/assessed from an upload/)).textContent;
  expect(said).toMatch(/assessed from an upload by the token of shop-ci, .+ ago, not from the registry/);
  expect(said).not.toContain("· read");
});

it("a package that a package of the distribution has says whose part it is, and has no vulnerabilities of its own", async () => {
  const one = (name: string, more: object) => ({
    id: `pkg:npm/${name}@1`,
    name,
    version: "1",
    vulnerabilities: 0,
    ...more,
  });
  get("/image", {
    row: image("web", false),
    secrets: [],
    layers: [],
    findings: [],
    dismissed: [],
    pods: [],
    paths: [],
    gaps: [],
    packages: [
      one("lodash", { ownedBy: "pkg:deb/debian/node-lodash@4.17.21?arch=all" }),
      one("listed", { wanted: true }),
      one("own", { source: "own-source" }),
    ],
  });
  show(<ImagePage />, "/images/page?id=web");
  const row = (name: string) => screen.getByText(name).closest("tr") as HTMLElement;
  await screen.findByText("lodash");
  expect(within(row("lodash")).getByText("part of node-lodash")).toBeTruthy();
  expect(within(row("lodash")).queryByRole("link")).toBeNull();
  expect(within(row("lodash")).getByText("–")).toBeTruthy();
  expect(within(row("listed")).getByText("wanted, not seen installed")).toBeTruthy();
  expect(within(row("own")).getByText("own-source")).toBeTruthy();
  expect(within(row("own")).getByText("0")).toBeTruthy();
});
