import { cleanup, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { get, server } from "../../test/server";
import { show } from "../../test/show";
import { TokensPage } from "./TokensPage";

const join: Schemas["Token"] = {
  id: "4d0e8f6a1b2c",
  kind: "join token",
  cluster: "prod",
  state: "ending",
  why: "It ends soon: rotate it, and give the new one to who shows it.",
  createdAt: "2026-01-01T00:00:00Z",
  createdBy: "alice",
  expiresAt: "2036-01-01T00:00:00Z",
  uses: 3,
  maxUses: 10,
};
const node: Schemas["Token"] = {
  id: "00ff00ff00ff00ff00ff00ff00ff00ff",
  kind: "node certificate",
  cluster: "prod",
  node: "worker-1",
  state: "valid",
  why: "",
  verified: false,
  lastUsedAt: "2026-01-01T00:00:00Z",
  lastUsedFrom: "192.0.2.7",
};
const waits: Schemas["Token"] = {
  id: "4d0e8f6a1b2c/invented",
  kind: "node that waits",
  cluster: "prod",
  node: "invented",
  state: "waiting",
  why: "The cluster has not told of a node of this name.",
};
const list = (items: Schemas["Token"][]): Schemas["TokenList"] => ({
  items,
  takesEvents: true,
  counts: Object.fromEntries(items.map((t) => [t.state, 1])),
});

it("lists what is shown by whom, with what it needs, and offers nothing for a node that waits", async () => {
  const asked = get("/tokens", list([waits, join, node]));
  show(<TokensPage />, "/tokens?cluster=prod");
  const table = within(await screen.findByRole("region", { name: "Tokens" }));
  expect(asked[0]?.searchParams.get("cluster")).toBe("prod");
  expect(screen.getByText("1 waiting · 1 ending · 1 valid")).toBeTruthy();
  expect(screen.getByRole("note").textContent).toContain(
    "1 node of a name that the cluster does not have wants to join",
  );
  expect(table.getByText("It ends soon: rotate it, and give the new one to who shows it.")).toBeTruthy();
  expect(table.getByText("unverified")).toBeTruthy();
  expect(table.getByText("192.0.2.7")).toBeTruthy();
  expect(table.getAllByRole("button", { name: /^(Rotate|End) the/ }).map((b) => b.getAttribute("aria-label"))).toEqual([
    "Rotate the join token 4d0e8f6a1b2c",
    "End the join token 4d0e8f6a1b2c",
    "End the node certificate of worker-1",
  ]);
});

it("ends a certificate by keyboard only after a person was asked, and Esc keeps it", async () => {
  get("/tokens", list([node]));
  const ended: string[] = [];
  server.use(
    http.delete("*/api/v1/tokens/:id", ({ params }) => {
      ended.push(String(params.id));
      return new HttpResponse(null, { status: 204 });
    }),
  );
  show(<TokensPage />, "/tokens");
  const end = await screen.findByRole("button", { name: "End the node certificate of worker-1" });
  end.focus();
  await userEvent.keyboard("{Enter}");
  expect(screen.getByRole("region", { name: "Change the node certificate of worker-1" }).textContent).toContain(
    "its key is not taken again",
  );
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByText("Keep it")).toBeNull();
  expect(ended).toEqual([]);
  end.focus();
  await userEvent.keyboard("{Enter}{Enter}");
  await waitFor(() => expect(ended).toEqual([node.id]));
  await waitFor(() => expect(screen.queryByText("Keep it")).toBeNull());
});

it("a join token may end with the certificates that were got with it", async () => {
  get("/tokens", list([join]));
  const asked: URL[] = [];
  server.use(
    http.delete("*/api/v1/tokens/:id", ({ request }) => {
      asked.push(new URL(request.url));
      return new HttpResponse(null, { status: 204 });
    }),
  );
  show(<TokensPage />, "/tokens");
  await userEvent.click(await screen.findByRole("button", { name: "End the join token 4d0e8f6a1b2c" }));
  await userEvent.click(screen.getByRole("button", { name: "End, with the certificates that were got with it" }));
  await waitFor(() => expect(asked.map((u) => u.searchParams.get("joined"))).toEqual(["true"]));
});

it("shows a rotated token once, and the server's words when it refuses", async () => {
  get("/tokens", list([join]));
  const secret: Schemas["TokenSecret"] = {
    id: "1",
    cluster: "prod",
    kind: "join token",
    token: "the-secret",
    oldUntil: "2036-01-01T00:00:00Z",
  };
  let refuse = true;
  server.use(
    http.post("*/api/v1/tokens/:id/rotate", () =>
      refuse
        ? HttpResponse.json({ title: "not found", detail: "No such token.", status: 404 }, { status: 404 })
        : HttpResponse.json(secret),
    ),
  );
  show(<TokensPage />, "/tokens");
  await userEvent.click(await screen.findByRole("button", { name: "Rotate the join token 4d0e8f6a1b2c" }));
  await userEvent.click(screen.getByRole("button", { name: "Rotate" }));
  expect((await screen.findByRole("alert")).textContent).toContain("No such token.");
  refuse = false;
  await userEvent.click(screen.getByRole("button", { name: "Rotate" }));
  expect(await screen.findByText("the-secret")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "I have it" }));
  expect(screen.queryByText("the-secret")).toBeNull();
});

it("without tokens it says how to make one, and what no filter matches is said", async () => {
  get("/tokens", { ...list([]), takesEvents: false });
  show(<TokensPage />, "/tokens");
  expect(await screen.findByText("Nobody has been given a token")).toBeTruthy();
  expect(screen.getByText("breakwater connect sensor")).toBeTruthy();
  cleanup();
  get("/tokens", list([node]));
  show(<TokensPage />, "/tokens?state=revoked");
  expect(await screen.findByText("No token matches")).toBeTruthy();
});
