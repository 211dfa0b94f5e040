import { Button, Textarea } from "@mantine/core";
import { useState } from "react";
import type { Schemas } from "../../api/client";
import { moment } from "../../lib/format";
import { useWork, type Key } from "./useWork";

/** What people did with an alert, and a place to say more. */
export function Notes({ of, alert }: { of: Schemas["AlertNote"][]; alert: Key }) {
  const [words, setWords] = useState("");
  const { change, busy, said } = useWork([alert], () => setWords(""));
  return (
    <>
      {of.length > 0 && (
        <ol className="notes">
          {of.map((n, i) => (
            <li key={i}>
              <b>{n.person}</b> <Done note={n} />{" "}
              <small>
                <time dateTime={n.at}>{moment(n.at)}</time>
              </small>
            </li>
          ))}
        </ol>
      )}
      <form
        className="say"
        onSubmit={(e) => {
          e.preventDefault();
          change({ comment: words });
        }}
      >
        <Textarea
          size="xs"
          aria-label="Comment"
          placeholder="What there is to say"
          autosize
          minRows={2}
          maxLength={4000}
          required
          value={words}
          onChange={(e) => setWords(e.currentTarget.value)}
          onKeyDown={(e) => {
            if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) e.currentTarget.form?.requestSubmit();
          }}
        />
        <Button size="xs" variant="default" type="submit" loading={busy}>
          Comment
        </Button>
        {said && <span role="alert">{said}</span>}
      </form>
    </>
  );
}

function Done({ note }: { note: Schemas["AlertNote"] }) {
  if (note.what === "comment") return <span className="said">{note.words}</span>;
  if (note.what === "assignee")
    return <span>{note.words ? `gave it to ${note.words}` : "took it from who worked on it"}</span>;
  return (
    <span>
      set it to {note.what}
      {note.words && `: ${note.words}`}
    </span>
  );
}
