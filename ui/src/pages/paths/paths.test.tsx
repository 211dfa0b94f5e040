import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { get } from "../../test/server";
import { at, show } from "../../test/show";
import { assumed } from "../../lib/links";
import { PathPage } from "./PathPage";
import { PathsPage } from "./PathsPage";

const ref = (kind: string, name: string): Schemas["Ref"] => ({ kind, id: `prod/${name}`, name });

function row(id: string, more: Partial<Schemas["PathRow"]> = {}): Schemas["PathRow"] {
  return {
    id,
    cluster: "prod",
    namespace: "shop",
    title: "Exposed pod",
    type: "t",
    risk: "high",
    riskScore: 70,
    status: "active",
    firstSeen: "2026-01-01T00:00:00Z",
    lastSeen: "2026-01-01T00:00:00Z",
    entry: ref("Internet", "internet"),
    foothold: ref("Container", id),
    target: ref("Container", id),
    steps: 3,
    pods: 1,
    workloads: 1,
    vulnerabilities: 1,
    exploited: false,
    entryClass: "known",
    confidence: "exposed to the internet",
    alternatives: 0,
    ...more,
  };
}

beforeEach(() => {
  get("/status", { gaps: [], clusters: [] });
});

it("a path page shows the server's words when it fails", async () => {
  get("/path", { title: "No such path", detail: "The cluster prod has no path 17.", status: 404 }, 404);
  show(<PathPage />, "/path?cluster=prod&id=17");
  expect((await screen.findByRole("alert")).textContent).toContain("The cluster prod has no path 17.");
});

it("a list of paths asks what its URL says", async () => {
  const asked = get("/paths", { items: [], total: 0, counts: {}, asOf: null });
  show(<PathsPage />, "/paths?status=stale&risk=high&q=shop");
  await screen.findByText("No attack path matches");
  expect(["status", "risk", "q"].map((name) => asked[0]?.searchParams.get(name))).toEqual(["stale", "high", "shop"]);
});

it("a filter that a link brought is in sight and can be taken away", async () => {
  const asked = get("/paths", { items: [row("a")], total: 1, counts: {}, asOf: null });
  show(<PathsPage />, "/paths?vulnerability=CVE-1&q=shop");
  await userEvent.click(await screen.findByRole("button", { name: "Show every vulnerability" }));
  await waitFor(() => expect(asked.at(-1)?.searchParams.get("vulnerability")).toBeNull());
  expect(at()).toBe("/paths?q=shop");
});

it("what tells a path from its shorter sibling stands out, and its link has the whole title", async () => {
  const long = "Exposed pod and can take over its node";
  get("/paths", { items: [row("a"), row("b", { title: long })], total: 2, counts: {}, asOf: null });
  const schema = {
    pathTypes: ["Exposed pod", long].map((title) => ({ id: title, title, why: "" })),
    kinds: {},
    risks: ["low", "high"],
    severities: [],
  } as unknown as Schemas["Schema"];
  show(<PathsPage />, "/paths", schema);
  expect((await screen.findByRole("link", { name: long })).querySelector("b")?.textContent).toBe(
    "and can take over its node",
  );
  expect(screen.getByRole("link", { name: "Exposed pod" }).querySelector("b")).toBeNull();
});

it("the rest of a long list is asked for where the first part ends", async () => {
  const asked = get("/paths", { items: [row("a")], total: 2, counts: {}, asOf: null, next: "here" });
  show(<PathsPage />, "/paths");
  await userEvent.click(await screen.findByRole("button", { name: "Show more" }));
  await waitFor(() => expect(asked.at(-1)?.searchParams.get("cursor")).toBe("here"));
});

const list = (more: Partial<Schemas["PathList"]> = {}) => ({
  items: [row("a")],
  total: 1,
  counts: {},
  classes: { known: 3, possible: 7 },
  asOf: null,
  ...more,
});

it("how attackers get in is a filter with its counts, and asked of the server", async () => {
  const asked = get("/paths", list());
  show(<PathsPage />, "/paths?entryClass=possible&target=prod/n1&technique=exec&fix=Drop%20it&entry=prod/c");
  expect(await screen.findByRole("option", { name: "possible (7)" })).toBeTruthy();
  expect(screen.getByRole("option", { name: "supply chain (0)" })).toBeTruthy();
  expect(["entryClass", "target", "technique", "fix", "entry"].map((n) => asked[0]?.searchParams.get(n))).toEqual([
    "possible",
    "prod/n1",
    "exec",
    "Drop it",
    "prod/c",
  ]);
});

it("paths are counted by what they share, and each count opens its list", async () => {
  const groups = [{ key: "prod/n1", kind: "Node", name: "n1", count: 4, risk: "high", riskScore: 70 }];
  const asked = get("/paths", list({ groups }));
  show(<PathsPage />, "/paths?group=target&risk=high");
  const table = await screen.findByRole("region", { name: "Attack paths by target" });
  expect(asked[0]?.searchParams.get("group")).toBe("target");
  const link = [...table.querySelectorAll("a")].find((a) => a.textContent === "4");
  expect(link?.getAttribute("href")).toBe("/paths?risk=high&target=prod%2Fn1");
});

it("with an attacker assumed, the list says so, asks so, and its links keep it", async () => {
  const asked = get("/paths", list());
  show(<PathsPage />, "/paths?assume=any");
  const link = await screen.findByRole("link", { name: "Exposed pod" });
  expect(link.getAttribute("href")).toBe("/path?cluster=prod&id=a&assume=any");
  expect(asked[0]?.searchParams.get("assume")).toBe("any");
  await userEvent.click(screen.getByRole("link", { name: "Show what was found" }));
  await waitFor(() => expect(asked.at(-1)?.searchParams.get("assume")).toBeNull());
});

it.each([
  [
    { kind: "Deployment", id: "prod/shop/Deployment/web", name: "web", namespace: "shop" },
    "Workload",
    "workload:shop/web",
  ],
  [{ kind: "Pod", id: "prod/shop/Pod/web-1", name: "web-1", namespace: "shop" }, "", "pod:shop/web-1"],
  [{ kind: "Container", id: "prod/shop/Pod/web-1/app", name: "app", namespace: "shop" }, "", "pod:shop/web-1"],
  [{ kind: "ServiceAccount", id: "x", name: "default", namespace: "shop" }, "", "sa:shop/default"],
  [{ kind: "Node", id: "prod/Node/n1", name: "n1" }, "", "node:n1"],
  [{ kind: "Image", id: "sha256:1", name: "shop/web:1" }, "", "image:sha256:1"],
  [{ kind: "Secret", id: "x", name: "s", namespace: "shop" }, "", undefined],
])("breach is assumed of a %o", (thing, family, want) => {
  expect(assumed(thing, family)).toBe(want);
});
