import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { get } from "../../test/server";
import { at, show } from "../../test/show";
import { DiffPage } from "./DiffPage";

const clusters = (...names: string[]) =>
  get("/status", { gaps: [], clusters: names.map((name) => ({ name, state: "read" })) });

const thing = (kind: string, name: string) => ({ kind, id: `prod/shop/${name}`, name, count: 1 });

const path = (id: string) =>
  ({
    id,
    cluster: "prod",
    namespace: "shop",
    title: `Path ${id}`,
    type: "t",
    risk: "high",
    riskScore: 70,
    foothold: thing("Container", "cart"),
    target: thing("Node", id),
  }) as unknown as Schemas["Path"];

const nothing = {
  opened: [],
  closed: [],
  changed: [],
  hidden: [],
  kept: 4,
  lost: [],
  routesLost: 0,
  permissionsLost: [],
  permissionsGone: 0,
  notKnown: [],
  gaps: [],
};

it("two clusters are chosen in the URL, and what is different is told", async () => {
  clusters("prod", "next");
  const asked = get("/diff", {
    ...nothing,
    opened: [path("a")],
    closed: [path("b")],
    changed: [{ path: path("c"), beforeRisk: "low" }],
    hidden: [{ path: path("d"), why: "roles could not be read" }],
    lost: [{ from: "internet", to: "prod/shop/Deployment/web", before: ["443/TCP"], after: [] }],
    routesLost: 1,
  });
  show(<DiffPage />, "/diff");
  await screen.findByText("Choose two clusters");
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "Before" }), "prod");
  expect(asked).toEqual([]);
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "After" }), "next");
  expect((await screen.findByRole("status", { name: "Difference" })).textContent).toBe(
    "Were prod as next is: 1 attack path would open, 1 would be gone, 4 would stay, 1 of them with another risk.",
  );
  expect(at()).toBe("/diff?base=prod&head=next");
  expect(asked.map((u) => u.search)).toEqual(["?base=prod&head=next"]);
  const link = (table: string) =>
    within(screen.getByRole("region", { name: table }))
      .getAllByRole("link")[0]
      ?.getAttribute("href");
  expect(link("Would open")).toBe("/paths?cluster=next&type=t&q=Path+a");
  expect(link("Would be gone")).toBe("/path?cluster=prod&id=b");
  expect(screen.getByText(/was low/)).toBeTruthy();
  expect(screen.getByText(/Path d:/).textContent).toContain("Roles could not be read");
  expect(screen.getByText(/443\/TCP/)).toBeTruthy();
});

it("what only the other has is looked up there", async () => {
  clusters("prod", "next");
  get("/diff", { ...nothing, opened: [{ ...path("a"), title: "Pod can take over: cluster prod" }] });
  show(<DiffPage />, "/diff?base=prod&head=next");
  expect((await screen.findByRole("link", { name: "cart" })).getAttribute("href")).toBe(
    "/entity?kind=Container&id=next%2Fshop%2Fcart",
  );
  const title = screen.getByRole("link", { name: "Pod can take over: cluster prod" });
  expect(title.getAttribute("href")).toContain("q=Pod+can+take+over%3A+cluster+next");
});

it("the two change places", async () => {
  clusters("prod", "next");
  const asked = get("/diff", nothing);
  show(<DiffPage />, "/diff?base=prod&head=next");
  expect(await screen.findByText("The same attack paths")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Swap" }));
  await waitFor(() => expect(asked.at(-1)?.search).toBe("?base=next&head=prod"));
  expect(at()).toBe("/diff?base=next&head=prod");
});

it("what could not be seen of the two is told, and no answer is called whole", async () => {
  clusters("prod", "next");
  get("/diff", { ...nothing, gaps: [{ source: "api", what: "pods", why: "403", consequence: "more may be there" }] });
  show(<DiffPage />, "/diff?base=prod&head=next");
  expect(await screen.findByText(/There may be more: 1 gap/)).toBeTruthy();
  expect(screen.getByText("What could not be seen (1)")).toBeTruthy();
  expect(screen.getByText(/As far as could be seen, what an attacker/)).toBeTruthy();
});

it("a cluster is not compared with itself, nor with none", async () => {
  clusters("prod");
  show(<DiffPage />, "/diff");
  expect(await screen.findByText("There are not two clusters yet")).toBeTruthy();
});

it("the server's words are shown when the two cannot be compared", async () => {
  clusters("prod", "next");
  get("/diff", { title: "Not yet", detail: "cluster next: it has not been read yet", status: 409 }, 409);
  show(<DiffPage />, "/diff?base=prod&head=next");
  expect((await screen.findByRole("alert")).textContent).toContain("it has not been read yet");
});
