import dns from "node:dns";
import { defineConfig } from "@playwright/test";

// The Go test beside this file starts clusters, registry and server and then
// runs these; BREAKWATER_URL and BREAKWATER_LINK come from there. THROTTLE=6 is
// a processor six times slower.

// Browsers find names of localhost by themselves; Node.js, which asks for page.request, asks the system.
const lookup = dns.promises.lookup as (host: string, options: dns.LookupOptions) => Promise<unknown>;
Object.assign(dns.promises, {
  lookup: (host: string, options: dns.LookupOptions) =>
    lookup(host.endsWith(".localhost") ? "127.0.0.1" : host, options),
});
const slow = Number(process.env.THROTTLE ?? 1);

export default defineConfig({
  testDir: "./specs",
  outputDir: "./test-results",
  workers: 1, // two cores are shared with an API server
  timeout: 120_000 * slow,
  expect: { timeout: 60_000 * slow }, // waits are generous; latency is recorded, not tested
  reporter: [["list"]],
  use: {
    baseURL: process.env.BREAKWATER_URL,
    viewport: { width: 1440, height: 900 },
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox"],
    },
  },
});
