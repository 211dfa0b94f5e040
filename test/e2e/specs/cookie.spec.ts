import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "./person";

/** Another program of the machine: it keeps what browsers send it. */
async function neighbour(): Promise<{ port: number; asked: IncomingMessage[]; close: () => void }> {
  const asked: IncomingMessage[] = [];
  const answers = createServer((request, response) => {
    asked.push(request);
    response.setHeader("Content-Type", "text/html").end("<h1>neighbour</h1><img src=/picture>");
  });
  await new Promise<void>((done) => answers.listen(0, "127.0.0.1", done));
  return { port: (answers.address() as AddressInfo).port, asked, close: () => answers.close() };
}

test("the session is shown to no other port of the machine", async ({ page }) => {
  const other = await neighbour();
  try {
    await page.goto("/");
    await expect(page.getByRole("heading", { name: "Home" })).toBeVisible();
    expect((await page.context().cookies()).map((c) => c.domain)).toEqual([new URL(page.url()).hostname]);
    for (const host of ["127.0.0.1", "localhost", "other.localhost"]) {
      await page.goto(`http://${host}:${other.port}/`);
      await expect(page.getByRole("heading", { name: "neighbour" })).toBeVisible();
    }
    expect(other.asked.length).toBeGreaterThanOrEqual(6);
    expect(other.asked.filter((r) => r.headers.cookie)).toEqual([]);
  } finally {
    other.close();
  }
});

test("under 127.0.0.1 the portal says how to sign in, and signs nobody in", async ({ page }) => {
  await page.goto(`http://127.0.0.1:${new URL(process.env.BREAKWATER_URL ?? "").port}/paths`);
  await expect(page.getByText("breakwater sign-in").first()).toBeVisible();
  await page.getByLabel("Sign-in link").fill("http://127.0.0.1/sign-in#guessed");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toContainText("every program that listens on this machine");
});
