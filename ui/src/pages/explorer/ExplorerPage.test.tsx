import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { get, post } from "../../test/server";
import { at, show } from "../../test/show";
import { ExplorerPage } from "./ExplorerPage";

type Question = Schemas["Question"];

const text = (name: string, label: string): Schemas["PropertyChoice"] => ({
  name,
  label,
  sentence: "",
  type: "text",
  ops: ["=", "CONTAINS"],
});
const kind = (name: string, plural: string, connections: Schemas["Menu"]["connections"] = []): Schemas["KindInfo"] => ({
  name,
  label: name,
  plural,
  group: "All",
  sentence: "",
  menu: {
    insights: [{ name: "exposed", label: "Exposed", sentence: "", type: "bool", ops: ["", "="] }],
    properties: [text("name", "Name")],
    connections,
  },
});
const schema: Schemas["Schema"] = {
  groups: [
    {
      name: "All",
      kinds: [
        { name: "Pod", label: "Pod", plural: "Pods" },
        { name: "Service", label: "Service", plural: "Services" },
        { name: "Identity", label: "Identity", plural: "Any identity" },
      ],
    },
  ],
  kinds: {
    Pod: kind("Pod", "Pods", [
      {
        edge: "ROUTES_TO",
        dir: "in",
        label: "is reached through",
        sentence: "",
        to: [{ name: "Service", label: "Service", plural: "Services" }],
      },
    ]),
    Service: kind("Service", "Services"),
    Identity: kind("Identity", "Identities"),
  },
  edges: {},
  severities: [],
  risks: [],
  pathTypes: [],
  ops: { "": "is true", "=": "is", CONTAINS: "contains" },
};
const web: Schemas["Ref"] = { kind: "Pod", id: "prod/shop/Pod/web", name: "web" };
const pods = { find: { as: "p", kinds: ["Pod"] }, distinct: true };

let asked: Question[];

beforeEach(() => {
  get("/schema", schema);
  get("/templates", []);
  get("/entity", {
    ref: web,
    kindLabel: "Pod",
    kindSentence: "A pod.",
    insights: [],
    properties: [],
    relations: [],
    paths: [],
    pathsTotal: 0,
    images: [],
    alerts: [],
    alertsTotal: 0,
    asOf: null,
  });
  post("/query/values", () => ({ values: [{ value: "web", count: 2 }], partial: "" }));
  post<Question>("/query/check", (q) => ({
    query: q.query ?? pods,
    text: q.text ?? "the text of it",
    problems: q.text?.includes("Pood")
      ? [{ line: 1, col: 10, message: "there is no kind Pood", suggestion: "did you mean Pod?" }]
      : [],
  }));
  asked = post<Question>("/query", (q) => ({
    query: q.query ?? pods,
    text: "",
    columns: [{ name: "p", type: "node", of: "p", kinds: ["Pod"] }],
    rows: q.limit === 0 ? [] : [[web], [web], [{ ...web, id: "b", name: "b" }]],
    roots: 2,
    total: 3,
    partial: "",
    elapsedMs: 1,
    asOf: null,
    gaps: [
      {
        source: "query",
        what: "1 image was never scanned",
        why: "nothing is known",
        consequence: "it may belong here",
        count: 1,
      },
    ],
  }));
});

const at_ = (query: unknown) => `/explorer?tree=${encodeURIComponent(JSON.stringify(query))}`;
const questions = () => asked.filter((q) => q.limit !== 0).map((q) => q.query);

it("is built by keyboard alone: a kind, a condition with a value and its live count, a connection", async () => {
  const user = userEvent.setup();
  show(<ExplorerPage />, "/explorer");
  (await screen.findByRole("button", { name: "Pods" })).focus();
  await user.keyboard("{Enter}");
  (await screen.findByRole("button", { name: "Add to Pods" })).focus();
  await user.keyboard("{Enter}");
  await user.type(await screen.findByRole("textbox", { name: "What can be added to Pods" }), "name{Enter}");
  await user.type(await screen.findByRole("textbox", { name: "Value of Name" }), "we");
  expect(await screen.findByText("2 pods")).toBeTruthy();
  await user.keyboard("{Enter}");
  const named = { prop: "name", op: "CONTAINS", value: "we" };
  await waitFor(() => expect(questions().at(-1)?.find.where).toEqual(named));
  expect(document.activeElement?.textContent).toBe("Name contains we");
  screen.getByRole("button", { name: "Add to Pods" }).focus();
  await user.keyboard("{Enter}");
  await user.type(await screen.findByRole("textbox", { name: "What can be added to Pods" }), "reached{Enter}");
  await waitFor(() => expect(questions().at(-1)?.find.with?.[0]?.edge).toEqual(["ROUTES_TO"]));
});

