import { execFileSync } from "node:child_process";
import { expect, record, test } from "./person";

const kubectl = (input: string, ...args: string[]) =>
  execFileSync(process.env.KUBECTL ?? "kubectl", [`--kubeconfig=${process.env.KUBECONFIG_ADMIN}`, ...args], {
    input,
    encoding: "utf8",
  });

test("a pod made with kubectl appears in the open page", async ({ page }) => {
  const text = "MATCH (p:Pod)\nWHERE p.name STARTS WITH 'made-by-hand'\nRETURN p";
  await page.goto(`/explorer?q=${encodeURIComponent(text)}`);
  await expect(page.getByText(/^0 /).first()).toBeVisible();
  const began = Date.now();
  kubectl("", "run", "made-by-hand", "--image=registry.harbor-shop.example/shop/web:1.4.2", "-n", "shop");
  await expect(page.getByRole("link", { name: "made-by-hand" }).first()).toBeVisible();
  record("pod appears", Date.now() - began);
  kubectl("", "delete", "pod", "made-by-hand", "-n", "shop", "--force");
  await expect(page.getByRole("link", { name: "made-by-hand" })).toHaveCount(0);
});

test("a removed ingress resolves the path in the open page", async ({ page }) => {
  const { items } = await (
    await page.request.get("/api/v1/paths?type=exposed-vulnerable-pod&namespace=loyalty")
  ).json();
  const path =
    items[0] ?? (await (await page.request.get("/api/v1/paths?type=exposed-vulnerable-pod")).json()).items.at(-1);
  await page.goto(`/path?cluster=${path.cluster}&id=${path.id}`);
  await expect(page.getByText("active", { exact: true }).first()).toBeVisible();
  const ingresses = kubectl("", "get", "ingress", "-n", path.namespace, "-o", "yaml");
  const began = Date.now();
  kubectl("", "delete", "ingress", "--all", "-n", path.namespace);
  await expect(page.getByText("resolved", { exact: true }).first()).toBeVisible();
  record("path resolved", Date.now() - began);
  await page.screenshot({ path: "screenshots/resolved.png" });
  kubectl(ingresses, "apply", "-f", "-");
});
