import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { PathPage } from "./PathPage";
import { PathsPage } from "./PathsPage";

let asked: URL[];

beforeEach(() => {
  asked = [];
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener() {}, removeEventListener() {} }));
  vi.stubGlobal("fetch", (request: Request) => {
    asked.push(new URL(request.url));
    const body = { title: "No such path", detail: "The cluster prod has no path 17.", status: 404 };
    return Promise.resolve(new Response(JSON.stringify(body), { status: 404, headers: { "Content-Type": "application/problem+json" } }));
  });
});
afterEach(() => vi.unstubAllGlobals());

function show(page: React.ReactNode, at: string) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(<MantineProvider><QueryClientProvider client={client}><MemoryRouter initialEntries={[at]}>{page}</MemoryRouter></QueryClientProvider></MantineProvider>);
}

it("a path page shows the server's words when it fails", async () => {
  show(<PathPage />, "/path?cluster=prod&id=17");
  expect(await screen.findByRole("alert")).toHaveProperty("textContent", expect.stringContaining("The cluster prod has no path 17."));
});

it("a list of paths asks what its URL says", async () => {
  show(<PathsPage />, "/paths?status=stale&risk=high&q=shop");
  await waitFor(() => expect(asked.some((u) => u.pathname.endsWith("/paths"))).toBe(true));
  const query = asked.find((u) => u.pathname.endsWith("/paths"))?.searchParams;
  expect([query?.get("status"), query?.get("risk"), query?.get("q")]).toEqual(["stale", "high", "shop"]);
});
