import type { Page } from "@playwright/test";
import { accessible, complaints, expect, test } from "./person";

const question = `/explorer?q=${encodeURIComponent("MATCH (p:Pod) RETURN p")}`;

/** Refuses what a path of the API answers, as often as the server of the test does not. */
async function refuse(page: Page, path: string, status: number, problem: object | string, after = "600") {
  const refused = { still: true, asked: 0 };
  await page.route(`**/api/v1/${path}`, async (route) => {
    refused.asked++;
    if (!refused.still) return route.continue();
    await route.fulfill({
      status,
      headers: {
        "Content-Type": typeof problem === "string" ? "text/html" : "application/problem+json",
        "Retry-After": after,
      },
      body: typeof problem === "string" ? problem : JSON.stringify({ status, ...problem }),
    });
  });
  return refused;
}

const refusals: [name: string, status: number, problem: object | string, says: RegExp][] = [
  [
    "one person's",
    429,
    { title: "too many requests at once", detail: "you have asked for too much at once" },
    /You have asked for too much/,
  ],
  [
    "everybody's",
    503,
    { title: "too large for now", detail: "narrow it, or ask again in a moment" },
    /Narrow it, or ask again/,
  ],
  [
    "what is sent",
    413,
    { title: "too large", detail: "want at most 1024 KiB in one request" },
    /Want at most 1024 KiB/,
  ],
  ["a proxy's", 503, "<h1>busy</h1>", /Your question is not lost/],
];

for (const [name, status, problem, says] of refusals)
  test(`a refusal says what happened and what to do, and is asked again when it may be: ${name}`, async ({ page }) => {
    await page.clock.install();
    const refused = await refuse(page, "query", status, problem);
    await page.goto(question);
    const alert = page.getByRole("alert").filter({ has: page.getByRole("button", { name: "Try again" }) });
    await expect(alert).toContainText(says);
    await expect(alert).toContainText("600 seconds");
    const again = alert.getByRole("button", { name: "Try again" });
    await expect(again).toBeDisabled();
    const before = refused.asked;
    await page.clock.fastForward("10:01");
    await expect(again).toBeEnabled();
    expect(refused.asked).toBe(before); // nobody asks for the person
    refused.still = false;
    await again.focus();
    await page.keyboard.press("Enter");
    await expect(page.getByRole("table").first()).toBeVisible();
    await expect(alert).toHaveCount(0);
  });

for (const scheme of ["light", "dark"] as const)
  for (const width of [360, 1440])
    test(`a refusal, an answer that is cut and a full disk are legible: ${scheme}, ${width} px`, async ({ page }) => {
      const said = complaints(page);
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width, height: 900 });
      await page.route("**/api/v1/status", async (route) => {
        const answer = await route.fetch();
        await route.fulfill({
          response: answer,
          json: { ...(await answer.json()), noRoom: "of 40 GiB 1 GiB is left" },
        });
      });
      await page.route("**/api/v1/query", async (route) => {
        const answer = await route.fetch();
        await route.fulfill({
          response: answer,
          json: { ...(await answer.json()), partial: "the memory limit of 512 MiB was reached" },
        });
      });
      await page.goto(question);
      await expect(page.getByText("A disk of the server is full.")).toBeVisible();
      await expect(page.getByRole("note").filter({ hasText: "Not the whole answer" })).toContainText(/cut at \d+ rows/);
      const shot = (what: string) => page.screenshot({ path: `test-results/refused-${what}-${scheme}-${width}.png` });
      await shot("cut");
      await accessible(page);
      await page.unroute("**/api/v1/query");
      await refuse(page, "query", 429, {
        title: "too many requests at once",
        detail: "you have asked for too much at once",
      });
      await page.goto(question);
      await expect(page.getByRole("button", { name: "Try again" })).toBeDisabled();
      await shot("refused");
      await accessible(page);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      expect(said.filter((s) => !/429/.test(s))).toEqual([]);
    });
