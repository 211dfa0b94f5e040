import { accessible, complaints, expect, test } from "./person";

const host = process.env.REGISTRY ?? "";

test("a registry is tried, connected and read, and its updates appear in a page that is open", async ({
  page,
  context,
}) => {
  const said = complaints(page);
  const watching = await context.newPage();
  await watching.goto("/recommendations?about=registry");
  await expect(watching.getByRole("heading", { name: "Recommendations" })).toBeVisible();
  await expect(watching.getByText(/^0 of 0/).first()).toBeVisible();

  await page.goto("/registries");
  await page.getByRole("link", { name: "Connect a registry" }).first().click();
  await page.getByRole("textbox", { name: "Registry", exact: true }).fill("registry.invalid");
  await page.getByRole("button", { name: "Check what may be read" }).click();
  await expect(page.getByText("Not everything may be read")).toBeVisible();
  await expect(page.getByText("Nothing of the registry is seen").first()).toBeVisible();
  await accessible(page);
  await page.screenshot({ path: "screenshots/registry-refused.png" });
  await page.getByRole("textbox", { name: "Registry", exact: true }).fill(host);
  await page.getByRole("checkbox", { name: "It speaks plain HTTP" }).check();
  await page.getByRole("button", { name: "Check what may be read" }).click();
  await expect(page.getByText("Everything that was tried may be read")).toBeVisible();
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: host })).toBeVisible();
  await expect(page.getByText(/^20 of 21 images read/).first()).toBeVisible(); // the other has no packages
  await expect(page.getByRole("table").first()).toContainText("done");
  await accessible(page);
  await page.screenshot({ path: "screenshots/registry.png" });

  const updates = watching.getByRole("table").first();
  await expect(updates).toContainText("Update openssl", { timeout: 60_000 });
  await accessible(watching);
  await watching.screenshot({ path: "screenshots/recommendations.png" });
  await updates
    .getByRole("link", { name: /Update openssl .*Ubuntu/ })
    .first()
    .click();
  await expect(watching.getByRole("heading", { level: 1 })).toContainText("Update openssl");
  // The image that three pods run under its other registry's name is the same by its digest.
  await expect(
    watching.getByRole("table").first().getByRole("row").filter({ hasText: "web:1.4.2" }).getByRole("cell").last(),
  ).toHaveText("3");
  await accessible(watching);
  expect(said).toEqual([]);
});
