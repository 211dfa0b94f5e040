import { screen } from "@testing-library/react";
import { expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { get } from "../../test/server";
import { show } from "../../test/show";
import { Kinds } from "./Kinds";

const kind = (name: string, plural: string, group: string): Schemas["KindInfo"] => ({
  name,
  label: name,
  plural,
  group,
  sentence: "",
  menu: { insights: [], properties: [], connections: [] },
});

it("the inventory opens what was read of each kind, counted over the clusters", async () => {
  get("/status", { clusters: [{ counts: { Pod: 2, Node: 1, Image: 3 } }, { counts: { Pod: 5 } }] });
  const kinds = {
    Pod: kind("Pod", "Pods", "Kubernetes"),
    Node: kind("Node", "Nodes", "Kubernetes"),
    Role: kind("Role", "Roles", "Identity"),
    Image: kind("Image", "Container images", "Images"),
  };
  show(<Kinds />, "/images", { kinds, groups: [], edges: {}, severities: [], risks: [], pathTypes: [], ops: {} });
  expect((await screen.findAllByRole("link")).map((l) => l.textContent)).toEqual(["7 pods", "1 node"]);
  expect(screen.getByRole("link", { name: "7 pods" }).getAttribute("href")).toBe(
    `/explorer?${new URLSearchParams({ q: "MATCH (x:Pod)\nRETURN x" })}`,
  );
});
