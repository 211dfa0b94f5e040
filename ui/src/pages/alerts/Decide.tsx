import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Schemas } from "../../api/client";
import { useWork, type Key } from "./useWork";

const asks = {
  dismissed: { field: "Why it is dismissed", prompt: "Why is it dismissed?", act: "Dismiss" },
  resolved: { field: "Why it is resolved", prompt: "Why is it resolved?", act: "Resolve" },
  assignee: { field: "Who works on it", prompt: "Who works on it?", act: "Give" },
} as const;

/** What a person does with one alert, or with several that were chosen. What ends them wants a reason. */
export function Decide({
  alerts,
  you,
  done,
}: {
  alerts: (Key & Pick<Schemas["AlertRow"], "status" | "assignee">)[];
  you: string;
  done?: () => void;
}) {
  const { change, busy, said } = useWork(alerts, done);
  const [asking, setAsking] = useState<keyof typeof asks>();
  const [words, setWords] = useState("");
  const ask = (what: keyof typeof asks) => {
    setWords("");
    setAsking(what);
  };
  const is = (...statuses: Schemas["AlertStatus"][]) => alerts.some((a) => statuses.includes(a.status));
  const open = is("new", "in progress");
  if (asking) {
    return (
      <form
        className="aside"
        onKeyDown={(e) => e.key === "Escape" && setAsking(undefined)}
        onSubmit={(e) => {
          e.preventDefault();
          change(asking === "assignee" ? { assignee: words } : { status: asking, reason: words }, () =>
            setAsking(undefined),
          );
        }}
      >
        <TextInput
          size="xs"
          aria-label={asks[asking].field}
          placeholder={asks[asking].prompt}
          required={asking !== "assignee"}
          autoFocus
          value={words}
          onChange={(e) => setWords(e.currentTarget.value)}
        />
        <Button size="xs" type="submit" loading={busy}>
          {asks[asking].act}
        </Button>
        <Button size="xs" variant="default" onClick={() => setAsking(undefined)}>
          Cancel
        </Button>
        {said && <span role="alert">{said}</span>}
      </form>
    );
  }
  const mine = alerts.every((a) => a.assignee === you && a.status !== "new");
  return (
    <>
      {open && !mine && (
        <Button
          size="xs"
          variant="default"
          loading={busy}
          onClick={() => change({ status: "in progress", assignee: you })}
        >
          Take it
        </Button>
      )}
      <Button size="xs" variant="default" onClick={() => ask("assignee")}>
        Give to …
      </Button>
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
        <Button size="xs" variant="default" loading={busy} onClick={() => change({ status: "new" })}>
          Open again
        </Button>
      )}
      {said && <span role="alert">{said}</span>}
    </>
  );
}
