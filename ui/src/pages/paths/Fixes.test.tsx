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

it("shows a fix as changes to copy, or says why there are none, at the step that rests most on it", () => {
  const taken = [
    step("can act as", { evidence: [{ text: "runs as", nodes: ["Pod web", "ServiceAccount web"] }] }),
    step("holds", { evidence: [{ text: "holds", nodes: ["ServiceAccount web", "Permission all"] }] }),
  ];
  const concerns = ["ServiceAccount web", "Permission all"];
  const code = [
    { object: "ClusterRoleBinding all", do: "delete" as const, command: "kubectl delete clusterrolebinding all" },
  ];
  const some: Schemas["Fix"][] = [
    { id: "1", kind: "permission", title: "Take it", text: "", concerns, effect: "breaks", code },
    {
      id: "2",
      kind: "image",
      title: "Update",
      text: "",
      concerns: [],
      effect: "lowers",
      withoutCode: "the tag is not known",
    },
  ];
  render(
    <MantineProvider>
      <MemoryRouter>
        <Fixes
          tried={["1"]}
          tryFix={() => undefined}
          path={{ fixes: some, steps: taken, nodes: [] }}
          show={() => undefined}
        />
      </MemoryRouter>
    </MantineProvider>,
  );
  expect(screen.getByText("kubectl delete clusterrolebinding all")).toBeTruthy();
  expect(screen.getByRole("button", { name: "Copy the command", hidden: true })).toBeTruthy();
  expect(screen.getByText(/the tag is not known/)).toBeTruthy();
  expect(screen.getByRole("button", { name: "at step 2: holds" })).toBeTruthy();
  expect(screen.getByRole("checkbox", { name: "What if: Take it", checked: true })).toBeTruthy();
});

it("where fixes cannot be tried, none is offered to be, and why is said", () => {
  const shown = (untried?: string) =>
    render(
      <MantineProvider>
        <MemoryRouter>
          <Fixes
            tried={[]}
            tryFix={() => undefined}
            untried={untried}
            path={{ fixes, steps, nodes: [] }}
            show={() => undefined}
          />
        </MemoryRouter>
      </MantineProvider>,
    );
  const { unmount } = shown();
  expect(screen.getAllByRole("checkbox", { name: /What if/ })).toHaveLength(2);
  unmount();
  shown("the path could not be judged again");
  expect(screen.queryByRole("checkbox", { name: /What if/ })).toBeNull();
  expect(screen.getByText(/cannot be tried/).textContent).toBe(
    "What these fixes would change cannot be tried: the path could not be judged again.",
  );
});
