import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  build: { assetsInlineLimit: 0, chunkSizeWarningLimit: 2000 },
  server: { proxy: { "/api": process.env.BREAKWATER ?? "http://127.0.0.1:8080" } },
  test: { environment: "jsdom", setupFiles: "src/test/setup.ts", testTimeout: 20_000 },
});
