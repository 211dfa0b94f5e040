import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { get, post, server } from "../../test/server";
import { at, show } from "../../test/show";
import { inDays, state } from "./exception";
import { ExceptionsPage } from "./ExceptionsPage";

const row = (more: Partial<Schemas["ExceptionRow"]>): Schemas["ExceptionRow"] => ({
  where: "portal:1",
  reason: "not reached",
  author: "alice",
  until: "2036-01-31",
  expired: false,
  unfixed: false,
  findings: 2,
  images: 1,
  vulnerability: ["CVE-1"],
  package: [],
  image: [],
  repository: [],
  digest: [],
  path: [],
  ...more,
});

const made = row({ id: "1", createdAt: "2026-01-01T00:00:00Z" });

it("lists what people accepted with how it stands, and ends what was made here", async () => {
  const file = row({
    where: "e.yaml:2",
    vulnerability: [],
    package: ["a", "b"],
    unfixed: true,
    findings: 0,
    images: 0,
  });
  const gone = row({
    where: "portal:3",
    id: "3",
    endedAt: "2026-02-01T00:00:00Z",
    endedBy: "bob",
    vulnerability: ["CVE-3"],
  });
  get("/exceptions", { items: [file, made, gone], error: "portal: no" });
  const ended: string[] = [];
  server.use(
    http.delete("*/api/v1/exceptions/:id", ({ params }) => {
      ended.push(String(params.id));
      return new HttpResponse(null, { status: 204 });
    }),
  );
  show(<ExceptionsPage />, "/exceptions");
  await screen.findByText("3 of 3 exceptions");
  const line = (text: string) => screen.getByText(text).closest("tr") as HTMLElement;
  expect(line("a or b, unfixed").textContent).toContain("fits nothing");
  expect(line("CVE-1").textContent).toContain("2 findings in 1 image");
  expect(within(line("CVE-3")).queryByRole("button")).toBeNull();
  expect(within(line("a or b, unfixed")).queryByRole("button")).toBeNull();
  expect(screen.getByRole("note").textContent).toContain("counts as it was: Portal: no.");
  const end = within(line("CVE-1")).getByRole("button", { name: "End the exception of CVE-1" });
  end.focus();
  await userEvent.keyboard("{Enter}");
  expect(screen.getByRole("region", { name: "End the exception of CVE-1" }).textContent).toContain(
    "2 findings will count again",
  );
  await userEvent.keyboard("{Escape}");
  expect(ended).toEqual([]);
  end.focus();
  await userEvent.keyboard("{Enter}{Enter}");
  await waitFor(() => expect(ended).toEqual(["1"]));
});

it("says what an exception would except before it is made, and makes it", async () => {
  get("/exceptions", { items: [] });
  const finding = {
    vulnerability: { kind: "Vulnerability", id: "CVE-1", name: "CVE-1" },
    severity: "High",
    package: "openssl",
    installed: "1",
    image: { kind: "Image", id: "web", name: "web" },
  };
  const tried = post("/exceptions/trial", () => ({ items: [row({ where: "this one" })], findings: [finding] }));
  const added = post("/exceptions", () => made);
  show(<ExceptionsPage />, "/exceptions?add=true&vulnerability=CVE-1&digest=sha256:ab");
  await screen.findByText("Nobody accepted anything");
  expect(screen.getByRole("textbox", { name: "Vulnerability" })).toHaveProperty("value", "CVE-1");
  await userEvent.type(screen.getByRole("textbox", { name: "Package" }), "openssl, libssl3");
  await userEvent.type(screen.getByRole("textbox", { name: "Why" }), "not reached");
  expect(screen.queryByRole("button", { name: /Accept until/ })).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "See what it would except" }));
  await screen.findByText(/It would except 2 findings in 1 image, of which the first 1 are/);
  const body = {
    reason: "not reached",
    expires: inDays(90),
    unfixed: false,
    vulnerability: ["CVE-1"],
    package: ["openssl", "libssl3"],
    image: [],
    repository: [],
    digest: ["sha256:ab"],
    path: [],
  };
  expect(tried).toEqual([{ exception: body }]);
  await userEvent.type(screen.getByRole("textbox", { name: "Why" }), "!");
  expect(screen.queryByRole("button", { name: /Accept until/ })).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "See what it would except" }));
  await userEvent.click(await screen.findByRole("button", { name: `Accept until ${inDays(90)}` }));
  await waitFor(() => expect(added).toEqual([{ ...body, reason: "not reached!" }]));
  await waitFor(() => expect(at()).toBe("/exceptions"));
});

it("an exception that is over counts again", () => {
  expect(state(row({ expired: true }))).toBe("over: counts again");
  expect(state(row({ expired: true, findings: 0 }))).toBe("over");
  expect(state(row({}))).toBe("holds");
});
