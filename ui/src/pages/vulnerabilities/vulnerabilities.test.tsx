import { screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { get } from "../../test/server";
import { show } from "../../test/show";
import { VulnerabilitiesPage } from "./VulnerabilitiesPage";
import { VulnerabilityPage } from "./VulnerabilityPage";

const list = (unscanned: number, partly: number, unassessedNodes = 0, partlyNodes = 0) => ({
  items: [],
  total: 0,
  unscanned,
  partly,
  unassessedNodes,
  partlyNodes,
  asOf: null,
});

it.each([
  [[1, 0], "1 image was never scanned: there may be more. Which, and why."],
  [[0, 2], "2 images were read in part: there may be more. Which, and why."],
  [[2, 1], "2 images were never scanned, 1 image was read in part: there may be more. Which, and why."],
  [[0, 0, 1, 0], "1 node was never held against advisories: there may be more. Which, and why."],
  [[1, 0, 0, 3], "1 image was never scanned, 3 nodes are known in part: there may be more. Which, and why."],
] as const)("what is not known of images and nodes is said: %j", async (of, want) => {
  get("/status", { images: { done: 3 } });
  get("/vulnerabilities", list(...(of as [number, number])));
  show(<VulnerabilitiesPage />, "/vulnerabilities");
  expect((await screen.findByText(/there may be more/)).textContent).toBe(want);
  expect(screen.getByText("None known that fits this filter, in what was read of images and nodes.")).toBeTruthy();
});

it("where all was read, nothing more is said", async () => {
  get("/status", { images: { done: 3 } });
  get("/vulnerabilities", list(0, 0));
  show(<VulnerabilitiesPage />, "/vulnerabilities");
  await screen.findByText("No vulnerability matches");
  expect(screen.queryByText(/there may be more/)).toBeNull();
});

const row = {
  id: "CVE-1",
  title: "A kubelet may be stopped",
  severity: "High",
  images: 0,
  running: 0,
  pods: 0,
  exposed: 0,
  nodes: 1,
  paths: 0,
  kev: false,
  rce: false,
  impact: "denial of service",
  fixable: true,
  packages: ["k8s.io/kubernetes"],
};

it("a vulnerability that only nodes have is told of nodes, and of no image", async () => {
  get("/vulnerability", {
    row,
    aliases: [],
    advisories: [],
    cwes: [],
    references: [],
    severitySource: "x",
    rceWhy: "x",
    impactWhy: "",
    summary: row.title,
    details: "",
    findings: [],
    pods: [],
    paths: [],
    onNodes: [
      {
        node: { kind: "Node", id: "c/Node/n1", name: "n1", cluster: "c" },
        part: "kubelet",
        package: "k8s.io/kubernetes",
        installed: "1.30.0",
        fixed: "1.30.1",
        severity: "High",
      },
    ],
  });
  show(<VulnerabilityPage />, "/vulnerability?id=CVE-1");
  expect(await screen.findByText("Nodes that run what has it (1)")).toBeTruthy();
  expect(screen.getByText("n1")).toBeTruthy();
  expect(screen.getByText("1.30.1")).toBeTruthy();
  expect(screen.queryByText(/Found in/)).toBeNull();
  expect(screen.queryByText(/No update fixes it yet/)).toBeNull();
});
