import { MantineProvider } from "@mantine/core";
import { closeSpotlight } from "@mantine/spotlight";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { MemoryRouter, useLocation } from "react-router";
import { afterEach, beforeEach, expect, test } from "vitest";
import { server } from "../test/server";
import { Palette } from "./Palette";

const hit = {
  ref: { kind: "Pod", id: "prod/shop/Pod/receipts-1", name: "receipts-1", cluster: "prod", namespace: "shop" },
  kindLabel: "Pod",
};

function Where() {
  const { pathname, search } = useLocation();
  return <output>{pathname + search}</output>;
}

/** As in a browser: with the component library's transitions, which its test mode leaves out. */
beforeEach(() => {
  render(
    <MantineProvider>
      <QueryClientProvider client={new QueryClient()}>
        <MemoryRouter>
          <Palette />
          <Where />
        </MemoryRouter>
      </QueryClientProvider>
    </MantineProvider>,
  );
});
afterEach(() => act(() => closeSpotlight()));

/** Keys that follow each other at once, faster than any timer or frame. */
const keys = (text: string) => userEvent.setup({ delay: null }).keyboard(text);

test("no key that follows the shortcut is lost", async () => {
  server.use(http.get("*/api/v1/search", () => HttpResponse.json([hit])));
  await keys("{Control>}k{/Control}receipts");
  expect(screen.getByRole("textbox", { name: "Search anything" })).toHaveProperty("value", "receipts");
});

test("Enter before the answer takes the best hit when it comes", async () => {
  let answer = () => {};
  const answered = new Promise<void>((done) => {
    answer = done;
  });
  server.use(
    http.get("*/api/v1/search", async () => {
      await answered;
      return HttpResponse.json([hit]);
    }),
  );
  await keys("{Control>}k{/Control}receipts{Enter}");
  expect(screen.getByRole("status").textContent).toBe("/");
  answer();
  await waitFor(() => expect(screen.getByRole("status").textContent).toMatch(/^\/entity\?.*receipts-1/));
});

test("Enter does not take what was found for other letters", async () => {
  const other = { ...hit, ref: { ...hit.ref, id: "prod/shop/Pod/reader", name: "reader" } };
  server.use(
    http.get("*/api/v1/search", ({ request }) =>
      HttpResponse.json(new URL(request.url).searchParams.get("q") === "re" ? [other] : [hit]),
    ),
  );
  await keys("{Control>}k{/Control}re");
  await screen.findByText("reader");
  await keys("ceipts{Enter}");
  await waitFor(() => expect(screen.getByRole("status").textContent).toMatch(/receipts-1/));
});
