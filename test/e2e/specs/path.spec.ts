import { complaints, expect, test } from "./person";
import type { Page } from "@playwright/test";
import { longRoute, manyServices } from "../../../ui/src/graph/paths.fixture";

const title = "Internet exposed Kubernetes pod is running a container with high severity vulnerabilities";

test("the path: from the internet to the container, its evidence, its vulnerabilities, its fixes", async ({ page }) => {
  const said = complaints(page);
  await page.goto("/paths");
  await page
    .getByRole("link", { name: new RegExp(`^${title}: `) })
    .first()
    .click();
  await expect(page.getByRole("heading", { name: title, level: 1 })).toBeVisible();
  const drawing = page
    .getByRole("region", { name: /attack path/i })
    .or(page.locator(".react-flow"))
    .first();
  for (const word of [
    "Internet",
    "Ingress",
    "Service",
    "Pod",
    "Container",
    "routes to",
    "can be exploited in",
    "cluster harbor-prod",
    "namespace shop",
  ]) {
    await expect(drawing.getByText(word, { exact: false }).first()).toBeVisible();
  }
  await expect(page.getByText(/Resolve the vulnerabilities of image/).first()).toBeVisible();
  await expect(page.getByText(/Narrow the exposure/).first()).toBeVisible();
  await page.screenshot({ path: "screenshots/path.png", fullPage: true });
  await page
    .getByRole("link", { name: /vulnerability page/i })
    .first()
    .click();
  await expect(page).toHaveURL(/\/vulnerabilities\?.*path=/);
  await expect(page.getByRole("table").first()).toContainText("CVE-");
  await page.getByRole("table").first().getByRole("link", { name: /^CVE-/ }).first().click();
  await expect(page.getByRole("heading", { name: /^CVE-/ })).toBeVisible();
  expect(said).toEqual([]);
});

test("the path is walked by keyboard, and every step and thing shows its evidence", async ({ page }) => {
  const { items } = await (await page.request.get("/api/v1/paths?type=node-takeover")).json();
  const { cluster, id } = items.find((p: { foothold: { name: string } }) => p.foothold.name === "preview");
  await page.goto(`/path?cluster=${cluster}&id=${id}`);
  const evidence = page.getByRole("complementary", { name: "Evidence" });
  await page.getByRole("button", { name: /^Internet/ }).focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("button", { name: "Step 1: routes to: show the evidence" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(evidence.getByRole("heading", { name: /^Step 1/ })).toBeFocused();
  await expect(evidence.getByText(/receives traffic through/)).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(evidence).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Step 1: routes to: show the evidence" })).toBeFocused();

  await page.getByRole("button", { name: /^Container .*: show what is known/ }).click();
  await expect(evidence.getByRole("link", { name: /^registry\..*:/ })).toBeVisible();
  await expect(evidence.getByRole("link", { name: /^CVE-/ }).first()).toBeVisible();
  await page.keyboard.press("End");
  await expect(evidence.getByRole("heading", { name: /^Node/ })).toBeVisible();
  await page.keyboard.press("ArrowLeft");
  await expect(evidence.getByText("follows by a rule", { exact: false })).toBeVisible();
  await expect(evidence.getByText(/privileged/i).first()).toBeVisible();
  await evidence.getByRole("button", { name: "Close (Esc)" }).click();
  await expect(evidence).toHaveCount(0);
});

test("on a phone the path goes down, whole and to be touched", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 800 });
  await page.goto("/paths");
  await page
    .getByRole("link", { name: new RegExp(`^${title}: `) })
    .first()
    .click();
  const things = page.locator(".thing");
  await expect(things.first()).toBeVisible();
  const boxes = await Promise.all((await things.all()).map((t) => t.boundingBox()));
  for (const b of boxes) {
    expect(b?.x).toBeGreaterThanOrEqual(0);
    expect((b?.x ?? 0) + (b?.width ?? 0)).toBeLessThanOrEqual(360);
  }
  expect(new Set(boxes.map((b) => Math.round(b?.y ?? 0))).size).toBe(boxes.length);
  await page.getByRole("button", { name: /^Container/ }).click();
  await expect(
    page.getByRole("complementary", { name: "Evidence" }).getByRole("link", { name: /^CVE-/ }).first(),
  ).toBeVisible();
  await page.screenshot({ path: "screenshots/path-phone.png" });
});

/** The server's answer is this path. */
async function given(page: Page, path: ReturnType<typeof longRoute>) {
  const at = "2026-01-01T00:00:00Z";
  const json = { path, status: "active", staleReason: "", firstSeen: at, lastSeen: at, history: [] };
  await page.route("**/api/v1/path?*", (r) => r.fulfill({ json }));
}

