import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { get } from "../../test/server";
import { at, show } from "../../test/show";
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
