import { gzipSync } from "node:zlib";
import type { Page } from "@playwright/test";
import { accessible, complaints, expect, test } from "./person";

const lists = [
  "/",
  "/explorer",
  "/paths",
  "/diff",
  "/recommendations",
  "/alerts",
  "/vulnerabilities",
  "/exceptions",
  "/exceptions?add=true&vulnerability=CVE-2022-3602",
  "/images",
  "/registries",
  "/registries/connect",
  "/sensors",
  "/tokens",
  "/coverage",
  "/activity",
];

/** The lists, and one page of each kind of thing. */
async function everyPage(page: Page): Promise<string[]> {
  const get = async (what: string) => (await page.request.get(`/api/v1/${what}`)).json();
  const [path] = (await get("paths?type=cluster-admin")).items,
    [image] = (await get("images")).items,
    [cve] = (await get("vulnerabilities")).items,
    [alert] = (await get("alerts")).items,
    [update] = (await get("recommendations")).items;
  const { ref } = (await get(`search?q=${path.foothold.name}`))[0];
  const entity = `kind=${ref.kind}&id=${encodeURIComponent(ref.id)}`;
  const registries = (await get("registries")).items.map(
      (r: { host: string }) => `/registry?host=${encodeURIComponent(r.host)}`,
    ),
    [node] = (await get("sensors")).items;
  return [
    ...lists,
    ...registries.slice(0, 1),
    `/sensors?at=${node.cluster}/${node.node}`,
    `/path?cluster=${path.cluster}&id=${path.id}`,
    `/diff?${(await get("status")).clusters
      .slice(0, 2)
      .map((c: { name: string }, i: number) => `${i ? "head" : "base"}=${c.name}`)
      .join("&")}`,
    `/alert?cluster=${alert.cluster}&id=${alert.id}`,
    `/recommendation?id=${encodeURIComponent(update.id)}`,
    `/image?id=${image.id}`,
    `/image/bases?id=${image.id}`,
    `/image/diff?base=${image.id}&head=${image.id}`,
    `/vulnerability?id=${cve.id}`,
    `/entity?${entity}`,
    `/explorer?q=${encodeURIComponent("MATCH (p:Pod) WHERE p.exposed\nMATCH (p)-[:RUNS]->(c:Container)\nRETURN p, c")}`,
  ];
}

/** A page's name as a file's: registries-connect, explorer-asked. */
function named(path: string): string {
  const [place = "", search = ""] = path.slice(1).split("?");
  return (
    (place.replace("/", "-") || "home") +
    (/^(q|base)=/.test(search) ? "-asked" : search.startsWith("at=") ? "-chosen" : "")
  );
}

async function settled(page: Page) {
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByRole("status", { name: /^Loading/ })).toHaveCount(0);
}

for (const theme of ["light", "dark"] as const) {
  for (const width of [1440, 1024, 360]) {
    test(`every page at ${width} px in the ${theme}`, async ({ page }) => {
      test.slow(); // there are many pages
      const said = complaints(page);
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme: theme });
      await page.addInitScript((t) => localStorage.setItem("mantine-color-scheme-value", t), theme);
      for (const path of await everyPage(page)) {
        await page.goto(path);
        await settled(page);
        await page.screenshot({ path: `screenshots/${named(path)}-${width}-${theme}.png` });
        const wider = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(wider, `${path} scrolls sideways`).toBeLessThanOrEqual(1);
        if (path.startsWith("/path?")) await expect(page.locator(".thing").first()).toBeVisible();
      }
      expect(said).toEqual([]);
    });
  }
}

for (const theme of ["light", "dark"] as const) {
  test(`every page passes axe in the ${theme}`, async ({ page }) => {
    test.slow();
    await page.addInitScript((t) => localStorage.setItem("mantine-color-scheme-value", t), theme);
    for (const path of await everyPage(page)) {
      await page.goto(path);
      await settled(page);
      if (path.startsWith("/path?"))
        await page
          .getByRole("button", { name: /^Step 4/ })
          .first()
          .click();
      await accessible(page);
    }
  });
}

