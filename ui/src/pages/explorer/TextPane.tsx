import { Button, Textarea } from "@mantine/core";
import { useState } from "react";
import type { Schemas } from "../../api/client";

/** The question as text. Ctrl+Enter asks it; problems name their place. */
export function TextPane({ text, problems, commit }: { text: string; problems: Schemas["QueryProblem"][]; commit: (text: string) => void }) {
  const [typed, setTyped] = useState(text);
  return (
    <div className="textpane">
      <Textarea aria-label="The question as text" autosize minRows={3} maxRows={16} spellCheck={false} classNames={{ input: "code" }} value={typed}
        onChange={(e) => setTyped(e.currentTarget.value)}
        onKeyDown={(e) => { if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) commit(typed); }} />
      {typed !== text && <Button size="xs" onClick={() => commit(typed)}>Ask (Ctrl+Enter)</Button>}
      {problems.map((p, i) => (
        <p key={i} role="alert" className="problem">
          {p.line ? `Line ${p.line}, column ${p.col ?? 1}: ` : ""}{p.message}{p.suggestion ? ` Did you mean ${p.suggestion}?` : ""}
        </p>
      ))}
    </div>
  );
}
