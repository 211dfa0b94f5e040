import { accessible, complaints, expect, test } from "./person";

const pages = ["/", "/explorer", "/paths", "/vulnerabilities", "/images", "/coverage"];

for (const theme of ["light", "dark"] as const) {
  for (const width of [1440, 1024, 360]) {
    test(`every page at ${width} px in the ${theme}`, async ({ page }) => {
      const said = complaints(page);
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme: theme });
      await page.addInitScript((t) => localStorage.setItem("mantine-color-scheme-value", t), theme);
      for (const path of pages) {
        await page.goto(path);
        await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
        await page.waitForLoadState("domcontentloaded");
        await page.screenshot({ path: `screenshots/${path.slice(1) || "home"}-${width}-${theme}.png` });
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        expect(wider, `${path} scrolls sideways`).toBeLessThanOrEqual(1);
      }
      expect(said).toEqual([]);
    });
  }
}

test("every page passes axe", async ({ page }) => {
  for (const path of pages) {
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.getByText("Loading", { exact: false })).toHaveCount(0);
    await accessible(page);
  }
});

test("anything is found by keyboard", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("receipts");
  await expect(page.getByText(/receipts/).first()).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page).not.toHaveURL(/\/$/);
});

test("a wrong question is answered at its place", async ({ page }) => {
  await page.goto(`/explorer?q=${encodeURIComponent("MATCH (p:Pood) RETURN p")}`);
  await expect(page.getByText(/Pood/).first()).toBeVisible();
  await expect(page.getByText(/did you mean|Pod/).first()).toBeVisible();
});

test("without a session there is only the sign-in page", async ({ browser }) => {
  const context = await browser.newContext({ storageState: { cookies: [], origins: [] } });
  const page = await context.newPage();
  await page.goto(`${process.env.BREAKWATER_URL}/paths`);
  await expect(page.getByText(/sign in/i).first()).toBeVisible();
  await context.close();
});
