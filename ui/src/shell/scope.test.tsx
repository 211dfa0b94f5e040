import { render, screen, waitFor, within as inside } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { MemoryRouter } from "react-router";
import { beforeEach, expect, it, vi } from "vitest";
import { App } from "../App";
import { get, server } from "../test/server";
import { show } from "../test/show";
import { Scope } from "./Freshness";
import { pages } from "./pages";

// The scope is read once, from where the browser is when the program starts.
vi.hoisted(() => globalThis.history.replaceState(null, "", "/in/prod/paths"));

const status = { clusters: ["dev", "prod"].map((name) => ({ name, state: "live", asOf: null, counts: {} })), gaps: [] };

/** What was asked of the server, each question as its path and scope. */
let asked: URL[];

beforeEach(() => {
  asked = [];
  server.use(
    http.all("*/api/v1/*", ({ request }) => {
      asked.push(new URL(request.url));
      return HttpResponse.json({ title: "nothing here", status: 404 }, { status: 404 });
    }),
  );
  get("/status", status);
});

it.each(pages.map(([to, title]) => [title, to]))("the page %s of a cluster asks of nothing else", async (title, to) => {
  const statuses = get("/status", status);
  render(
    <MemoryRouter basename="/in/prod" initialEntries={[`/in/prod${to}`]}>
      <App />
    </MemoryRouter>,
  );
  const links = await screen.findAllByRole("link", { name: title });
  expect(links[0]?.getAttribute("href")).toBe(`/in/prod${to}`.replace(/\/$/, ""));
  await screen.findAllByRole("heading", { level: 1 });
  await waitFor(() => expect(asked).not.toEqual([]));
  expect(asked.filter((url) => url.searchParams.get("within") !== "prod")).toEqual([]);
  // Only the menu asks beyond it, which clusters there are.
  await waitFor(() => expect(statuses.map((url) => url.searchParams.get("within"))).toContain(null));
  expect(statuses.filter((url) => url.searchParams.get("within") !== "prod")).toHaveLength(1);
});

it.each([
  ["/paths", "/paths", "/in/dev/paths"],
  ["/alerts?status=new", "/alerts", "/in/dev/alerts"],
  ["/entity?kind=Pod&id=prod%2Fshop%2FPod%2Fweb", "/", "/in/dev/"],
])(
  "at %s the menu leads to the same page of all clusters and of another, and says where it is",
  async (at, all, dev) => {
    show(<Scope status={{ ...status, clusters: status.clusters.slice(1) } as never} />, at);
    await userEvent.click(await screen.findByRole("button", { name: "prod ▾" }));
    const menu = inside(await screen.findByRole("dialog"));
    expect((await menu.findByRole("link", { name: "dev" })).getAttribute("href")).toBe(dev);
    expect(menu.getByRole("link", { name: "All clusters" }).getAttribute("href")).toBe(all);
    expect(menu.getAllByRole("link", { current: true }).map((link) => link.textContent)).toEqual(["prod"]);
  },
);
