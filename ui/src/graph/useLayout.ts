import ELK from "elkjs/lib/elk-api";
import workerUrl from "elkjs/lib/elk-worker.min.js?url";
import { useQuery } from "@tanstack/react-query";
import { boxes, elkGraph } from "./layout";
import type { Drawing } from "./model";

let engine: InstanceType<typeof ELK> | undefined;

/** Places for a drawing, computed in a worker; the same drawing keeps its places. */
export function useLayout(drawing: Drawing) {
  const shape = JSON.stringify([drawing.frames, drawing.nodes.map((n) => [n.id, n.frame]), drawing.edges.map((e) => [e.id, e.label])]);
  return useQuery({
    queryKey: ["layout", shape], staleTime: Infinity, placeholderData: (old) => old,
    queryFn: async () => {
      engine ??= new ELK({ workerUrl });
      return boxes(await engine.layout(elkGraph(drawing)));
    },
  });
}
