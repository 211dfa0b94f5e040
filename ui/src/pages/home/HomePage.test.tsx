import { screen } from "@testing-library/react";
import { expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { get } from "../../test/server";
import { show } from "../../test/show";
import { HomePage } from "./HomePage";

const cluster = { name: "prod", state: "current", counts: {}, unread: {}, gaps: 1 };
const tile = (title: string, count: number | null, more: Partial<Schemas["Count"]> = {}): Schemas["Count"] => ({
  title,
  count,
  of: 16,
  sentence: `${count} of 16.`,
  href: "/paths",
  ...more,
});

function home(counts: Schemas["Count"][]) {
  get("/home", { counts, worst: [], choke: [], gaps: [], clusters: [cluster] });
  get("/recommendations", { items: [], groups: [], total: 0 });
  show(<HomePage />, "/");
}

it("a tile over unknown says unknown, and no path is not safety where no image was read", async () => {
  home([tile("Critical attack paths", null, { sentence: "16 of 16 images were not assessed." })]);
  const link = await screen.findByRole("link", { name: "Critical attack paths: unknown of 16" });
  expect(link.textContent).toBe("unknown of 16");
  expect(screen.getByRole("heading", { name: "Whether there are attack paths is unknown" })).toBeTruthy();
  expect(screen.queryByText(/No open attack path/)).toBeNull();
});

it("a number that does not know all says what it does not know", async () => {
  home([tile("Critical attack paths", 0, { unknown: "3 of 16 images were not assessed." })]);
  expect((await screen.findByRole("link", { name: "Critical attack paths: 0 of 16" })).textContent).toBe("0 of 16");
  expect(screen.getAllByText(/3 of 16 images were not assessed\./)).toHaveLength(2);
  expect(screen.getByRole("heading", { name: "No open attack path was found" })).toBeTruthy();
});

it("zero is said where everything was looked at", async () => {
  home([tile("Critical attack paths", 0)]);
  expect(await screen.findByText("None was found in what could be seen.")).toBeTruthy();
});