test("on a phone no table is cut: every value of every row is in sight", async ({ page }) => {
  test.slow();
  await page.setViewportSize({ width: 360, height: 800 });
  for (const path of await everyPage(page)) {
    await page.goto(path);
    await settled(page);
    const cut = await page.evaluate(() => {
      const out: string[] = [];
      for (const table of document.querySelectorAll(".scroll")) {
        if (table.scrollWidth > table.clientWidth) out.push(`${table.getAttribute("aria-label")} scrolls sideways`);
        for (const cell of table.querySelectorAll<HTMLElement>("[role=cell], [role=cell] *")) {
          const text = cell.textContent?.trim();
          if (!text || cell.closest(".onlynarrow, details")) continue;
          if (cell.offsetParent === null) out.push(`not shown: ${text}`);
          else if (cell.scrollWidth > cell.clientWidth + 1 && getComputedStyle(cell).overflowX === "hidden")
            out.push(`cut: ${text}`);
        }
      }
      return out;
    });
    expect(cut, path).toEqual([]);
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

test("a list is sorted by keyboard, and its URL is the order", async ({ page }) => {
  await page.goto("/paths");
  await page.getByRole("button", { name: "Pods", exact: true }).focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/sort=-pods/);
  await expect(page.getByRole("columnheader", { name: "Pods" })).toHaveAttribute("aria-sort", "descending");
  const pods = async () => (await page.locator("tbody tr td:nth-child(6)").allTextContents()).map(Number);
  expect(await pods()).toEqual((await pods()).sort((a, b) => b - a));
  await page.reload();
  await expect(page.getByRole("columnheader", { name: "Pods" })).toHaveAttribute("aria-sort", "descending");
});

test("what stands beside an answer closes with Esc, which leads back to the name", async ({ page }) => {
  await page.goto(`/explorer?q=${encodeURIComponent("MATCH (p:Pod) WHERE p.namespace = 'shop' RETURN p")}`);
  const name = page
    .getByRole("table")
    .getByRole("link", { name: /^receipts-/ })
    .first();
  await name.focus();
  await page.keyboard.press("Enter");
  const pane = page.getByRole("complementary", { name: "Details" });
  await expect(pane.getByRole("heading", { name: /^Pod receipts-/ })).toBeFocused();
  await expect(page).toHaveURL(/at=Pod/);
  await page.keyboard.press("Escape");
  await expect(pane).toHaveCount(0);
  await expect(name).toBeFocused();
});

test("a wrong question is answered at its place, and mended", async ({ page }) => {
  await page.goto(`/explorer?q=${encodeURIComponent("MATCH (p:Pood) RETURN p")}`);
  await expect(page.getByText("There is no kind Pood.")).toBeVisible();
  await page.getByRole("button", { name: "Did you mean Pod?" }).click();
  await page.getByRole("textbox", { name: "The question as text" }).press("Control+Enter");
  await expect(page.getByRole("table").getByRole("link").first()).toBeVisible();
});

test("home needs little script, and neither drawing nor layout", async ({ page }) => {
  let bytes = 0;
  const scripts: string[] = [];
  page.on("response", async (r) => {
    if (r.request().resourceType() !== "script") return;
    scripts.push(r.url());
    bytes += gzipSync(await r.body()).length;
  });
  await page.goto("/");
  await expect(page.getByRole("table").first()).toBeVisible();
  console.log(`home: ${Math.round(bytes / 1000)} kB of script, gzipped`);
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThan(300_000);
  expect(scripts.filter((s) => /elk|PathPage|GraphView/.test(s))).toEqual([]);
});

test("without a session there is only the sign-in page", async ({ browser }) => {
  const context = await browser.newContext({ storageState: { cookies: [], origins: [] } });
  const page = await context.newPage();
  await page.goto(`${process.env.BREAKWATER_URL}/paths`);
  await expect(page.getByText(/sign in/i).first()).toBeVisible();
  await context.close();
});
