import "./severity.css";
import { useVocabulary } from "./Vocabulary";

/** A severity: a word and a colour by its place from the top of the server's order. */
export function Severity({ level }: { level: string | null | undefined }) {
  const schema = useVocabulary();
  const is = (l: string) => l.toLowerCase() === level?.toLowerCase();
  const scale = [schema?.severities, schema?.risks].find((s) => s?.some(is));
  const place = scale ? Math.min(scale.length - 1 - scale.findIndex(is), 4) : "none";
  return (
    <span className="severity" data-step={level ? place : "unknown"}>
      {level || "unknown"}
    </span>
  );
}

/** Where a level stands in the server's order, to sort by. */
export function rank(scale: readonly string[] | undefined, level: string | null | undefined): number | undefined {
  const at = scale?.findIndex((l) => l.toLowerCase() === level?.toLowerCase()) ?? -1;
  return at < 0 ? undefined : at;
}
