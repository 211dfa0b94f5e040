import { complaints, expect, test } from "./person";

const title = "Internet exposed Kubernetes pod is running a container with high severity vulnerabilities";

test("the path: from the internet to the container, its evidence, its vulnerabilities, its fixes", async ({ page }) => {
  const said = complaints(page);
  await page.goto("/paths");
  await page.getByRole("link", { name: title, exact: true }).first().click();
  await expect(page.getByRole("heading", { name: title, level: 1 })).toBeVisible();
  const drawing = page.getByRole("region", { name: /attack path/i }).or(page.locator(".react-flow")).first();
  for (const word of ["Internet", "Ingress", "Service", "Pod", "Container", "routes to", "can be exploited in", "cluster harbor-prod", "namespace shop"]) {
    await expect(drawing.getByText(word, { exact: false }).first()).toBeVisible();
  }
  await expect(page.getByText(/Resolve the vulnerabilities of image/).first()).toBeVisible();
  await expect(page.getByText(/Narrow the exposure/).first()).toBeVisible();
  await page.screenshot({ path: "screenshots/path.png", fullPage: true });
  await page.getByRole("link", { name: /vulnerability page/i }).first().click();
  await expect(page).toHaveURL(/\/vulnerabilities\?.*path=/);
  await expect(page.getByRole("table").first()).toContainText("CVE-");
  await page.getByRole("table").first().getByRole("link", { name: /^CVE-/ }).first().click();
  await expect(page.getByRole("heading", { name: /^CVE-/ })).toBeVisible();
  expect(said).toEqual([]);
});
