import react from "@vitejs/plugin-react";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const behind = process.env.BREAKWATER ?? "http://127.0.0.1:8080";

/** Writes which packages of npm are in the portal: the notice of licences and the bill of materials are made of it. */
const packages = new Set<string>();
const bundled = {
  name: "bundled",
  transform(_: string, id: string) {
    const [, folder] = /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id) ?? [];
    if (folder) packages.add(folder);
  },
  generateBundle(this: { emitFile: (file: { type: "asset"; fileName: string; source: string }) => void }) {
    const list = [...packages].map((folder) => {
      const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as Record<string, string>;
      return { name, version };
    });
    list.sort((a, b) => `${a.name}@${a.version}`.localeCompare(`${b.name}@${b.version}`, "en"));
    this.emitFile({ type: "asset", fileName: ".packages.json", source: JSON.stringify(list, null, 1) });
  },
};

export default defineConfig({
  // Elements are made by src/visible, so that no text reaches a page as strangers wrote it.
  plugins: [react({ jsxImportSource: "visible" }), bundled],
  resolve: { alias: { visible: fileURLToPath(new URL("src/visible", import.meta.url)) } },
  build: { assetsInlineLimit: 0, chunkSizeWarningLimit: 2000 },
  // The server refuses questions from elsewhere, and sign-in by a browser under 127.0.0.1: serve --host 127.0.0.1.
  server: { proxy: { "/api": { target: behind, changeOrigin: true, headers: { origin: behind } } } },
  test: { environment: "jsdom", setupFiles: "src/test/setup.ts", testTimeout: 20_000 },
});
