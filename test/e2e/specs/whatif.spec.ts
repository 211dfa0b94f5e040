import { complaints, expect, test } from "./person";

test("a fix is tried beside its path: what would be gone is struck through, what would be lost is said", async ({
  page,
}) => {
  const said = complaints(page);
  const { items } = await (await page.request.get("/api/v1/paths?type=node-takeover")).json();
  const [{ cluster, id }] = items;
  const { path } = await (await page.request.get(`/api/v1/path?cluster=${cluster}&id=${id}`)).json();
  const fix = path.fixes.find((f: { effect: string; advice?: boolean }) => f.effect === "breaks" && !f.advice);
  await page.goto(`/path?cluster=${cluster}&id=${id}`);
  const heading = page.getByRole("heading", { level: 1 });
  await expect(heading.locator("s")).toHaveCount(0);

  await page
    .getByRole("checkbox", { name: `What if: ${fix.title}` })
    .first()
    .check();
  const answer = page.getByRole("status", { name: "What if" });
  await expect(answer).toContainText("This path would be gone.");
  await expect(answer).toContainText(/attack paths? would be gone, \d+ would stay/);
  await expect(answer).toContainText(/would be lost|Would work no longer/);
  await expect(page).toHaveURL(/whatif=/);
  await expect(answer.getByText(/^Gone \(\d+\)$/)).toBeVisible();
  await answer.getByText(/^Gone \(\d+\)$/).click();
  await expect(answer.locator("s").first()).toBeVisible();

  await page.reload();
  await expect(answer).toContainText("This path would be gone.");
  await page
    .getByRole("checkbox", { name: `What if: ${fix.title}` })
    .first()
    .uncheck();
  await expect(answer).toHaveCount(0);
  await expect(page.locator("s")).toHaveCount(0);
  expect(said).toEqual([]);
});

for (const width of [390, 1440]) {
  test(`the fewest fixes end every path of the list, and none is cut off at ${width} px`, async ({ page }) => {
    const said = complaints(page);
    await page.setViewportSize({ width, height: 900 });
    await page.goto("/paths");
    await page.getByRole("link", { name: "Fewest fixes" }).click();
    const cut = page.locator("section").filter({ has: page.getByRole("heading", { name: "Fewest fixes" }) });
    const counts = cut.getByRole("status").first();
    await expect(counts).toContainText(/\d+ fixes for \d+ attack paths; no fewer than \d+ could do/);
    await expect(counts).toContainText("none stays");

    const boxes = cut.getByRole("checkbox");
    for (const box of await boxes.all()) await box.check();
    const answer = page.getByRole("status", { name: "What if" });
    await expect(answer).toContainText(/\d+ attack paths would be gone, 0 would stay/);
    await expect(page.getByRole("table").locator("s").first()).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);

    await page.getByRole("link", { name: "Close the fewest fixes" }).click();
    await expect(cut).toHaveCount(0);
    await expect(page.getByRole("table").locator("s")).toHaveCount(0);
    expect(said).toEqual([]);
  });
}
