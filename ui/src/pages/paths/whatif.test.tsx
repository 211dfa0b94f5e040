import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { get, post } from "../../test/server";
import { at, show } from "../../test/show";
import { PathsPage } from "./PathsPage";

const ref = (kind: string, name: string): Schemas["Ref"] => ({ kind, id: `prod/${name}`, name });

const row = (id: string): Schemas["PathRow"] => ({
  id,
  cluster: "prod",
  namespace: "shop",
  title: `Path ${id}`,
  type: "t",
  risk: "high",
  riskScore: 70,
  status: "active",
  firstSeen: "2026-01-01T00:00:00Z",
  lastSeen: "2026-01-01T00:00:00Z",
  entry: ref("Internet", "internet"),
  foothold: ref("Container", id),
  target: ref("Node", id),
  steps: 3,
  pods: 1,
  workloads: 1,
  vulnerabilities: 1,
  exploited: false,
  entryClass: "known",
  confidence: "exposed to the internet",
  alternatives: 0,
});

const fix = (id: string, title: string) => ({
  fix: { id, kind: "rule", title, text: title, concerns: [`Pod prod/shop/${id}`], effect: "breaks" },
  cluster: "prod",
  ends: ["a"],
});

beforeEach(() => {
  get("/status", { gaps: [], clusters: [] });
  get("/paths", { items: [row("a"), row("b")], total: 2, counts: {}, asOf: null });
});

it("a fix that is ticked strikes through what it would end, and says what would be lost", async () => {
  const cut = get("/cut", {
    paths: 2,
    fixes: [fix("f1", "Drop it"), fix("f2", "Narrow it")],
    atLeast: 2,
    left: [],
    gaps: [],
  });
  const asked = post<{ fixes: string[] }>("/what-if", () => ({
    fixes: [],
    opened: [],
    closed: [row("a")],
    changed: [],
    hidden: [],
    kept: 1,
    lost: [{ from: "internet", to: "prod/shop/Deployment/web", before: ["443/TCP"], after: [] }],
    routesLost: 1,
    permissionsLost: [],
    permissionsGone: 0,
    notKnown: ["whether the program reads the folder is not known"],
    gaps: [],
  }));
  show(<PathsPage />, "/paths?risk=high&cut=true");
  expect(
    await screen.findByText(/2 fixes for 2 attack paths; no fewer than 2 could do · tried on a copy: none stays/),
  ).toBeTruthy();
  expect(cut[0]?.searchParams.get("risk")).toBe("high");
  expect(screen.getByRole("link", { name: "Path a" }).closest("s")).toBeNull();
  await userEvent.click(screen.getByRole("checkbox", { name: "What if: Drop it" }));
  await waitFor(() => expect(screen.getAllByRole("link", { name: "Path a" }).at(-1)?.closest("s")).not.toBeNull());
  expect(screen.getByRole("link", { name: "Path b" }).closest("s")).toBeNull();
  expect(asked).toEqual([{ fixes: ["f1"] }]);
  expect(screen.getByText(/1 attack path would be gone, 1 would stay, none would open/)).toBeTruthy();
  expect(screen.getByText(/443\/TCP/)).toBeTruthy();
  expect(screen.getByText(/Whether the program reads the folder is not known/)).toBeTruthy();
  expect(at()).toBe("/paths?risk=high&cut=true&whatif=f1");
});

it("what was not seen may be lost, too: nothing lost is said of what was seen", async () => {
  get("/cut", { paths: 2, fixes: [fix("f1", "Drop it")], atLeast: 1, left: [], gaps: [] });
  const nothing = { fixes: [], opened: [], closed: [], changed: [], hidden: [], kept: 2, lost: [], routesLost: 0 };
  const gap = { source: "api", what: "pods", why: "403", consequence: "more may be lost" };
  post("/what-if", () => ({ ...nothing, permissionsLost: [], permissionsGone: 0, notKnown: [], gaps: [gap] }));
  show(<PathsPage />, "/paths?cut=true&whatif=f1");
  expect(await screen.findByText(/would be lost, as far as could be seen\./)).toBeTruthy();
});

it("paths that could not be judged again are told beside the fewest fixes", async () => {
  get("/cut", { paths: 1, stale: 2, fixes: [fix("f1", "Drop it")], atLeast: 1, left: [], gaps: [] });
  show(<PathsPage />, "/paths?cut=true");
  expect((await screen.findByText(/2 more paths could not be judged again/)).textContent).toMatch(
    /whether these end them is not known/,
  );
});
