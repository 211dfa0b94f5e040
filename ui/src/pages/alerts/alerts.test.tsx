import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";
import { get, server } from "../../test/server";
import { show } from "../../test/show";
import { AlertPage } from "./AlertPage";
import { AlertsPage } from "./AlertsPage";

const row = {
  cluster: "prod",
  id: "a1",
  rule: "privileged-pod",
  title: "A workload runs a privileged container",
  severity: "high",
  status: "new",
  techniques: ["T1611"],
  firstSeen: "2026-01-01T00:00:00Z",
  lastSeen: "2026-01-01T00:00:00Z",
  count: 1,
  actor: "alice",
  about: "Deployment shop/web",
};

it("lists who did what, and asks for what the URL says", async () => {
  const asked = get("/alerts", {
    items: [row],
    counts: { high: 1 },
    you: "alice",
    gaps: [],
    receiving: [
      {
        cluster: "prod",
        kind: "audit",
        accepted: 3,
        analysed: 3,
        total: 1200,
        waiting: 0,
        deadLettered: 0,
        rejected: { "wrong token": 2 },
      },
    ],
  });
  show(<AlertsPage />, "/alerts?status=dismissed&severity=high");
  const table = await screen.findByRole("table");
  expect(within(table).getByRole("link", { name: row.title }).getAttribute("href")).toBe("/alert?cluster=prod&id=a1");
  expect(asked[0]?.searchParams.get("severity")).toBe("high");
  expect(asked[0]?.searchParams.getAll("status")).toEqual(["dismissed"]);
  expect(screen.getByText(/1,200 analysed since the first/)).toBeTruthy();
  expect(screen.getByText(/2 requests refused: wrong token/)).toBeTruthy();
});

it("does not call a cluster quiet that sends nothing", async () => {
  get("/alerts", { items: [], counts: {}, gaps: [], receiving: [], you: "alice" });
  show(<AlertsPage />, "/alerts");
  expect(await screen.findByText("No cluster sends its audit log")).toBeTruthy();
});

it("tells which events were lost, where nothing was detected", async () => {
  const audit = { cluster: "prod", kind: "audit", accepted: 9, analysed: 9, waiting: 0, deadLettered: 0, rejected: {} };
  get("/alerts", {
    items: [],
    counts: {},
    you: "alice",
    receiving: [
      { ...audit, reconciled: 4, lost: 7 },
      { ...audit, cluster: "dev", lostWhy: "metrics cannot be read" },
    ],
    gaps: [
      {
        cluster: "prod",
        source: "audit",
        what: "lost audit events",
        why: "the API server gave up 7 events",
        consequence: "attacks in them raised no alert",
      },
    ],
  });
  show(<AlertsPage />, "/alerts");
  expect(await screen.findByText("prod: lost audit events.")).toBeTruthy();
  expect(screen.getByText(/Attacks in them raised no alert\./)).toBeTruthy();
  expect(screen.getByText(/4 of them from its log file, 7 given up by the API server/)).toBeTruthy();
  expect(screen.getByText(/dev/).closest("li")?.textContent).toContain("unknown how many the API server gave up");
});

