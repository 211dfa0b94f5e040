import { complaints, expect, test } from "./person";
import { manyServices } from "../../../ui/src/graph/paths.fixture";

const title = "Internet exposed Kubernetes pod is running a container with high severity vulnerabilities";

test("the path: from the internet to the container, its evidence, its vulnerabilities, its fixes", async ({ page }) => {
  const said = complaints(page);
  await page.goto("/paths");
  await page.getByRole("link", { name: title, exact: true }).first().click();
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
  await page.goto(`/path?cluster=${items[0].cluster}&id=${items[0].id}`);
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

  await page.getByRole("button", { name: /^Container/ }).click();
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
  await page.getByRole("link", { name: title, exact: true }).first().click();
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

test("a path of 300 things is folded, and unfolds in place", async ({ page }) => {
  const said = complaints(page);
  const body = {
    path: manyServices(99),
    status: "active",
    staleReason: "",
    firstSeen: "2026-01-01T00:00:00Z",
    lastSeen: "2026-01-01T00:00:00Z",
    history: [],
  };
  await page.route("**/api/v1/path?*", (r) => r.fulfill({ json: body }));
  await page.goto("/path?cluster=prod&id=p");
  await expect(page.locator(".thing")).toHaveCount(6);
  await page.screenshot({ path: "screenshots/path-300-folded.png" });
  await page.getByRole("button", { name: /^Unfold 99 of Service/ }).click();
  await expect(page.locator(".thing")).toHaveCount(104);
  await page.getByRole("button", { name: /^Unfold 99 of Pod/ }).press("Enter");
  await page.getByRole("button", { name: /^Unfold 99 of Container/ }).press("Enter");
  await expect(page.locator(".thing")).toHaveCount(300);
  await page.getByRole("button", { name: "Whole" }).click();
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
