import { accessible, complaints, expect, test } from "./person";

const node = process.env.SENSOR_NODE ?? "";

test("an alert of the sensor names process, ancestry, container, pod, image and node", async ({ page }) => {
  const said = complaints(page);
  await page.goto("/alerts");
  const alerts = page.getByRole("table").first();
  for (const title of [
    "A program ran in a privileged container",
    "A privileged container was started on the node",
    "A server program started a shell",
  ])
    await expect(alerts).toContainText(title);
  await accessible(page);
  await alerts.getByRole("link", { name: "A program ran in a privileged container" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("privileged container");
  await expect(page.getByText("/bin/sh").first()).toBeVisible();
  await expect(page.getByText(/Ancestry: sh ←/).first()).toBeVisible();
  for (const name of ["storage-tool", "registry.harbor-shop.example/shop/web:1.4.2", node])
    await expect(page.getByText(name).first()).toBeVisible();
  await expect(page.getByRole("link", { name: "storage-tool" }).first()).toBeVisible();
  await accessible(page);
  await page.screenshot({ path: "screenshots/runtime-alert.png", fullPage: true });
  expect(said).toEqual([]);
});

test("a sensor that ends is silent in the open page", async ({ page }) => {
  const said = complaints(page);
  await page.goto("/sensors");
  const row = page.getByRole("table").first().getByRole("row").filter({ hasText: node });
  await expect(row).toContainText("seeing");
  await accessible(page);
  await page.screenshot({ path: "screenshots/sensors.png" });
  process.kill(Number(process.env.SENSOR_PID), "SIGTERM");
  await expect(row).toContainText("silent", { timeout: 30_000 });
  await expect(page.getByText("Nodes whose sensor is silent").first()).toBeVisible();
  expect(said).toEqual([]);
});