it("shows what the graph knows, what it does not, and dismisses only with a reason", async () => {
  get("/alert", {
    alert: row,
    reason: "",
    notes: [],
    you: "alice",
    evidence: ["alice asked to create it."],
    events: [{ verb: "create", omitted: { requestObject: 20_000 }, bytes: 21_000 }],
    why: "It can take over its node.",
    fix: "Drop `privileged: true`.",
    entities: [
      { role: "actor", kind: "User", name: "alice", paths: [], reaches: [], unknown: [] },
      {
        role: "target",
        kind: "Deployment",
        namespace: "shop",
        name: "web",
        ref: { kind: "Deployment", id: "prod/shop/Deployment/web", name: "web" },
        exposed: true,
        paths: [{ id: "p1", title: "A way in", risk: "critical" }],
        reaches: ["can take over Node n1"],
        unknown: ["services cannot be read"],
      },
    ],
  });
  const sent: unknown[] = [];
  server.use(
    http.put("*/api/v1/alerts", async ({ request }) => {
      sent.push(((await request.json()) as { change: unknown }).change);
      return HttpResponse.json({ changed: 1, missing: [] });
    }),
  );
  const person = userEvent.setup();
  show(<AlertPage />, "/alert?cluster=prod&id=a1");
  expect((await screen.findByRole("link", { name: "A way in" })).getAttribute("href")).toBe("/path?cluster=prod&id=p1");
  expect(screen.getByText(/exposed to the internet/)).toBeTruthy();
  expect(screen.getByRole("link", { name: "T1611" }).getAttribute("href")).toBe(
    "https://attack.mitre.org/techniques/T1611/",
  );
  expect(screen.getByText(/services cannot be read/)).toBeTruthy();
  expect(screen.getByText(/of very large ones parts are left out/)).toBeTruthy();
  await person.click(screen.getByRole("button", { name: "Dismiss …" }));
  await person.click(screen.getByRole("button", { name: "Dismiss" }));
  expect(sent).toEqual([]);
  await person.type(screen.getByRole("textbox", { name: "Why it is dismissed" }), "a drill{Enter}");
  await expect.poll(() => sent).toEqual([{ status: "dismissed", reason: "a drill" }]);
  await person.click(await screen.findByRole("button", { name: "Resolve …" }));
  await person.type(screen.getByRole("textbox", { name: "Why it is resolved" }), "the pod is gone{Enter}");
  await expect.poll(() => sent.at(-1)).toEqual({ status: "resolved", reason: "the pod is gone" });
});

it.each([
  ["resolved", "the pod is gone", "resolved by bob 2026-01-02 03:04:05 UTC: the pod is gone"],
  ["dismissed", "a drill", "dismissed by bob 2026-01-02 03:04:05 UTC: a drill"],
  ["in progress", "", "in progress by bob 2026-01-02 03:04:05 UTC"],
])("an alert that is %s says who decided so, when and why", async (status, reason, want) => {
  get("/alert", {
    alert: { ...row, status },
    reason,
    notes: [],
    you: "alice",
    decidedBy: "bob",
    decidedAt: "2026-01-02T03:04:05Z",
    evidence: [],
    events: [],
    why: "",
    fix: "",
    entities: [],
  });
  show(<AlertPage />, "/alert?cluster=prod&id=a1");
  expect((await screen.findByText(status)).closest("p")?.textContent).toContain(`prod · ${want} · 1 time`);
});

const container = "4d0e8f6a1b2c".padEnd(64, "0");
const exec = (pid: number) => ({
  kind: "exec",
  node: "n1",
  process: { pid, uid: 33, name: "sh", path: "/bin/sh", arguments: ["sh", "-c", "id"], cut: true },
  container: { id: container, kubernetes: true },
  ancestors: [
    { pid: 10, uid: 33, name: "nginx", container },
    { pid: 1, uid: 0, name: "containerd-shim" },
  ],
});

