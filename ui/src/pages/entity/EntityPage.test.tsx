import { screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { get } from "../../test/server";
import { show } from "../../test/show";
import { EntityPage } from "./EntityPage";

const alert = {
  cluster: "prod",
  id: "a1",
  rule: "exec",
  title: "A shell was opened in a pod",
  severity: "high",
  status: "new",
  techniques: [],
  firstSeen: "2026-01-01T00:00:00Z",
  lastSeen: "2026-01-01T00:00:00Z",
  count: 1,
  actor: "alice",
  about: "Pod shop/web",
};

const image = (name: string, vulnerabilities: number | null, partly = false) => ({
  id: `r.example/${name}`,
  name,
  state: vulnerabilities === null ? "waiting" : "done",
  partly,
  severity: vulnerabilities === null ? null : "high",
  vulnerabilities,
});

const thing = (kind: string, more: object) => ({
  ref: { kind, id: `prod/${kind}/it`, name: "it", cluster: "prod" },
  kindLabel: kind,
  kindSentence: "",
  insights: [],
  properties: [],
  relations: [],
  paths: [],
  pathsTotal: 0,
  images: [],
  alerts: [],
  alertsTotal: 0,
  asOf: null,
  ...more,
});

const section = async (name: string) =>
  within((await screen.findByRole("heading", { name })).closest("section") as HTMLElement);

it.each(["Pod", "Node", "User", "ServiceAccount", "Deployment"])(
  "the page of a %s shows the open alerts that name it",
  async (kind) => {
    get("/entity", thing(kind, { alerts: [alert], alertsTotal: 3 }));
    show(<EntityPage />, `/entity?kind=${kind}&id=prod/${kind}/it`);
    const alerts = await section("Open alerts (3)");
    expect(alerts.getByRole("link", { name: alert.title }).getAttribute("href")).toBe("/alert?cluster=prod&id=a1");
    expect(alerts.getByRole("listitem").textContent).toContain("alice · Pod shop/web");
  },
);

it.each(["Pod", "Node", "ServiceAccount", "Deployment"])(
  "the page of a %s shows what it runs, and takes nothing unread for clean",
  async (kind) => {
    const images = [image("web", 2), image("log", 0), image("part", 0, true), image("new", null)];
    get("/entity", thing(kind, { images }));
    show(<EntityPage />, `/entity?kind=${kind}&id=prod/${kind}/it`);
    const shown = await section("Images (4)");
    expect(shown.getByRole("link", { name: "web" }).getAttribute("href")).toBe("/image?id=r.example%2Fweb");
    expect(shown.getAllByRole("listitem").map((li) => li.querySelector("small")?.textContent)).toEqual([
      "2 vulnerabilities",
      "0 vulnerabilities",
      "none known in what was read of it",
      "waiting: what is in it is unknown",
    ]);
  },
);

it("of more images than fit the page says how many there are", async () => {
  get("/entity", thing("Node", { images: Array.from({ length: 14 }, (_, i) => image(`i${i}`, 1)) }));
  show(<EntityPage />, "/entity?kind=Node&id=prod/Node/it");
  const shown = await section("Images (14)");
  expect(shown.getAllByRole("listitem")).toHaveLength(12);
  expect(shown.getByText("and 2 more")).toBeTruthy();
});
