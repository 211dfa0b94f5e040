import { accessible, complaints, expect, test } from "./person";

test("the alert names the person, the workload and the folder, and is decided upon", async ({ page }) => {
  const said = complaints(page);
  await page.goto("/alerts?rule=sensitive-host-folder");
  await expect(page.getByRole("table").first()).toContainText("alice");
  await accessible(page);
  await page.screenshot({ path: "screenshots/alerts.png" });
  await page.getByRole("table").first().getByRole("link").first().click();
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByText("disk-reader").first()).toBeVisible();
  await expect(page.getByText("/etc").first()).toBeVisible();
  await accessible(page);
  await page.screenshot({ path: "screenshots/alert.png", fullPage: true });
  await page.getByRole("button", { name: "Dismiss …" }).click();
  await page.getByRole("textbox", { name: "Why it is dismissed" }).fill("a drill");
  await page.getByRole("button", { name: "Dismiss", exact: true }).click();
  await expect(page.getByText("dismissed", { exact: true }).first()).toBeVisible();
  await expect(page.getByText("a drill").first()).toBeVisible();
  expect(said).toEqual([]);
});