it("of a program that ran it shows who started it, where the container begins, and where it was", async () => {
  get("/alert", {
    alert: { ...row, actor: "sh" },
    reason: "",
    notes: [],
    you: "alice",
    evidence: ["sh ran."],
    why: "",
    fix: "",
    events: [exec(20), exec(21)],
    entities: [
      { role: "actor", kind: "Process", name: "sh", detail: "/bin/sh as 33", paths: [], reaches: [], unknown: [] },
      {
        role: "target",
        kind: "Container",
        name: "4d0e8f6a1b2c",
        detail: container,
        paths: [],
        reaches: [],
        unknown: [],
      },
      {
        role: "place",
        kind: "Node",
        name: "n1",
        ref: { kind: "Node", id: "prod/Node/n1", name: "n1" },
        paths: [],
        reaches: [],
        unknown: [],
      },
    ],
  });
  show(<AlertPage />, "/alert?cluster=prod&id=a1");
  const started = within(
    (await screen.findByRole("heading", { name: "How it was started" })).closest("section") as HTMLElement,
  );
  expect(started.getAllByRole("listitem").map((li) => li.textContent)).toEqual([
    "on the node itselfcontainerd-shim pid 1 · uid 0",
    "in container 4d0e8f6a1b2c└ nginx pid 10 · uid 33",
    "└ sh /bin/sh · pid 20 · uid 33sh -c id …",
  ]);
  expect(screen.getByText("/bin/sh as 33")).toBeTruthy();
  expect(screen.queryByText(container)).toBeNull();
  expect(screen.getByRole("link", { name: "n1" }).getAttribute("href")).toBe("/entity?kind=Node&id=prod%2FNode%2Fn1");
});

it("what is chosen is worked on together", async () => {
  get("/alerts", {
    items: [row, { ...row, id: "a2", title: "Another", about: "Pod shop/db" }, { ...row, id: "a3", title: "A third" }],
    counts: { high: 3 },
    gaps: [],
    receiving: [],
    you: "alice",
  });
  const sent: unknown[] = [];
  server.use(
    http.put("*/api/v1/alerts", async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json({ changed: 1, missing: [{ cluster: "prod", id: "a2" }] });
    }),
  );
  const person = userEvent.setup();
  show(<AlertsPage />, "/alerts");
  await person.click(await screen.findByRole("checkbox", { name: `Choose ${row.title}, ${row.about}` }));
  await person.click(screen.getByRole("checkbox", { name: "Choose Another, Pod shop/db" }));
  expect(screen.getByText("2 alerts chosen")).toBeTruthy();
  await person.click(screen.getByRole("button", { name: "Take it" }));
  await expect
    .poll(() => sent)
    .toEqual([
      {
        alerts: [
          { cluster: "prod", id: "a1" },
          { cluster: "prod", id: "a2" },
        ],
        change: { status: "in progress", assignee: "alice" },
      },
    ]);
  await expect.poll(() => screen.queryByText("2 alerts chosen")).toBeNull();
});

it("tells what people did, and takes what there is to say", async () => {
  get("/alert", {
    alert: { ...row, status: "in progress", assignee: "bob" },
    reason: "",
    you: "alice",
    notes: [
      { at: "2026-01-02T03:04:05Z", person: "alice", what: "assignee", words: "bob" },
      { at: "2026-01-02T03:05:05Z", person: "bob", what: "comment", words: "seen on two nodes" },
      { at: "2026-01-02T03:06:05Z", person: "bob", what: "dismissed", words: "a drill" },
    ],
    evidence: [],
    events: [],
    why: "",
    fix: "",
    entities: [],
  });
  const sent: unknown[] = [];
  server.use(
    http.put("*/api/v1/alerts", async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json({ changed: 1, missing: [] });
    }),
  );
  const person = userEvent.setup();
  show(<AlertPage />, "/alert?cluster=prod&id=a1");
  const notes = within(
    (await screen.findByRole("heading", { name: "What people did" })).closest("section") as HTMLElement,
  );
  expect(notes.getAllByRole("listitem").map((li) => li.textContent)).toEqual([
    "alice gave it to bob 2026-01-02 03:04:05 UTC",
    "bob seen on two nodes 2026-01-02 03:05:05 UTC",
    "bob set it to dismissed: a drill 2026-01-02 03:06:05 UTC",
  ]);
  expect(screen.getByText(/bob works on it/)).toBeTruthy();
  await person.type(notes.getByRole("textbox", { name: "Comment" }), "so did I");
  await person.click(notes.getByRole("button", { name: "Comment" }));
  await expect.poll(() => sent).toEqual([{ alerts: [{ cluster: "prod", id: "a1" }], change: { comment: "so did I" } }]);
});
