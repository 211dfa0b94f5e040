import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { get, server } from "../../test/server";
import { at, show } from "../../test/show";
import { ActivityPage } from "./ActivityPage";

const row = (seq: number, more: Partial<Schemas["ActivityRow"]>): Schemas["ActivityRow"] => ({
  seq,
  at: "2026-01-01T00:00:00Z",
  person: "alice",
  role: "operator",
  address: "192.0.2.7",
  action: "sign in",
  object: "",
  detail: "",
  outcome: "done",
  ...more,
});
const list = (items: Schemas["ActivityRow"][]): Schemas["ActivityList"] => ({
  items,
  total: items.length,
  people: ["", "alice", "bob"],
  actions: ["decide on an alert", "sign in"],
});

it("who did what to what, from where, and what came of it", async () => {
  get(
    "/activity",
    list([
      row(2, { action: "decide on an alert", object: "prod/7", detail: "dismissed, a drill" }),
      row(1, { person: "", role: "", outcome: "refused: no such link" }),
    ]),
  );
  show(<ActivityPage />, "/activity");
  const table = within(await screen.findByRole("table"));
  for (const text of ["alice", "prod/7", "dismissed, a drill", "not signed in", "refused: no such link"])
    expect(table.getAllByText(text).length).toBeGreaterThan(0);
  expect(screen.getByText("2 actions")).toBeTruthy();
});

it("the filter lives in the address and asks again", async () => {
  const asked: string[] = [];
  server.use(
    http.get("*/api/v1/activity", ({ request }) => {
      asked.push(new URL(request.url).search);
      return HttpResponse.json(list([row(1, {})]));
    }),
  );
  show(<ActivityPage />, "/activity");
  await screen.findByRole("option", { name: "bob" });
  await userEvent.selectOptions(await screen.findByRole("combobox", { name: "Anybody" }), "bob");
  await waitFor(() => expect(asked.at(-1)).toContain("person=bob"));
  expect(at()).toContain("person=bob");
});

it("nothing that matches is said", async () => {
  get("/activity", list([]));
  show(<ActivityPage />, "/activity?person=nobody");
  expect(await screen.findByText("Nothing matches")).toBeTruthy();
});
