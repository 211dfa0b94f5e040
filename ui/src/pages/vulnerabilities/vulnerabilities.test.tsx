import { screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { get } from "../../test/server";
import { show } from "../../test/show";
import { VulnerabilitiesPage } from "./VulnerabilitiesPage";

const list = (unscanned: number, partly: number) => ({ items: [], total: 0, unscanned, partly, asOf: null });

it.each([
  [1, 0, "1 image was never scanned: there may be more. Which, and why."],
  [0, 2, "2 images were read in part: there may be more. Which, and why."],
  [2, 1, "2 images were never scanned, 1 image was read in part: there may be more. Which, and why."],
])("%i images that were never scanned and %i read in part are said", async (unscanned, partly, want) => {
  get("/status", { images: { done: 3 } });
  get("/vulnerabilities", list(unscanned, partly));
  show(<VulnerabilitiesPage />, "/vulnerabilities");
  expect((await screen.findByText(/there may be more/)).textContent).toBe(want);
  expect(screen.getByText("None known that fits this filter, in what was read of the images.")).toBeTruthy();
});

it("where all was read, nothing more is said", async () => {
  get("/status", { images: { done: 3 } });
  get("/vulnerabilities", list(0, 0));
  show(<VulnerabilitiesPage />, "/vulnerabilities");
  await screen.findByText("No vulnerability matches");
  expect(screen.queryByText(/there may be more/)).toBeNull();
});
