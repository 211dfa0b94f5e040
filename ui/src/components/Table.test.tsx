import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { at, show } from "../test/show";
import { Table, type Column } from "./Table";

interface Row {
  name: string;
  size: number | null;
}

const rows: Row[] = [
  { name: "b", size: 20 },
  { name: "a10", size: null },
  { name: "a9", size: 3 },
];
const columns: Column<Row>[] = [
  { title: "Name", cell: (r) => r.name, by: (r) => r.name },
  { title: "Size in MB", number: true, cell: (r) => r.size ?? "unknown", by: (r) => r.size },
  { title: "Note", cell: () => "" },
];
const names = () =>
  screen
    .getAllByRole("row")
    .slice(1)
    .map((r) => r.firstElementChild?.textContent);
const table = () => <Table label="Things" rows={rows} columns={columns} rowKey={(r) => r.name} />;
const sorted = (name: RegExp) => screen.getByRole("columnheader", { name }).getAttribute("aria-sort");

it("is in the server's order until a header is chosen, and again after the third time", async () => {
  show(table(), "/things?q=x");
  const header = screen.getByRole("button", { name: "Name" });
  expect(names()).toEqual(["b", "a10", "a9"]);
  await userEvent.click(header);
  expect([names(), sorted(/^Name/), at()]).toEqual([["a9", "a10", "b"], "ascending", "/things?q=x&sort=name"]);
  await userEvent.click(header);
  expect([names(), sorted(/^Name/), at()]).toEqual([["b", "a10", "a9"], "descending", "/things?q=x&sort=-name"]);
  await userEvent.click(header);
  expect([names(), sorted(/^Name/), at()]).toEqual([["b", "a10", "a9"], null, "/things?q=x"]);
});

it("is sorted by keyboard, numbers from the top, and what is unknown last either way", async () => {
  show(table(), "/things");
  screen.getByRole("button", { name: "Size in MB" }).focus();
  await userEvent.keyboard("{Enter}");
  expect([names(), at()]).toEqual([["b", "a9", "a10"], "/things?sort=-size-in-mb"]);
  await userEvent.keyboard("{Enter}");
  expect(names()).toEqual(["a9", "b", "a10"]);
});

it("a shared link has the order, and a column that has none has no button", () => {
  show(table(), "/things?sort=-size-in-mb");
  expect(names()).toEqual(["b", "a9", "a10"]);
  expect(screen.queryByRole("button", { name: "Note" })).toBeNull();
});

it("an order that is not the table's is asked for, not made", async () => {
  const asked: unknown[] = [];
  show(
    <Table
      label="Things"
      rows={rows}
      columns={columns}
      rowKey={(r) => r.name}
      order={{ now: undefined, change: (s) => asked.push(s) }}
    />,
    "/things",
  );
  await userEvent.click(screen.getByRole("button", { name: "Name" }));
  expect([asked, names(), at()]).toEqual([[{ column: "name", down: false }], ["b", "a10", "a9"], "/things"]);
});

it("names on a phone what comes after a row's heading, and leaves out no column", () => {
  const wide: Column<Row>[] = [
    { title: "Risk", cell: () => "high" },
    { title: "Path", wraps: true, cell: (r) => r.name },
    { title: "Size", from: "widest", cell: (r) => r.size ?? "unknown" },
  ];
  show(<Table label="Things" rows={rows} columns={wide} rowKey={(r) => r.name} />, "/things");
  const cells = screen.getAllByRole("row")[1]?.querySelectorAll("[role=cell]") ?? [];
  expect([...cells].map((c) => [c.getAttribute("data-title"), c.textContent])).toEqual([
    [null, "high"],
    [null, "b"],
    ["Size", "20"],
  ]);
});