/** What is chosen in the drawing is in sight: in the window, below the page's head, beside or above the evidence. */
async function chosenInSight(page: Page) {
  const seen = () =>
    page.evaluate(() => {
      const box = document.querySelector(".canvas [aria-pressed=true]")?.getBoundingClientRect();
      const pane = document.querySelector(".pane")?.getBoundingClientRect();
      const canvas = document.querySelector(".canvas")?.getBoundingClientRect();
      if (!box || !pane || !canvas) return "nothing is chosen";
      const x = box.x + box.width / 2,
        y = box.y + box.height / 2;
      const under = x > pane.left && x < pane.right && box.bottom > pane.top && box.top < pane.bottom;
      if (under) return "under the evidence";
      if (box.top < 0 || box.bottom > innerHeight) return "out of the window";
      if (x < canvas.left || x > canvas.right || y < canvas.top || y > canvas.bottom) return "out of the canvas";
      const top = document.elementFromPoint(x, y);
      return top?.closest(".top, .pane, .react-flow__minimap") ? "covered" : "";
    });
  await expect.poll(seen).toBe("");
}

/** The size of the smallest text in the drawing, as it is seen. */
const smallest = (page: Page) =>
  page.evaluate(() => {
    const moved = document.querySelector(".react-flow__viewport");
    const scale = moved ? new DOMMatrix(getComputedStyle(moved).transform).a : 0;
    const texts = [...document.querySelectorAll(".canvas button, .canvas button *, .canvas .frame span")];
    return scale * Math.min(...texts.map((e) => Number.parseFloat(getComputedStyle(e).fontSize)));
  });

for (const [width, height] of [
  [1440, 900],
  [1024, 768],
  [800, 700],
  [360, 800],
] as const) {
  test(`a route of 30 steps among 300 things can be read at ${width} px`, async ({ page }) => {
    const said = complaints(page);
    await page.setViewportSize({ width, height });
    await given(page, longRoute(30, 300));
    await page.goto("/path?cluster=prod&id=p");
    await expect(page.locator(".thing")).toHaveCount(6);
    await page.getByRole("button", { name: "Step 17: show the evidence" }).click();
    await expect(page.locator(".thing")).toHaveCount(31);
    await chosenInSight(page);
    for (const key of ["ArrowRight", "ArrowRight", "End", "ArrowLeft"]) {
      await page.locator(".canvas [aria-pressed=true]").press(key);
      await chosenInSight(page);
    }
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Draw all routes" }).click();
    await expect(page.locator(".thing")).toHaveCount(300);
    await page.getByRole("button", { name: "Pod thing-1", exact: true }).click();
    await chosenInSight(page);
    await page.locator(".canvas [aria-pressed=true]").press("ArrowRight");
    await chosenInSight(page);
    expect(await smallest(page)).toBeGreaterThanOrEqual(11);
    await page.screenshot({ path: `screenshots/path-long-${width}.png` });
    expect(said).toEqual([]);
  });

  test(`the evidence never covers what is chosen at ${width} px`, async ({ page }) => {
    await page.setViewportSize({ width, height });
    const { items } = await (await page.request.get("/api/v1/paths?limit=3")).json();
    for (const { cluster, id } of items) {
      await page.goto(`/path?cluster=${cluster}&id=${id}`);
      const buttons = page.locator(".canvas [aria-pressed]");
      await expect(buttons.first()).toBeVisible();
      for (const each of await buttons.all()) {
        await each.press("Enter");
        await chosenInSight(page);
      }
      for (const each of await page.locator(".story button").all()) {
        await each.click();
        await chosenInSight(page);
      }
      expect(await smallest(page)).toBeGreaterThanOrEqual(11);
    }
  });
}

test("a path of 300 things is folded, and unfolds in place", async ({ page }) => {
  const said = complaints(page);
  await given(page, manyServices(99));
  await page.goto("/path?cluster=prod&id=p");
  await expect(page.locator(".thing")).toHaveCount(6);
  await page.screenshot({ path: "screenshots/path-300-folded.png" });
  await page.getByRole("button", { name: /^Unfold 99 of Service/ }).click();
  await expect(page.locator(".thing")).toHaveCount(104);
  await page.getByRole("button", { name: /^Unfold 99 of Pod/ }).press("Enter");
  await page.getByRole("button", { name: /^Unfold 99 of Container/ }).press("Enter");
  await expect(page.locator(".thing")).toHaveCount(300);
  await expect(page.getByRole("img", { name: /^Overview/ })).toBeVisible();
  await page.screenshot({ path: "screenshots/path-300.png" });
  await page.getByRole("button", { name: /^Service service-7:/ }).focus();
  await page.keyboard.press("Enter");
  await expect(
    page.getByRole("complementary", { name: "Evidence" }).getByRole("heading", { name: /service-7$/ }),
  ).toBeVisible();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: /^Fold what belongs with service-7$/ }).press("Enter");
  await expect(page.locator(".thing")).toHaveCount(202);
  expect(said).toEqual([]);
});
