import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { get } from "../../test/server";
import { at, show } from "../../test/show";
import { RecommendationPage } from "./RecommendationPage";
import { RecommendationsPage } from "./RecommendationsPage";
import { Recommended } from "./Recommended";

const group = (
  about: Schemas["About"],
  more: Partial<Schemas["RecommendationGroup"]> = {},
): Schemas["RecommendationGroup"] => ({
  about,
  title: `${about} images should have findings resolved`,
  why: "they can be exploited",
  images: 10,
  affected: 6,
  clean: 3,
  unknown: 1,
  vulnerabilities: 40,
  unfixed: 7,
  updates: 2,
  ...more,
});
const none = group("registry", {
  images: 0,
  affected: 0,
  clean: 0,
  unknown: 0,
  vulnerabilities: 0,
  unfixed: 0,
  updates: 0,
});

const row: Schemas["RecommendationRow"] = {
  id: "u1",
  about: ["running", "registry"],
  title: "Update openssl to 3.0.15 (Debian:12)",
  severity: "Critical",
  package: "openssl",
  ecosystem: "Debian:12",
  installed: ["3.0.11"],
  fixed: "3.0.15",
  vulnerabilities: 12,
  exploited: 1,
  rce: true,
  images: 3,
  runningImages: 2,
  registryImages: 3,
  pods: 9,
  workloads: 2,
  exposed: 4,
  paths: 5,
  breaks: 2,
};
const list = (more: Partial<Schemas["RecommendationList"]> = {}) => ({
  groups: [group("running"), none],
  items: [row],
  total: 1,
  of: 2,
  asOf: null,
  ...more,
});

const ref = (kind: string, name: string): Schemas["Ref"] => ({ kind, id: `prod/${name}`, name });
const path: Schemas["PathRow"] = {
  id: "p1",
  cluster: "prod",
  namespace: "shop",
  title: "A way in",
  type: "t",
  risk: "high",
  riskScore: 70,
  status: "active",
  firstSeen: "2026-01-01T00:00:00Z",
  lastSeen: "2026-01-01T00:00:00Z",
  entry: ref("Internet", "internet"),
  foothold: ref("Container", "c"),
  target: ref("Container", "c"),
  steps: 3,
  pods: 1,
  workloads: 1,
  vulnerabilities: 1,
  exploited: false,
  entryClass: "known",
  confidence: "exposed to the internet",
  alternatives: 0,
};

it("says how images stand before it lists the updates, and asks what its URL says", async () => {
  const asked = get("/recommendations", list());
  show(<RecommendationsPage />, "/recommendations?about=running&q=ssl&severity=High&exposed=true&vulnerability=CVE-1");
  const table = await screen.findByRole("table");
  expect(within(table).getByRole("link", { name: row.title }).getAttribute("href")).toBe("/recommendation?id=u1");
  expect(["about", "q", "severity", "exposed", "vulnerability"].map((n) => asked[0]?.searchParams.get(n))).toEqual([
    "running",
    "ssl",
    "High",
    "true",
    "CVE-1",
  ]);
  expect(screen.getByRole("link", { name: "3 clean" }).closest("p")?.textContent).toContain(
    "6 affected, 1 unknown, 3 clean of 10 images. 2 updates for 40 vulnerabilities, 7 of them without a fix in some package.",
  );
  expect(
    new URLSearchParams(screen.getByRole("link", { name: "3 clean" }).getAttribute("href")?.split("?")[1]).get("q"),
  ).toContain("i.vulnerabilities = 0 AND NOT i.partly");
  expect(screen.getByText(/There may be more: 1 image of 10 was never scanned, or not wholly/)).toBeTruthy();
  expect(screen.getByRole("link", { name: "6 affected" }).getAttribute("href")).toContain(
    encodeURIComponent("i.vulnerabilities").replaceAll("%20", "+"),
  );
  expect(within(table).getByText("1 exploited, remote code")).toBeTruthy();
});

it("one of the two demands is chosen by its title, and let go again", async () => {
  get("/recommendations", list());
  show(<RecommendationsPage />, "/recommendations?q=ssl");
  await userEvent.click(await screen.findByRole("link", { name: "running images should have findings resolved" }));
  expect(at()).toBe("/recommendations?q=ssl&about=running");
  const chosen = screen.getByRole("link", { name: "running images should have findings resolved" });
  expect(chosen.getAttribute("aria-current")).toBe("true");
  await userEvent.click(chosen);
  expect(at()).toBe("/recommendations?q=ssl");
});

