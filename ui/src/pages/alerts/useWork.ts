import { useQueryClient } from "@tanstack/react-query";
import { api, type Schemas } from "../../api/client";

export type Change = Schemas["AlertChange"];
export type Key = Schemas["AlertKey"];

/** Records what a person does with alerts; what is shown of them is asked for again. */
export function useWork(alerts: Key[], done?: () => void) {
  const queries = useQueryClient();
  const put = api.useMutation("put", "/alerts", {
    onSuccess: () => {
      void queries.invalidateQueries({ predicate: (q) => String(q.queryKey[1]).startsWith("/alert") });
      done?.();
    },
  });
  const change = (to: Change, then?: () => void) =>
    put.mutate(
      { body: { alerts: alerts.map(({ cluster, id }) => ({ cluster, id })), change: to } },
      { onSuccess: () => then?.() },
    );
  const missing = put.data?.missing.length ?? 0;
  const said = put.error?.detail ?? (missing > 0 ? `${missing} of them are not there any more` : undefined);
  return { change, busy: put.isPending, said };
}
