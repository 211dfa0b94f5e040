import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const behind = process.env.BREAKWATER ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  build: { assetsInlineLimit: 0, chunkSizeWarningLimit: 2000 },
  // The server refuses questions from elsewhere.
  server: { proxy: { "/api": { target: behind, changeOrigin: true, headers: { origin: behind } } } },
  test: { environment: "jsdom", setupFiles: "src/test/setup.ts", testTimeout: 20_000 },
});