it("a condition is edited where it stands, turned around, and taken away with Delete", async () => {
  show(<ExplorerPage />, at_({ ...pods, find: { ...pods.find, where: { prop: "name", op: "=", value: "web" } } }));
  await userEvent.click(await screen.findByRole("button", { name: "Name is web" }));
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "How Name compares" }), "contains");
  await userEvent.click(screen.getByRole("button", { name: "Done" }));
  await userEvent.click(await screen.findByRole("button", { name: "Turn Name contains web around" }));
  await waitFor(() =>
    expect(questions().at(-1)?.find.where).toEqual({ not: { prop: "name", op: "CONTAINS", value: "web" } }),
  );
  screen.getByRole("button", { name: "Name contains web" }).focus();
  await userEvent.keyboard("{Delete}");
  await waitFor(() => expect(questions().at(-1)?.find.where).toBeUndefined());
});

it("a second way makes a group", async () => {
  show(<ExplorerPage />, at_({ ...pods, find: { ...pods.find, where: { prop: "exposed" } } }));
  await userEvent.click(await screen.findByRole("button", { name: "Add another way to Exposed" }));
  await userEvent.click(await screen.findByRole("option", { name: /^Name/ }));
  await userEvent.type(screen.getByRole("textbox", { name: "Value of Name" }), "web{Enter}");
  await waitFor(() =>
    expect(questions().at(-1)?.find.where).toEqual({
      or: [{ prop: "exposed" }, { prop: "name", op: "CONTAINS", value: "web" }],
    }),
  );
  expect(screen.getByRole("button", { name: "any of" })).toBeTruthy();
});

it("rows that differ only in what is not shown are one, gaps are sentences", async () => {
  show(<ExplorerPage />, at_(pods));
  const table = await screen.findByRole("table");
  expect(
    within(table)
      .getAllByRole("row")
      .slice(1)
      .map((r) => r.textContent),
  ).toEqual(["web× 2", "b"]);
  expect(screen.getByText("1 image was never scanned.").parentElement?.textContent).toBe(
    "1 image was never scanned. Nothing is known. It may belong here.",
  );
});

it("sorting is asked of the server and stands in the URL", async () => {
  show(<ExplorerPage />, at_(pods));
  await userEvent.click(within(await screen.findByRole("table")).getByRole("button", { name: "Pod" }));
  await waitFor(() => expect(questions().at(-1)).toEqual({ ...pods, order: [{ of: "p", prop: "name" }] }));
  expect(at()).toBe(
    `/explorer?${new URLSearchParams({ tree: JSON.stringify({ ...pods, order: [{ of: "p", prop: "name" }] }) })}`,
  );
});

it("a name opens its details beside; Esc closes them and gives the focus back", async () => {
  show(<ExplorerPage />, at_(pods));
  const link = within(await screen.findByRole("table")).getByRole("link", { name: "web" });
  link.focus();
  await userEvent.keyboard("{Enter}");
  const pane = await screen.findByRole("complementary", { name: "Details" });
  expect(within(pane).getByRole("link", { name: "Open its page" }).getAttribute("href")).toBe(
    "/entity?kind=Pod&id=prod%2Fshop%2FPod%2Fweb",
  );
  expect(document.activeElement?.tagName).toBe("H2");
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByRole("complementary", { name: "Details" })).toBeNull();
  expect(document.activeElement).toBe(link);
});

it.each([
  [20, "20 identities"],
  [1, "1 identity"],
])("a family is offered as any of it and counted as what it is: %i", async (roots, want) => {
  post<Question>("/query", (q) => ({
    query: q.query ?? pods,
    text: "",
    columns: [],
    rows: [],
    roots: q.query?.find.where ? 0 : roots,
    total: roots,
    partial: "",
    elapsedMs: 1,
    asOf: null,
    gaps: [],
  }));
  const user = userEvent.setup();
  show(<ExplorerPage />, "/explorer");
  await user.click(await screen.findByRole("button", { name: "Any identity" }));
  expect(await screen.findByText(new RegExp(`^${want} · `))).toBeTruthy(); // of the answer
  await user.click(await screen.findByRole("button", { name: "Add to Identities" }));
  await user.type(screen.getByRole("textbox", { name: "What can be added to Identities" }), "exposed{Enter}");
  const row = await screen.findByRole("row", { name: /^Exposed/ });
  await waitFor(() => expect(row.textContent).toBe(`Exposed0 identities${want}`)); // of each line
});

