import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { get } from "../../test/server";
import { at, show } from "../../test/show";
import { BasesPage } from "./BasesPage";
import { ImageDiffPage } from "./ImageDiffPage";

const row = (id: string, tags: string[]) => ({ id, name: id, registry: "r.example", repository: "web", tags });
const inShort = (reference: string) => ({
  reference,
  layers: [],
  completeness: "complete",
  known: true,
  partly: false,
});
const flaw = (id: string, severity: string) => ({
  id,
  severity,
  aliases: [],
  package: "openssl",
  version: "1",
  purl: "",
});

const difference = {
  before: inShort("web:1"),
  after: inShort("web:2"),
  sharedLayers: 2,
  baseAfter: { name: "debian:13", layers: 2, how: "its layers are the lowest ones" },
  added: [],
  gone: [{ name: "vim", version: "9", purl: "" }],
  changed: [{ name: "openssl", before: ["1"], after: ["2"] }],
  unchanged: 40,
  new: [flaw("CVE-1", "High")],
  fixed: [flaw("CVE-2", "Low"), flaw("CVE-3", "Low")],
  kept: 7,
  hidden: [{ vulnerability: flaw("CVE-4", "High"), why: "it was read in part" }],
  notKnown: ["Of the image after: Python packages were not read."],
};

it("two tags are compared once the other one is chosen, and what cannot be judged is told apart from what is fixed", async () => {
  get("/image", { row: row("one", ["1"]) });
  get("/images", { items: [row("one", ["1"]), row("two", ["2"]), { ...row("x", []), repository: "webshop" }] });
  const asked = get("/image/diff", difference);
  show(<ImageDiffPage />, "/image/diff?base=one");
  await userEvent.selectOptions(await screen.findByLabelText("With the tag"), "2");
  expect((await screen.findByRole("status", { name: "Difference" })).textContent).toBe(
    "From web:1 to web:2: 1 finding is new, 2 fixed, 7 still there. The lowest 2 layers are the same.",
  );
  expect(asked[0]!.searchParams.get("head")).toBe("two");
  expect(at()).toBe("/image/diff?base=one&head=two");
  expect(screen.getByText(/Before: not known. After: debian:13/)).toBeTruthy();
  expect(within(screen.getByRole("region", { name: "Fixed" })).queryByText("CVE-4")).toBeNull();
  expect(within(screen.getByRole("region", { name: "Can no longer be judged" })).getByText("CVE-4")).toBeTruthy();
  expect(screen.getByText("Of the image after: Python packages were not read.")).toBeTruthy();
  const packages = screen.getByRole("region", { name: "Packages that differ" });
  expect(within(packages).getByText("vim").closest("tr")?.textContent).toBe("vim9–");
});

it("the bases say what each would remove and add, and one that nobody read is unknown", async () => {
  const bump = { removes: [], adds: [], stays: 3, notKnown: [], known: true };
  get("/image/bases", {
    image: inShort("web:1"),
    base: { name: "debian:12.1", id: "base", layers: 1, how: "its layers are the lowest ones" },
    others: [],
    fromBase: 5,
    own: 2,
    bumps: [
      {
        ...bump,
        name: "debian:12.9",
        removes: [flaw("CVE-1", "High"), flaw("CVE-2", "High")],
        adds: [flaw("CVE-3", "Low")],
      },
      { ...bump, name: "debian:13", known: false, why: "it waits to be read" },
    ],
    notKnown: [],
  });
  const kinds = { kinds: {}, groups: [], edges: {}, risks: [], pathTypes: [], ops: {} };
  show(<BasesPage />, "/image/bases?id=web", { ...kinds, severities: ["Low", "High"] });
  const cells = async (name: string) =>
    within((await screen.findByText(name)).closest("tr") as HTMLElement)
      .getAllByRole("cell")
      .map((c) => c.textContent);
  expect(await cells("debian:12.9")).toEqual(["debian:12.9", "", "2 high", "1 low", "3", "Which"]);
  expect(await cells("debian:13")).toEqual(["debian:13", "", "unknown", "unknown", "unknown", "it waits to be read"]);
  await userEvent.click(screen.getByRole("button", { name: "Details of debian:12.9" }));
  expect(within(screen.getByRole("region", { name: "Adds" })).getByText("CVE-3")).toBeTruthy();
});
