import { expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { weaknesses } from "./weaknesses";

const found = (id: string, name: string, image = "i"): Schemas["PathVulnerability"] => ({
  id,
  package: name,
  installed: "1",
  image,
  severity: "High",
  kev: false,
  rce: false,
});

it("a vulnerability of two packages is one, and in two images each package is told once", () => {
  const rows = weaknesses([
    found("CVE-1", "apache2"),
    found("CVE-1", "apache2-bin"),
    found("CVE-1", "apache2", "other"),
    found("CVE-2", "apache2"),
  ]);
  expect(rows.map((r) => [r.id, r.packages.map((p) => p.package)])).toEqual([
    ["CVE-1", ["apache2", "apache2-bin"]],
    ["CVE-2", ["apache2"]],
  ]);
});
