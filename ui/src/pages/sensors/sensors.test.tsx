import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { get } from "../../test/server";
import { at, show } from "../../test/show";
import { SensorsPage } from "./SensorsPage";

const blind: Schemas["SensorRow"] = {
  cluster: "prod",
  node: "node-2",
  known: true,
  ref: { kind: "Node", id: "prod/Node/node-2", name: "node-2", cluster: "prod" },
  state: "none",
  why: "no sensor of this node has ever reported",
  seen: 0,
  sent: 0,
  waiting: 0,
  lost: {},
  received: 0,
  missing: 0,
  probes: [],
  processorSeconds: 0,
  memoryBytes: 0,
};
const partial: Schemas["SensorRow"] = {
  ...blind,
  node: "node-1",
  ref: undefined,
  known: false,
  state: "partial",
  why: "the exit probe is off",
  seenAt: "2026-01-01T01:00:00Z",
  started: "2026-01-01T00:00:00Z",
  kernel: "6.1.0",
  build: "v1",
  seen: 1200,
  sent: 1150,
  waiting: 20,
  lost: { "the ring was full": 30 },
  received: 1100,
  missing: 5,
  probes: [
    { name: "exec", state: "on" },
    { name: "exit", state: "off", why: "no such tracepoint" },
  ],
  processorSeconds: 36,
  memoryBytes: 21_000_000,
};
const gap: Schemas["Gap"] = {
  cluster: "prod",
  source: "sensor",
  what: "nodes without a sensor",
  why: "1 of 2 nodes have no sensor: node-2",
  consequence: "no runtime alert can come from them",
};
const list = (more: Partial<Schemas["SensorList"]> = {}): Schemas["SensorList"] => ({
  total: 2,
  withSensor: 1,
  counts: { none: 1, partial: 1 },
  items: [blind, partial],
  gaps: [gap],
  ...more,
});

it("says how many nodes are seen of all, which are not, and what that means", async () => {
  const asked = get("/sensors", list());
  show(<SensorsPage />, "/sensors?state=none&cluster=prod");
  const table = within(await screen.findByRole("region", { name: "Nodes" }));
  expect(["state", "cluster"].map((n) => asked[0]?.searchParams.get(n))).toEqual(["none", "prod"]);
  expect(screen.getByRole("link", { name: "1 of 2 nodes has a sensor that reports" })).toBeTruthy();
  expect(screen.getByRole("link", { name: "1 no sensor" }).getAttribute("href")).toBe(
    "/sensors?cluster=prod&state=none",
  );
  expect(screen.getByRole("note").textContent).toContain("What runs on 1 node of 2 is not seen while it runs.");
  expect(table.getByText("No sensor of this node has ever reported.")).toBeTruthy();
  expect(table.getByRole("link", { name: "node-2" }).getAttribute("href")).toBe(
    "/entity?kind=Node&id=prod%2FNode%2Fnode-2",
  );
  expect(
    within(screen.getByRole("region", { name: "Gaps" })).getByText("No runtime alert can come from them."),
  ).toBeTruthy();
});

it("a node's sensor opens beside the list by keyboard, its place in the URL, and Esc leads back", async () => {
  get("/sensors", list());
  show(<SensorsPage />, "/sensors");
  const link = await screen.findByRole("link", { name: "partial: the sensor of node-1" });
  link.focus();
  await userEvent.keyboard("{Enter}");
  const pane = within(screen.getByRole("complementary", { name: "Sensor" }));
  expect(at()).toBe("/sensors?at=prod%2Fnode-1");
  expect(pane.getByText("No such tracepoint.")).toBeTruthy();
  expect(pane.getByText("30 of 1,200")).toBeTruthy();
  expect(pane.getByText("30: the ring was full")).toBeTruthy();
  expect(pane.getByText("1,100 since the node started, 5 never came")).toBeTruthy();
  expect(pane.getByText("36.0 s, 1.0 % of one processor")).toBeTruthy();
  expect(pane.getByText("prod: the graph does not hold this node.")).toBeTruthy();
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByRole("complementary", { name: "Sensor" })).toBeNull();
  expect(at()).toBe("/sensors");
});

it("without nodes it says what would be here and does not call that seen", async () => {
  get("/sensors", list({ total: 0, withSensor: 0, counts: {}, items: [], gaps: [] }));
  show(<SensorsPage />, "/sensors");
  expect(await screen.findByText("No node was seen yet")).toBeTruthy();
  expect(screen.getByText("No node is known, so nothing can be said.")).toBeTruthy();
});

it("shows the server's words when it fails, and asks again", async () => {
  const asked = get("/sensors", { title: "Broken", detail: "The store is closed.", status: 500 }, 500);
  show(<SensorsPage />, "/sensors");
  expect((await screen.findByRole("alert")).textContent).toContain("The store is closed.");
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  await waitFor(() => expect(asked).toHaveLength(2));
});
