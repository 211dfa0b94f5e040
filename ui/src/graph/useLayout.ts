import ELK from "elkjs/lib/elk-api";
import workerUrl from "elkjs/lib/elk-worker.min.js?url";
import { useQuery } from "@tanstack/react-query";
import { boxes, elkGraph, nodeSize, type Direction, type Places } from "./layout";
import type { Drawing } from "./model";

let engine: InstanceType<typeof ELK> | undefined;

/** Places for a drawing, computed in a worker; the same drawing keeps its places. */
export function useLayout(drawing: Drawing, direction: Direction, enabled = true) {
  const shape = JSON.stringify([
    drawing.frames,
    drawing.nodes.map((n) => [n.id, n.frame, nodeSize(n, direction).height]),
    drawing.edges.map((e) => e.id),
  ]);
  return useQuery({
    queryKey: ["layout", direction, shape],
    enabled,
    staleTime: Infinity,
    placeholderData: (old) => old,
    queryFn: async (): Promise<Places & { drawing: Drawing; direction: Direction }> => {
      engine ??= new ELK({ workerUrl });
      const placed = await engine.layout(elkGraph(drawing, direction));
      return { boxes: boxes(placed), width: placed.width ?? 0, height: placed.height ?? 0, drawing, direction };
    },
  });
}
