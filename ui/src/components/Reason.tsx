import { phrase, sentence, shortReason } from "../lib/text";
import { Prose } from "./Prose";

/** Why something is not known: the short reason, and the raw text folded if there is more of it. */
export function Reason({ why }: { why: string }) {
  const said = shortReason(why);
  const whole = said === phrase(why);
  return (
    <>
      <Prose text={sentence(said)} />
      {!whole && (
        <details className="raw">
          <summary>Raw text</summary>
          <code>{why}</code>
        </details>
      )}
    </>
  );
}
