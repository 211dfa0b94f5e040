import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Page } from "../components/Page";
import { visible } from "./visible";

test("characters that nobody sees are written out, and all others stay", () => {
  expect(visible("shop/web: öffnen → 日本 🚢\n\tx")).toBe("shop/web: öffnen → 日本 🚢\n\tx");
  expect(visible("\u001b[2J\u0007\u0085")).toBe("\\x1b[2J\\x07\\x85");
  expect(visible("a\u202eb\u2066c\u200bd\u2028e\u00adf\ufeff\u{e0041}\u3164")).toBe(
    "a\\u202eb\\u2066c\\u200bd\\u2028e\\xadf\\ufeff\\U000e0041\\u3164",
  );
});

test("no text that strangers wrote turns a page around, wherever it stands", () => {
  const evil = "web\u202egnp.exe\u200b";
  const told = "web\\u202egnp.exe\\u200b";
  render(
    <Page title={`Pod ${evil}`}>
      <p title={evil} aria-label={evil} data-testid="one">
        {evil} and {evil}
      </p>
      <ul>
        {[evil].map((e) => (
          <li key={e}>{e}</li>
        ))}
      </ul>
      <a href={`/pods/${encodeURIComponent(evil)}`}>link</a>
    </Page>,
  );
  expect(document.title).toBe(`Pod ${told} · Breakwater`);
  expect(screen.getByRole("heading").textContent).toBe(`Pod ${told}`);
  const p = screen.getByTestId("one");
  expect([p.textContent, p.title, p.getAttribute("aria-label")]).toEqual([`${told} and ${told}`, told, told]);
  expect(screen.getByRole("listitem").textContent).toBe(told);
  expect(screen.getByRole("link").getAttribute("href")).toBe(`/pods/${encodeURIComponent(evil)}`);
});
