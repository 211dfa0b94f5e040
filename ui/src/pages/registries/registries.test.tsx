import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse, type JsonBodyType } from "msw";
import { expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { get, post, server } from "../../test/server";
import { at, show } from "../../test/show";
import { ConnectPage } from "./ConnectPage";
import { RegistriesPage } from "./RegistriesPage";
import { RegistryPage } from "./RegistryPage";

const host = "registry.example:5000";
const counts: Schemas["QueueCounts"] = { total: 40, queued: 0, scanning: 0, done: 37, failed: 2, unsupported: 1 };
const registry: Schemas["Registry"] = {
  host,
  state: "current",
  why: "",
  from: "portal",
  insecure: false,
  filters: {
    repositories: ["shop/*"],
    tags: 3,
    tagNames: ["v*", "!*-debug"],
    maxAge: "90d",
    platforms: ["linux/arm64"],
    every: "",
    hours: ["sat-sun 00:00-24:00"],
  },
  way: { mirror: "", proxy: "http://proxy.example:3128", authorities: "" },
  account: "reader",
  accountFrom: "of docker's configuration",
  repositories: 7,
  tags: 52,
  images: counts,
  gaps: [],
  lastReadAt: "2026-01-01T00:00:00Z",
  permissions: [
    { what: "list repositories", state: "ok", why: "", blind: "" },
    { what: "read layers", state: "refused", why: "denied by policy", blind: "what is in its images" },
  ],
};
const list = (items: Schemas["Registry"][], gaps: Schemas["Gap"][] = []): Schemas["RegistryList"] => ({
  items,
  gaps,
  credentials: "The server signs in with its own docker configuration.",
});
const image: Schemas["RegistryImage"] = {
  id: "sha256:1",
  name: "shop/web:1",
  places: [{ repository: "shop/web", tags: ["1", "latest"], more: 3 }],
  state: "failed",
  why: "the layer is cut short",
  attempts: 2,
  nextTry: "2126-01-01T00:00:00Z",
  running: true,
  pods: 4,
};

it("each number of the list opens what it counts, with its denominator", async () => {
  get("/registries", list([registry]));
  show(<RegistriesPage />, "/registries");
  const table = within(await screen.findByRole("table"));
  expect(table.getByRole("link", { name: "37" }).getAttribute("href")).toBe(
    "/registry?host=registry.example%3A5000&state=done",
  );
  expect(table.getByRole("link", { name: "2" }).getAttribute("href")).toBe(
    "/registry?host=registry.example%3A5000&state=failed",
  );
  expect(screen.getByText("1 registry · 37 of 40 images read")).toBeTruthy();
});

it("a registry that cannot be read now is said to be old, with the gap that follows", async () => {
  get(
    "/registries",
    list(
      [registry, { ...registry, host: "other.example", state: "unreachable", why: "connection refused" }],
      [
        {
          source: "registry",
          what: "registry other.example",
          why: "connection refused",
          consequence: "new images are not seen",
        },
      ],
    ),
  );
  show(<RegistriesPage />, "/registries");
  expect((await screen.findByRole("note")).textContent).toContain(
    "1 of 2 registries cannot be read now and is shown as when last read: other.example.",
  );
  expect(screen.getByText("New images are not seen.")).toBeTruthy();
});

it("without a registry it says what would be here, and how the server signs in", async () => {
  get("/registries", list([]));
  show(<RegistriesPage />, "/registries");
  expect(await screen.findByText("No registry is connected")).toBeTruthy();
  expect(screen.getByText(/its own docker configuration/)).toBeTruthy();
});

it("what may be read is tried before a registry is connected, and an answer to another question is not shown", async () => {
  get("/registries", list([]));
  const checked = post<Schemas["RegistryRequest"]>("/registries/check", (b) => ({
    host: b.host,
    ok: false,
    account: "",
    accountFrom: "",
    permissions: registry.permissions,
  }));
  const connected = post<Schemas["RegistryRequest"]>("/registries", () => registry as never);
  show(<ConnectPage />, "/registries/connect");
  const person = userEvent.setup();
  await person.type(await screen.findByRole("textbox", { name: "Registry" }), host);
  await person.type(screen.getByRole("textbox", { name: "Repositories" }), "shop/*\nbase/os");
  await person.type(screen.getByRole("spinbutton", { name: "Tags of a repository, at most" }), "3");
  await person.type(screen.getByRole("textbox", { name: "Registry" }), "{Enter}");
  expect(await screen.findByText("Not everything may be read")).toBeTruthy();
  expect(screen.getByText("Denied by policy.")).toBeTruthy();
  expect(screen.getByText("Unseen therefore: what is in its images.")).toBeTruthy();
  expect(checked).toEqual([{ host, repositories: ["shop/*", "base/os"], tags: 3, insecure: false }]);
  await person.click(screen.getByRole("checkbox", { name: "It speaks plain HTTP" }));
  expect(screen.queryByText("Not everything may be read")).toBeNull();
  await person.click(screen.getByRole("checkbox", { name: "It speaks plain HTTP" }));
  await person.click(screen.getByRole("button", { name: "Connect all the same" }));
  await waitFor(() => expect(at()).toBe("/registry?host=registry.example%3A5000"));
  expect(connected).toEqual(checked);
});

it("what the server refuses to check or to connect is told in its words", async () => {
  get("/registries", list([]));
  server.use(
    http.post("*/api/v1/registries/check", () =>
      HttpResponse.json(
        { title: "Not a host", detail: "x y has a space.", status: 400 },
        { status: 400, headers: { "Content-Type": "application/problem+json" } },
      ),
    ),
  );
  show(<ConnectPage />, "/registries/connect");
  await userEvent.type(await screen.findByRole("textbox", { name: "Registry" }), "x y{Enter}");
  expect((await screen.findByRole("alert")).textContent).toContain("x y has a space.");
});

it("changing what is read begins with what is read now", async () => {
  get("/registries", list([registry]));
  show(<ConnectPage />, "/registries/connect?host=registry.example%3A5000");
  expect((await screen.findByRole<HTMLTextAreaElement>("textbox", { name: "Repositories" })).value).toBe("shop/*");
  expect(screen.getByRole<HTMLInputElement>("textbox", { name: "Registry" }).readOnly).toBe(true);
  expect(screen.getByRole("button", { name: "Save" })).toBeTruthy();
});

it("a preview says of each tag what is made of it, and asks as it is typed", async () => {
  get("/registries", list([registry]));
  const preview: Schemas["RegistryPreview"] = {
    host,
    chosen: 1,
    left: 4000,
    repositories: 2,
    items: [
      {
        repository: "shop/web",
        tag: "v2",
        digest: "sha256:2",
        platforms: ["linux/arm64"],
        made: "2026-01-01T00:00:00Z",
      },
      { repository: "shop/web", tag: "v1", why: "its name is not wanted" },
    ],
    cut: "it takes longer than 45s",
    gaps: [],
  };
  const sent = post<Schemas["RegistryRequest"]>("/registries/preview", () => preview as unknown as JsonBodyType);
  show(<ConnectPage />, "/registries/connect?host=registry.example%3A5000");
  const age = await screen.findByRole("textbox", { name: "Made within the last" });
  await userEvent.clear(age);
  await userEvent.type(age, "30d");
  await userEvent.click(screen.getByRole("button", { name: "Show what would be read" }));
  expect(await screen.findByText("1 of 4,001 tags would be read")).toBeTruthy();
  const table = within(screen.getByRole("table"));
  expect(table.getByText("its name is not wanted")).toBeTruthy();
  expect(screen.getByText(/it takes longer than 45s/)).toBeTruthy();
  expect(screen.getByText("3,999 tags more are not listed.")).toBeTruthy();
  expect(sent).toEqual([
    {
      host,
      repositories: ["shop/*"],
      tagNames: ["v*", "!*-debug"],
      tags: 3,
      maxAge: "30d",
      platforms: ["linux/arm64"],
      hours: ["sat-sun 00:00-24:00"],
      insecure: false,
      proxy: "http://proxy.example:3128",
    },
  ]);
});

it("a registry says what of it is read, when and how it is reached", async () => {
  get("/registries", list([registry]));
  get("/registry/images", { items: [], total: 0, counts: { ...counts, total: 0 } });
  show(<RegistryPage />, `/registry?host=${encodeURIComponent(host)}`);
  expect(await screen.findByText("v*, !*-debug")).toBeTruthy();
  for (const said of ["90d", "linux/arm64", "sat-sun 00:00-24:00 UTC", "TLS, through http://proxy.example:3128"]) {
    expect(screen.getByText(said)).toBeTruthy();
  }
  expect(screen.queryByText("Read at most every")).toBeNull();
});

it("a registry shows its queue as the URL says, and tries a failed image again", async () => {
  get("/registries", list([registry]));
  const asked = get("/registry/images", { items: [image], total: 2, counts } satisfies Schemas["RegistryImageList"]);
  const again: string[] = [];
  server.use(
    http.post("*/api/v1/registry/rescan", ({ request }) => {
      again.push(new URL(request.url).search);
      return new HttpResponse(null, { status: 204 });
    }),
  );
  show(<RegistryPage />, `/registry?host=${encodeURIComponent(host)}&state=failed&q=web`);
  const table = within(await screen.findByRole("table"));
  expect(["host", "state", "q"].map((n) => asked[0]?.searchParams.get(n))).toEqual([host, "failed", "web"]);
  expect(table.getByRole("link", { name: "shop/web:1" }).getAttribute("href")).toBe("/image?id=sha256%3A1");
  expect(table.getByText("and 4 more names")).toBeTruthy();
  expect(table.getByText("The layer is cut short.")).toBeTruthy();
  expect(screen.getByRole("link", { name: "2 failed" }).getAttribute("href")).toBe(
    "/registry?host=registry.example%3A5000&state=failed",
  );
  await userEvent.click(table.getByRole("button", { name: "Try shop/web:1 again now" }));
  await userEvent.click(screen.getByRole("button", { name: "Read it again now" }));
  await waitFor(() =>
    expect(again).toEqual(["?host=registry.example%3A5000&image=sha256%3A1", "?host=registry.example%3A5000"]),
  );
});

it("only what the portal connected is disconnected here, and not by one click", async () => {
  get("/registries", list([registry, { ...registry, host: "flag.example", from: "flag" }]));
  get("/registry/images", { items: [], total: 0, counts });
  const gone: string[] = [];
  server.use(
    http.delete("*/api/v1/registry", ({ request }) => {
      gone.push(new URL(request.url).search);
      return new HttpResponse(null, { status: 204 });
    }),
  );
  show(<RegistryPage />, `/registry?host=${encodeURIComponent(host)}`);
  await userEvent.click(await screen.findByRole("button", { name: "Disconnect …" }));
  expect(gone).toEqual([]);
  await userEvent.click(screen.getByRole("button", { name: "Disconnect" }));
  await waitFor(() => expect(at()).toBe("/registries"));
  expect(gone).toEqual(["?host=registry.example%3A5000"]);
});

it("one that a flag connected says who takes it away", async () => {
  get("/registries", list([{ ...registry, from: "flag", state: "unreachable", why: "connection refused" }]));
  get("/registry/images", { items: [], total: 0, counts: { ...counts, total: 0 } });
  show(<RegistryPage />, `/registry?host=${encodeURIComponent(host)}`);
  expect(await screen.findByText(/connected by a flag of the server/)).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Disconnect …" })).toBeNull();
  expect(screen.getByRole("note").textContent).toContain(
    "It cannot be reached. Connection refused. What is shown is what was last read.",
  );
  expect(await screen.findByText("No image was found in it yet")).toBeTruthy();
});

it("what came of its pushes is said", async () => {
  const pushes = { lastAt: "2026-01-01T00:00:00Z", why: "it asks to slow down", taken: 12, elsewhere: 1, dropped: 3 };
  get("/registries", list([{ ...registry, pushes }]));
  get("/registry/images", { items: [], total: 0, counts: { ...counts, total: 0 } });
  show(<RegistryPage />, `/registry?host=${encodeURIComponent(host)}`);
  expect((await screen.findByText(/12 pushes told/)).textContent).toContain("3 left to the next reading");
  expect(screen.getByText("What was pushed could not be looked at.")).toBeTruthy();
});

it("one that is not connected is told from one that is empty", async () => {
  get("/registries", list([registry]));
  show(<RegistryPage />, "/registry?host=other.example");
  expect(await screen.findByText("No registry other.example is connected")).toBeTruthy();
});
