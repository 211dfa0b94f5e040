import { complaints, expect, test } from "./person";

test("the hunt: images with a CVE that contains 3889, and the pods running them, in eight clicks", async ({
  page,
  clicks,
  context,
}) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const said = complaints(page);
  await page.goto("/explorer");
  await page.getByRole("button", { name: "Container images", exact: true }).click();
  await page.getByRole("button", { name: "Add to Container images" }).click();
  await page.getByRole("option", { name: /^has vulnerability/ }).click();
  await page.getByRole("option", { name: /^(CVE id|Id)/ }).click();
  await page.keyboard.type("3889");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Add to Container images" }).click();
  await page.getByRole("option", { name: /pods running them/ }).click();
  const results = page.getByRole("table").first();
  await expect(results).toContainText("CVE-2022-3889");
  await expect(results).toContainText("shop/receipts");
  await expect(results.getByRole("link", { name: /^receipts-/ }).first()).toBeVisible();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: /share/i }).click();
  expect(clicks.count).toBeLessThanOrEqual(8);
  await page.screenshot({ path: "screenshots/hunt.png" });

  // The link is the question: everyone who opens it sees the same.
  const shared = page.url();
  const other = await context.newPage();
  await other.goto(shared);
  await expect(other.getByRole("table").first()).toContainText("CVE-2022-3889");
  expect(said).toEqual([]);
});

test("the number people remember finds OpenSSL by its real ids, and nothing invented", async ({ page }) => {
  for (const [number, image] of [
    ["3602", "shop/web"],
    ["3786", "shop/web"],
  ] as const) {
    const text = `MATCH (i:Image)\nMATCH (i)-[:HAS_VULNERABILITY]->(v:Vulnerability)\nWHERE v.id CONTAINS '${number}'\nRETURN i, v`;
    await page.goto(`/explorer?q=${encodeURIComponent(text)}`);
    await expect(page.getByRole("table").first()).toContainText(`CVE-2022-${number}`);
    await expect(page.getByRole("table").first()).toContainText(image);
  }
});