it("without a connected registry it says how to connect one", async () => {
  get("/recommendations", list({ items: [], total: 0, of: 0 }));
  show(<RecommendationsPage />, "/recommendations?about=registry");
  expect(await screen.findByText("No image was wholly scanned yet")).toBeTruthy();
  expect(screen.getByRole("link", { name: "connect a registry" }).getAttribute("href")).toBe("/registries");
});

it("a filter that fits nothing is told from there being nothing to do", async () => {
  get("/recommendations", list({ items: [], total: 0 }));
  show(<RecommendationsPage />, "/recommendations?q=nothing");
  expect(await screen.findByText(/None of 2 updates fits this filter/)).toBeTruthy();
});

it("clean images are praised only when they were scanned", async () => {
  get(
    "/recommendations",
    list({ groups: [group("running", { affected: 0, clean: 9, updates: 0 }), none], items: [], total: 0, of: 0 }),
  );
  show(<RecommendationsPage />, "/recommendations");
  expect(
    await screen.findByText(/None of 9 images that could be judged wholly has a vulnerability that an update fixes/),
  ).toBeTruthy();
});

it("shows the server's words when it fails, and asks again", async () => {
  const asked = get(
    "/recommendations",
    { title: "Not ready", detail: "The first picture is being made.", status: 503 },
    503,
  );
  show(<RecommendationsPage />, "/recommendations");
  expect((await screen.findByRole("alert")).textContent).toContain("The first picture is being made.");
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  await waitFor(() => expect(asked).toHaveLength(2));
});

it("one update: what to do, the layer to rebuild, what it fixes and which paths it breaks", async () => {
  const finding = {
    vulnerability: ref("Vulnerability", "CVE-1"),
    severity: "Critical",
    package: "libssl3",
    installed: "3.0.11",
    fixed: "3.0.15",
    kev: true,
    rce: true,
    image: ref("Image", "r/a:1"),
  };
  get("/recommendation", {
    row,
    text: "Rebuild with `openssl` 3.0.15.",
    packages: ["libssl3", "openssl"],
    findings: [finding],
    unfixed: 2,
    asOf: null,
    images: [
      {
        image: ref("Image", "r/a:1"),
        installed: ["3.0.11"],
        layer: `sha256:${"a".repeat(64)}`,
        command: "RUN apt-get install openssl",
        pods: 9,
      },
    ],
    pods: [
      { pod: ref("Pod", "web-1"), workload: "Deployment web", exposed: true },
      { pod: ref("Pod", "web-2"), workload: "Deployment web", exposed: null },
    ],
    paths: [
      { path, effect: "breaks" },
      { path: { ...path, id: "p2", title: "Another way" }, effect: "lowers" },
    ],
  } satisfies Schemas["RecommendationPage"]);
  show(<RecommendationPage />, "/recommendation?id=u1");
  expect(await screen.findByRole("heading", { name: row.title, level: 1 })).toBeTruthy();
  expect(screen.getByText("openssl", { selector: "code" })).toBeTruthy();
  expect(screen.getByText(/2 vulnerabilities of the same packages have no fix yet/)).toBeTruthy();
  expect(screen.getByText("RUN apt-get install openssl")).toBeTruthy();
  expect(screen.getByRole("link", { name: "CVE-1" }).getAttribute("href")).toBe("/vulnerability?id=prod%2FCVE-1");
  const headings = screen.getAllByRole("heading", { level: 2 }).map((h) => h.textContent);
  expect(headings).toEqual([
    "What to do",
    "Where (1 image)",
    "What it fixes (1 vulnerability, 1 finding)",
    "Attack paths it breaks (1 of 2)",
    "Attack paths it lowers (1 of 2)",
    "Pods that run them (2)",
  ]);
  const pods = within(screen.getByRole("region", { name: "Pods that run them" }));
  expect(pods.getByText("exposed to the internet")).toBeTruthy();
  expect(pods.getByText("unknown")).toBeTruthy();
});

it("an update that is gone is said to be gone in the server's words", async () => {
  get("/recommendation", { title: "No such recommendation", detail: "It may have been followed.", status: 404 }, 404);
  show(<RecommendationPage />, "/recommendation?id=u1");
  expect((await screen.findByRole("alert")).textContent).toContain("It may have been followed.");
});

it("another page shows the first ones that concern it, and leads to the rest", async () => {
  const asked = get("/recommendations", list({ total: 8 }));
  show(<Recommended of={{ vulnerability: "CVE-1" }} none="None." />, "/vulnerability?id=CVE-1");
  expect((await screen.findByRole("link", { name: "All of them" })).getAttribute("href")).toBe(
    "/recommendations?vulnerability=CVE-1",
  );
  expect(screen.getByRole("heading", { name: "What to do (1 of 8)" })).toBeTruthy();
  expect(asked[0]?.searchParams.get("vulnerability")).toBe("CVE-1");
});
