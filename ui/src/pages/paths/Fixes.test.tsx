import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { Fixes } from "./Fixes";

const fixes: Schemas["Fix"][] = [
  { id: "1", kind: "image", title: "Update it", text: "To 2.0", concerns: ["Image sha256:1"], effect: "breaks" },
  {
    id: "2",
    kind: "rule",
    title: "Drop `privileged: true`",
    text: "Drop `privileged: true`. It rests on this.",
    rule: "privileged",
    concerns: [],
    effect: "lowers",
  },
];
const step = (verb: string, more: Partial<Schemas["PathStep"]>): Schemas["PathStep"] => ({
  from: "a",
  to: "b",
  edge: "E",
  verb,
  derived: false,
  evidence: [],
  ...more,
});
const steps = [
  step("routes to", {}),
  step("can be exploited in", { evidence: [{ text: "uses", nodes: ["Image sha256:1"] }] }),
  step("can take over", { rules: ["privileged"] }),
];

it("tells what breaks a path from what lowers its risk, and links what a fix is about", () => {
  render(
    <MantineProvider>
      <MemoryRouter>
        <Fixes tried={[]} tryFix={() => undefined} path={{ fixes, steps, nodes: [] }} show={() => undefined} />
      </MemoryRouter>
    </MantineProvider>,
  );
  expect(screen.getAllByRole("heading", { level: 3 }).map((h) => h.textContent)).toEqual([
    "Breaks the path (1)",
    "Lowers the risk (1)",
  ]);
  expect(screen.getByRole("link").getAttribute("href")).toBe("/image?id=sha256%3A1");
  expect(screen.getByRole("button", { name: "Copy fix: Update it" })).toBeTruthy();
});

it("shows at which step a fix acts, and code as code", async () => {
  const shown: number[] = [];
  render(
    <MantineProvider>
      <MemoryRouter>
        <Fixes tried={[]} tryFix={() => undefined} path={{ fixes, steps, nodes: [] }} show={(n) => shown.push(n)} />
      </MemoryRouter>
    </MantineProvider>,
  );
  await userEvent.click(screen.getByRole("button", { name: "at step 2: can be exploited in" }));
  await userEvent.click(screen.getByRole("button", { name: "at step 3: can take over" }));
  expect(shown).toEqual([2, 3]);
  expect(screen.getAllByText("privileged: true", { selector: "code" })).toHaveLength(1);
});
