import { expect, test as base, type Page } from "@playwright/test";
import AxeBuilder from "@axe-core/playwright";
import { readFileSync, writeFileSync, existsSync } from "node:fs";

const link = process.env.BREAKWATER_LINK ?? "";
const state = process.env.BREAKWATER_STATE ?? "/tmp/breakwater-e2e-state.json";

/** THROTTLE=6 makes the browser's processor six times slower: what works only on a fast machine fails. */
async function throttle(page: Page) {
  const rate = Number(process.env.THROTTLE ?? 1);
  if (rate > 1) await (await page.context().newCDPSession(page)).send("Emulation.setCPUThrottlingRate", { rate });
}

/** The sign-in link works once: the first test signs in, the others go on with its session. */
export const test = base.extend<{ clicks: { count: number } }>({
  storageState: async ({ browser }, use) => {
    if (!existsSync(state)) {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(link);
      await expect(page.getByRole("heading", { name: "Home" })).toBeVisible();
      await context.storageState({ path: state });
      await context.close();
    }
    await use(JSON.parse(readFileSync(state, "utf8")));
  },
  context: async ({ context }, use) => {
    const open = context.newPage.bind(context);
    context.newPage = async () => {
      const page = await open();
      await throttle(page);
      return page;
    };
    await use(context);
  },
  /** Counts what a person clicks. */
  clicks: async ({ page }, use) => {
    const clicks = { count: 0 };
    await page.exposeFunction("countClick", () => {
      clicks.count++;
    });
    await page.addInitScript(() =>
      addEventListener(
        "click",
        (e) => {
          if (e.isTrusted) (window as unknown as { countClick: () => void }).countClick();
        },
        true,
      ),
    );
    await use(clicks);
  },
});

/** What the browser complained of: a page that works has nothing to say. */
export function complaints(page: Page): string[] {
  const out: string[] = [];
  page.on("console", (m) => {
    if (m.type() === "error") out.push(m.text());
  });
  page.on("pageerror", (e) => out.push(String(e)));
  page.on("request", (r) => {
    if (new URL(r.url()).origin !== new URL(link).origin && !r.url().startsWith("data:")) out.push(`asked ${r.url()}`);
  });
  return out;
}

export async function accessible(page: Page) {
  const found = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]).analyze();
  expect(
    found.violations.map(
      (v) =>
        `${v.id}: ${v.nodes
          .map((n) => n.target.join(" "))
          .slice(0, 3)
          .join("; ")}`,
    ),
  ).toEqual([]);
}

export function record(name: string, ms: number) {
  const file = process.env.BREAKWATER_LATENCY;
  if (file) writeFileSync(file, `${name}\t${Math.round(ms)}\n`, { flag: "a" });
}

export { expect };
