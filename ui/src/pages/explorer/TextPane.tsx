import { Button, Textarea } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useRef, useState } from "react";
import { api, type Schemas } from "../../api/client";
import { sentence } from "../../lib/text";

type Problem = Schemas["QueryProblem"];

/** The question as text, checked while it is written. Ctrl+Enter asks it; a problem leads to its place. */
export function TextPane({
  text,
  problems,
  commit,
}: {
  text: string;
  problems: Problem[];
  commit: (text: string) => void;
}) {
  const [draft, setDraft] = useState<{ base: string; typed: string }>();
  const typed = draft?.base === text ? draft.typed : text; // what the builder changed since wins
  const [settled] = useDebouncedValue(typed, 250);
  const checked = api.useQuery(
    "post",
    "/query/check",
    { body: { text: settled } },
    { enabled: settled !== text && settled.trim() !== "", placeholderData: (old) => old },
  );
  const said = typed === text ? problems : (checked.data?.problems ?? []);
  const box = useRef<HTMLTextAreaElement>(null);
  const write = (to: string) => setDraft({ base: text, typed: to });
  const show = (p: Problem) => {
    const { from, to } = wrong(typed, p);
    box.current?.focus();
    box.current?.setSelectionRange(from, to);
  };
  return (
    <div className="textpane">
      <Textarea
        ref={box}
        aria-label="The question as text"
        autosize
        minRows={3}
        maxRows={16}
        spellCheck={false}
        classNames={{ input: "code" }}
        value={typed}
        aria-invalid={said.length > 0 || undefined}
        onChange={(e) => write(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) commit(typed);
        }}
      />
      <div role="alert">
        {said.map((p, i) => (
          <Said key={i} problem={p} text={typed} show={() => show(p)} write={write} />
        ))}
      </div>
      {typed !== text && (
        <div className="chips">
          <Button size="xs" onClick={() => commit(typed)}>
            Ask (Ctrl+Enter)
          </Button>
          <Button size="xs" variant="default" onClick={() => setDraft(undefined)}>
            Undo
          </Button>
        </div>
      )}
    </div>
  );
}

function Said({
  problem,
  text,
  show,
  write,
}: {
  problem: Problem;
  text: string;
  show: () => void;
  write: (text: string) => void;
}) {
  const better = /^did you mean (.+)\?$/.exec(problem.suggestion ?? "")?.[1];
  const { from, to, line } = wrong(text, problem);
  return (
    <div className="problem">
      <p>
        {sentence(problem.message)} {problem.suggestion && !better && sentence(problem.suggestion)}
      </p>
      {problem.line !== undefined && (
        <button
          type="button"
          className="place code"
          aria-label={`Go to line ${problem.line}, column ${problem.col ?? 1}`}
          onClick={show}
        >
          {line.before}
          <mark>{line.wrong || " "}</mark>
          {line.after}
        </button>
      )}
      {better && (
        <Button
          size="compact-xs"
          variant="default"
          onClick={() => write(text.slice(0, from) + better + text.slice(to))}
        >
          Did you mean {better}?
        </Button>
      )}
    </div>
  );
}

/** The word at a problem's place. */
export function wrong(
  text: string,
  p: Pick<Problem, "line" | "col">,
): { from: number; to: number; line: { before: string; wrong: string; after: string } } {
  const all = text.split("\n"),
    at = (p.line ?? 1) - 1,
    row = all[at] ?? "";
  const before = [...row].slice(0, (p.col ?? 1) - 1).join("");
  const word = /^[\p{L}\p{N}_]+|^[^\s]/u.exec(row.slice(before.length))?.[0] ?? "";
  const from = all.slice(0, at).reduce((n, l) => n + l.length + 1, 0) + before.length;
  return { from, to: from + word.length, line: { before, wrong: word, after: row.slice(before.length + word.length) } };
}
