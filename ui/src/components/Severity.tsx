import "./severity.css";
import { useVocabulary } from "./Vocabulary";

/** A severity: a word and a colour by its place from the top of the server's order. */
export function Severity({ level }: { level: string | null | undefined }) {
  const schema = useVocabulary();
  if (!level)
    return (
      <span className="severity" data-step="unknown">
        unknown
      </span>
    );
  const is = (l: string) => l.toLowerCase() === level.toLowerCase();
  const scale = [schema?.severities, schema?.risks].find((s) => s?.some(is));
  if (!scale)
    return (
      <span className="severity" data-step="none">
        {level}
      </span>
    );
  return (
    <span className="severity" data-step={Math.min(scale.length - 1 - scale.findIndex(is), 4)}>
      {level}
    </span>
  );
}

/** Where a level stands in the server's order, to sort by. */
export function rank(scale: readonly string[] | undefined, level: string | null | undefined): number | undefined {
  const at = scale?.findIndex((l) => l.toLowerCase() === level?.toLowerCase()) ?? -1;
  return at < 0 ? undefined : at;
}
