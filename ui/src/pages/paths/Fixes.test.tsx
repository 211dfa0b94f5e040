import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import { beforeEach, expect, it, vi } from "vitest";
import { Fixes } from "./Fixes";

beforeEach(() => { vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener() {}, removeEventListener() {} })); });

it("tells what breaks a path from what lowers its risk, and links what a fix is about", () => {
  render(<MantineProvider><MemoryRouter><Fixes fixes={[
    { id: "1", kind: "image", title: "Update it", text: "To 2.0", concerns: ["Image sha256:1"], effect: "breaks" },
    { id: "2", kind: "rule", title: "Run as a user", text: "Not as root", concerns: [], effect: "lowers" },
  ]} /></MemoryRouter></MantineProvider>);
  expect(screen.getAllByRole("heading", { level: 3 }).map((h) => h.textContent)).toEqual(["Breaks the path (1)", "Lowers the risk (1)"]);
  expect(screen.getByRole("link").getAttribute("href")).toBe("/image?id=sha256%3A1");
  expect(screen.getByRole("button", { name: "Copy fix: Update it" })).toBeTruthy();
});