it("an error points at its place and is mended in the text", async () => {
  show(<ExplorerPage />, `/explorer?q=${encodeURIComponent("MATCH (p:Pood) RETURN p")}`);
  expect((await screen.findByText("There is no kind Pood.")).tagName).toBe("P");
  await userEvent.click(screen.getByRole("button", { name: "Go to line 1, column 10" }));
  const box = screen.getByRole<HTMLTextAreaElement>("textbox", { name: "The question as text" });
  expect(box.value.slice(box.selectionStart, box.selectionEnd)).toBe("Pood");
  await userEvent.click(screen.getByRole("button", { name: "Did you mean Pod?" }));
  await userEvent.click(screen.getByRole("button", { name: /^Ask/ }));
  await waitFor(() => expect(at()).toBe(`/explorer?${new URLSearchParams({ q: "MATCH (p:Pod) RETURN p" })}`));
  expect(screen.queryByText("There is no kind Pood.")).toBeNull();
});

const joined = {
  ...pods,
  find: {
    ...pods.find,
    with: [{ edge: ["ROUTES_TO"], dir: "in", to: { as: "s", kinds: ["Service"], where: { prop: "exposed" } } }],
  },
};

it("a connection is asked for as none or a number, and what is asked of its end is edited there", async () => {
  show(<ExplorerPage />, at_(joined));
  await userEvent.selectOptions(await screen.findByRole("combobox", { name: "How many Services" }), "none");
  const services = { edge: ["ROUTES_TO"], dir: "in", to: joined.find.with[0]?.to };
  await waitFor(() => expect(questions().at(-1)?.find).toEqual({ ...pods.find, where: { not: { exists: services } } }));
  await userEvent.click(await screen.findByRole("button", { name: "Exposed" }));
  await userEvent.click(screen.getByRole("button", { name: "Cancel" }));
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "How many" }), "count");
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "How the number compares" }), ">=");
  await waitFor(() => expect(questions().at(-1)?.find.where).toEqual({ count: services, op: ">=", value: 1 }));
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "How many" }), "shown");
  await waitFor(() => expect(questions().at(-1)?.find).toEqual(joined.find));
});

it("typing finds what can be asked of things that the kind is joined to", async () => {
  show(<ExplorerPage />, at_(pods));
  await userEvent.click(await screen.findByRole("button", { name: "Add to Pods" }));
  await userEvent.type(screen.getByRole("textbox", { name: "What can be added to Pods" }), "service · name{Enter}");
  await userEvent.type(await screen.findByRole("textbox", { name: "Value of Name" }), "web{Enter}");
  await waitFor(() =>
    expect(questions().at(-1)?.find.with).toEqual([
      {
        edge: ["ROUTES_TO"],
        dir: "in",
        to: { as: "s", kinds: ["Service"], where: { prop: "name", op: "CONTAINS", value: "web" } },
      },
    ]),
  );
});

it("columns are added and taken away", async () => {
  show(<ExplorerPage />, at_(joined));
  await userEvent.click(await screen.findByRole("button", { name: "Hide the column Service" }));
  await waitFor(() => expect(questions().at(-1)?.return).toEqual([{ of: "p" }]));
  await userEvent.click(await screen.findByRole("button", { name: "Add a column" }));
  await userEvent.click(await screen.findByRole("option", { name: /^count of Services/ }));
  await waitFor(() =>
    expect(questions().at(-1)?.return).toEqual([{ of: "p" }, { of: "s", count: true, distinct: true }]),
  );
});

it("an empty answer says how much each line leaves, and what is found without it", async () => {
  post<Question>("/query", (q) => ({
    query: q.query ?? pods,
    text: "",
    columns: [],
    rows: [],
    roots: q.query?.find.where ? 0 : 7,
    total: 0,
    partial: "",
    elapsedMs: 1,
    asOf: null,
    gaps: [],
  }));
  show(<ExplorerPage />, at_({ ...pods, find: { ...pods.find, where: { prop: "exposed" } } }));
  const row = await screen.findByRole("row", { name: /^Exposed/ });
  await waitFor(() => expect(row.textContent).toBe("Exposed0 pods7 pods"));
  expect(screen.queryByText(/could not be seen/)).toBeNull();
  await userEvent.click(within(row).getByRole("button", { name: "7 pods" }));
  expect(at()).toBe(`/explorer?${new URLSearchParams({ tree: JSON.stringify(pods) })}`);
});
