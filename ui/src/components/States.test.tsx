import { act, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it, vi } from "vitest";
import { told } from "../api/client";
import { show } from "../test/show";
import { Failed } from "./States";

afterEach(() => vi.useRealTimers());

it("who is refused is told what happened, and may ask again when the server said", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const user = userEvent.setup({ advanceTimers: vi.advanceTimersByTime });
  const retry = vi.fn();
  const error = { status: 429, title: "Too many requests at once", detail: "Ask again in a moment.", retryAfter: 600 };
  show(<Failed error={error} retry={retry} />, "/");
  const alert = screen.getByRole("alert");
  expect(alert.textContent).toContain("Too many requests at once");
  expect(alert.textContent).toContain("Ask again in a moment.");
  expect(alert.textContent).toContain("600 seconds");
  const again = screen.getByRole<HTMLButtonElement>("button", { name: "Try again" });
  expect(again.disabled).toBe(true);
  act(() => void vi.advanceTimersByTime(600_000));
  expect(again.disabled).toBe(false);
  await user.click(again);
  expect(retry).toHaveBeenCalledOnce();
});

it("an error that names no time may be tried again at once", () => {
  show(<Failed error={{ message: "Failed to fetch" }} retry={() => undefined} />, "/");
  expect(screen.getByRole<HTMLButtonElement>("button", { name: "Try again" }).disabled).toBe(false);
});

it("a refusal says when to ask again, also one of a proxy that has no words of ours", async () => {
  const ours = await told(
    Response.json({ title: "x y", detail: "y" }, { status: 503, headers: { "Retry-After": "2" } }),
  );
  expect(await ours?.json()).toEqual({ title: "X y", detail: "Y.", status: 503, retryAfter: 2 });
  const foreign = await told(new Response("<h1>busy</h1>", { status: 413, headers: { "Retry-After": "Fri, 1 Jan" } }));
  expect(await foreign?.json()).toMatchObject({ title: "Too large", status: 413 });
  expect(await told(new Response("{}"))).toBeUndefined();
  expect(await told(Response.json({ problems: [] }, { status: 400 }))).toBeUndefined();
});
