import { Button, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Schemas } from "../../api/client";

/** What a person decides about an alert. Dismissing wants a reason. */
export function Decide({ alert }: { alert: Schemas["AlertRow"] }) {
  const queries = useQueryClient();
  const put = api.useMutation("put", "/alert", {
    onSuccess: () => void queries.invalidateQueries({ predicate: (q) => String(q.queryKey[1]).startsWith("/alert") }),
  });
  const [reason, setReason] = useState<string>();
  const decide = (status: Schemas["AlertStatus"], why?: string) =>
    put.mutate(
      { params: { query: { cluster: alert.cluster, id: alert.id } }, body: { status, reason: why } },
      { onSuccess: () => setReason(undefined) },
    );
  const open = alert.status === "new" || alert.status === "in progress";
  if (reason !== undefined) {
    return (
      <form
        className="aside"
        onSubmit={(e) => {
          e.preventDefault();
          decide("dismissed", reason);
        }}
      >
        <TextInput
          size="xs"
          aria-label="Why it is dismissed"
          placeholder="Why is it dismissed?"
          required
          value={reason}
          onChange={(e) => setReason(e.currentTarget.value)}
          data-autofocus
        />
        <Button size="xs" type="submit" loading={put.isPending}>
          Dismiss
        </Button>
        <Button size="xs" variant="default" onClick={() => setReason(undefined)}>
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
        <Button size="xs" variant="default" onClick={() => decide("resolved")}>
          Resolve
        </Button>
      )}
      {open && (
        <Button size="xs" variant="default" onClick={() => setReason("")}>
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
