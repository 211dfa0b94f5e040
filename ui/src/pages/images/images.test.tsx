import { screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { get } from "../../test/server";
import { show } from "../../test/show";
import { ImagesPage } from "./ImagesPage";

const image = (name: string, partly: boolean) => ({
  id: name,
  name,
  registry: "r.example",
  repository: name,
  tags: [],
  state: "done",
  partly,
  running: true,
  pods: 1,
  severity: partly ? null : "None",
  criticals: 0,
  highs: 0,
  vulnerabilities: 0,
  packages: 3,
});

it("an image that was read in part has none known, and only one that was read wholly has none", async () => {
  get("/status", { clusters: [] });
  get("/images", {
    items: [image("part", true), image("whole", false)],
    total: 2,
    counts: { total: 2, done: 2, waiting: 0, failed: 0, unsupported: 0, unknown: 0 },
    asOf: null,
  });
  show(<ImagesPage />, "/images");
  const row = (name: string) => screen.getByRole("link", { name }).closest("tr") as HTMLElement;
  await screen.findByRole("link", { name: "part" });
  expect(within(row("part")).getAllByText("none known")).toHaveLength(3);
  expect(within(row("part")).getByText("unknown")).toBeTruthy();
  expect(within(row("whole")).queryByText("none known")).toBeNull();
  expect(within(row("whole")).getByText("None")).toBeTruthy();
});
