import { Button, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Schemas } from "../../api/client";

const ends = {
  dismissed: { done: "dismissed", act: "Dismiss" },
  resolved: { done: "resolved", act: "Resolve" },
} as const;

/** What a person decides about an alert. What ends it wants a reason. */
export function Decide({ alert }: { alert: Schemas["AlertRow"] }) {
  const queries = useQueryClient();
  const put = api.useMutation("put", "/alert", {
    onSuccess: () => void queries.invalidateQueries({ predicate: (q) => String(q.queryKey[1]).startsWith("/alert") }),
  });
  const [end, setEnd] = useState<keyof typeof ends>();
  const [reason, setReason] = useState("");
  const decide = (status: Schemas["AlertStatus"], why?: string) =>
    put.mutate(
      { params: { query: { cluster: alert.cluster, id: alert.id } }, body: { status, reason: why } },
      { onSuccess: () => setEnd(undefined) },
    );
  const ask = (to: keyof typeof ends) => {
    setReason("");
    setEnd(to);
  };
  const open = alert.status === "new" || alert.status === "in progress";
  if (end) {
    return (
      <form
        className="aside"
        onSubmit={(e) => {
          e.preventDefault();
          decide(end, reason);
        }}
      >
        <TextInput
          size="xs"
          aria-label={`Why it is ${ends[end].done}`}
          placeholder={`Why is it ${ends[end].done}?`}
          required
          value={reason}
          onChange={(e) => setReason(e.currentTarget.value)}
          data-autofocus
        />
        <Button size="xs" type="submit" loading={put.isPending}>
          {ends[end].act}
        </Button>
        <Button size="xs" variant="default" onClick={() => setEnd(undefined)}>
          Cancel
        </Button>
        {put.error && <span role="alert">{put.error.detail}</span>}
      </form>
    );
  }
  return (
    <>
      {alert.status === "new" && (
        <Button size="xs" variant="default" onClick={() => decide("in progress")}>
          Take it
        </Button>
      )}
      {open && (
        <Button size="xs" variant="default" onClick={() => ask("resolved")}>
          Resolve …
        </Button>
      )}
      {open && (
        <Button size="xs" variant="default" onClick={() => ask("dismissed")}>
          Dismiss …
        </Button>
      )}
      {!open && (
        <Button size="xs" variant="default" onClick={() => decide("new")}>
          Open again
        </Button>
      )}
      {put.error && <span role="alert">{put.error.detail}</span>}
    </>
  );
}
