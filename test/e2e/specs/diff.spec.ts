import { accessible, complaints, expect, test } from "./person";

for (const [width, theme] of [
  [1440, "light"],
  [360, "dark"],
] as const) {
  test(`two clusters are compared by keyboard, from the list of paths, at ${width} px in the ${theme}`, async ({
    page,
  }) => {
    const said = complaints(page);
    const { clusters } = await (await page.request.get("/api/v1/status")).json();
    const [one, other] = clusters.map((c: { name: string }) => c.name);
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: theme });
    await page.addInitScript((t) => localStorage.setItem("mantine-color-scheme-value", t), theme);
    await page.goto("/paths");
    await page.getByRole("link", { name: "Compare clusters" }).focus();
    await page.keyboard.press("Enter");
    await expect(page.getByRole("heading", { level: 1, name: "Compare clusters" })).toBeVisible();
    await expect(page.getByText("Choose two clusters")).toBeVisible();
    await accessible(page);

    for (const [label, name] of [
      ["Before", one],
      ["After", other],
    ]) {
      await page.getByRole("combobox", { name: label }).focus();
      await page.keyboard.type(name);
      await expect(page.getByRole("combobox", { name: label })).toHaveValue(name);
    }
    const difference = page.getByRole("status", { name: "Difference" });
    await expect(difference).toContainText(
      new RegExp(`Were ${one} as ${other} is: \\d+ attack paths? would open, \\d+ would be gone, \\d+ would stay`),
    );
    const numbers = async () => ((await difference.textContent()) ?? "").match(/\d+ (attack|would)/g);
    const before = await numbers();
    const gone = page.getByRole("region", { name: "Would be gone" });
    await gone.getByRole("link").first().focus();
    await accessible(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(width);

    await page.getByRole("button", { name: "Swap" }).focus();
    await page.keyboard.press("Enter");
    await expect(difference).toContainText(`Were ${other} as ${one} is:`);
    await expect(page).toHaveURL(new RegExp(`base=${other}&head=${one}`));
    const after = await numbers();
    expect([after?.[0], after?.[1]?.split(" ")[0]].map((n) => Number.parseInt(n ?? ""))).toEqual(
      [before?.[1], before?.[0]].map((n) => Number.parseInt(n ?? "")),
    );

    // A path that would open is one of the other cluster: its title leads there.
    const opens = page.getByRole("region", { name: "Would open" }).getByRole("row").nth(1).getByRole("link").first();
    await opens.focus();
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(new RegExp(`/paths\\?cluster=${one}`));
    await expect(page.getByRole("table").getByRole("row").nth(1)).toBeVisible();
    expect(said).toEqual([]);
  });
}

test("clusters that cannot be compared are said to be so, and nothing is lost", async ({ page }) => {
  await page.goto("/diff?base=harbor-prod&head=nobody");
  await expect(page.getByRole("alert")).toContainText("head is the name of no cluster");
  await expect(page.getByRole("button", { name: "Try again" })).toBeVisible();
  await expect(page.getByRole("combobox", { name: "Before" })).toBeVisible();
});
