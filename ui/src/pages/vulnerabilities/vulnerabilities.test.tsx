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

const answer = {
  asked: "CVE-1",
  id: "CVE-1",
  aliases: [],
  verdict: "affected",
  sentence: "Found in 0 images and on 1 node.",
  known: true,
  title: "x",
  severity: "High",
  severitySource: "x",
  cvss: null,
  epss: null,
  kev: false,
  rce: false,
  impact: "bypass",
  images: 0,
  accepted: 0,
  running: 0,
  pods: 0,
  exposed: 0,
  exposureUnknown: 0,
  nodes: 1,
  registries: [],
  paths: [],
  inUse: null,
  inUseWhy: "Nobody looks.",
  where: [],
  fixes: [],
  notAffected: [],
  gaps: [],
  lookedAt: {
    clusters: 1,
    images: 3,
    complete: 3,
    partly: 0,
    unread: 0,
    nodes: 1,
    nodesComplete: 1,
    nodesPartly: 0,
    nodesUnread: 0,
    missing: [],
  },
};

const page = {
  row: { ...row, nodes: 0 },
  answer,
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
  findingsTotal: 0,
  paths: [],
  onNodes: [],
};

it("what nobody has is answered of what was read, with what was not", async () => {
  const missing = [{ why: "no advisories were imported for what is inside", images: 2 }];
  get("/vulnerability", {
    ...page,
    answer: {
      ...answer,
      verdict: "not found",
      sentence: "Not found in 1 image.",
      nodes: 0,
      lookedAt: { ...answer.lookedAt, complete: 1, unread: 2, missing },
    },
  });
  show(<VulnerabilityPage />, "/vulnerability?id=CVE-1");
  const verdict = await screen.findByText("Not found in 1 image.", { exact: false });
  expect(verdict.textContent).toBe("Not found. Not found in 1 image.");
  expect(screen.getByRole("note").textContent).toContain("2 of 3 images could not be read");
  expect(screen.getByRole("note").textContent).toContain("No advisories were imported for what is inside. 2 images");
  expect(screen.queryByText(/Where it runs/)).toBeNull();
});

it("where it runs, what fixes it and what does not count is told", async () => {
  get("/schema", { kinds: [], edges: [], severities: ["Low", "High"], risks: [] });
  get("/vulnerability", {
    ...page,
    answer: {
      ...answer,
      images: 2,
      where: [
        {
          cluster: "c",
          namespace: "shop",
          workload: "Deployment/web",
          id: "c/shop/Deployment/web",
          pods: 3,
          exposed: 1,
          exposureUnknown: 1,
          paths: 2,
          images: ["a:1", "b:1", "d:1"],
          accepted: false,
        },
      ],
      fixes: [
        {
          package: "openssl",
          packages: ["libssl3"],
          ecosystem: "Debian:12",
          installed: "3.0.2",
          fixed: "3.0.7",
          target: "3.0.15",
          recommendation: "images/Debian:12/openssl",
          severity: "High",
          status: "end-of-life",
          images: 2,
          pods: 3,
          accepted: 1,
        },
      ],
      notAffected: [
        { package: "mod", installed: "1", reason: "nothing of it is in the program", images: 1, examples: [] },
      ],
    },
  });
  show(<VulnerabilityPage />, "/vulnerability?id=CVE-1");
  const where = await screen.findByRole("region", { name: "Workloads" });
  expect(where.textContent).toContain("1, 1 unknown");
  expect(screen.getByRole("link", { name: "2" }).getAttribute("href")).toBe(
    "/paths?entity=c%2Fshop%2FDeployment%2Fweb&vulnerability=CVE-1",
  );
  expect(screen.getByRole("link", { name: "3.0.15" }).getAttribute("href")).toContain("/recommendation?id=images");
  const fixes = screen.getByRole("region", { name: "Fixes" });
  for (const text of ["3.0.7", "end-of-life", "1 accepted", "as libssl3"]) expect(fixes.textContent).toContain(text);
  expect(screen.getByRole("region", { name: "Not affected" }).textContent).toContain(
    "Nothing of it is in the program.",
  );
});

it("a vulnerability that only nodes have is told of nodes, and of no image", async () => {
  get("/vulnerability", {
    ...page,
    row,
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
  expect(screen.queryByRole("region", { name: "Findings" })).toBeNull();
  expect(screen.queryByText(/Where it runs/)).toBeNull();
});
