import { screen, waitFor } from "@testing-library/react";
import { expect, it } from "vitest";
import { get } from "../../test/server";
import { show } from "../../test/show";
import { Storage } from "./Storage";

const stored = {
  measured: "2026-01-01T00:00:00Z",
  place: "/data/breakwater.db",
  disk: { free: 2e9, total: 1e11, reserve: 5e9, noRoom: "the disk is almost full" },
  tables: [
    { table: "alerts", rows: 1_234, bytes: 5e6, mostRows: 1_000_000, keepSeconds: 400 * 86_400, grownPerDay: 7e6 },
    { table: "clusters", rows: 2, bytes: 4096, bound: "one row for each cluster that a person named" },
  ],
  files: [{ what: "dead letters", folder: "events", bytes: 12, bound: "256 MiB at most" }],
};

it("tells size, limits and growth of every table, the files and the room on the disk", async () => {
  get("/storage", stored);
  show(<Storage />, "/coverage");
  const rows = (await screen.findAllByRole("row")).map((r) => r.textContent);
  expect(rows[1]).toMatch(/^alerts1,2345\.0 MB\+7\.0 MB400 days, 1,000,000 rows$/);
  expect(rows[2]).toMatch(/^clusters24\.1 kBunknownone row for each cluster that a person named$/);
  expect(
    screen.getByText(/2\.0 GB of 100 GB are free .* Nothing more is taken: the disk is almost full\./),
  ).toBeTruthy();
  expect(screen.getByText("12 B; 256 MiB at most")).toBeTruthy();
});

it("says nothing to who sees some of the clusters, and does not hide a failure", async () => {
  const asked = get("/storage", { title: "not in your scope", status: 403 }, 403);
  show(<Storage />, "/coverage");
  await waitFor(() => expect(asked).toHaveLength(1));
  expect(screen.queryByText("What is stored")).toBeNull();
  expect(screen.queryByRole("alert")).toBeNull();
});

it("does not hide that the server cannot tell", async () => {
  get("/storage", { title: "the server could not do this", detail: "measure tables: locked" }, 500);
  show(<Storage />, "/coverage");
  expect((await screen.findByRole("alert")).textContent).toContain("measure tables: locked");
});
