import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import type { Schemas } from "../api/client";
import { show } from "../test/show";
import { Gaps } from "./Gaps";

const gap = (what: string, why: string): Schemas["Gap"] => ({
  cluster: "prod",
  source: "image",
  what,
  why,
  consequence: "it may be vulnerable",
});

it("sixteen gaps of one reason are told once, with their number and each by name", async () => {
  const images = Array.from({ length: 16 }, (_, i) => gap(`image r.example/a:${i}`, "images are not read here"));
  show(<Gaps gaps={[...images, gap("services", "403")]} />, "/");
  const rows = within(screen.getByRole("table")).getAllByRole("row").slice(1);
  expect(rows).toHaveLength(2);
  expect(rows[0]?.textContent).toContain("16 ×");
  await userEvent.click(screen.getByText("and 15 more"));
  expect(within(screen.getByRole("group")).getAllByRole("listitem")).toHaveLength(15);
  expect(screen.getByText("Image r.example/a:15")).toBeTruthy();
});
