import { createContext, useContext } from "react";

/** Severities and risks as the server orders them, lowest first. */
export const Scale = createContext<readonly string[][]>([]);

/** A severity: a word and a colour by its place from the top of the server's order. */
export function Severity({ level }: { level: string | null | undefined }) {
  const scales = useContext(Scale);
  if (level === null || level === undefined || level === "") return <span className="severity" data-step="unknown">unknown</span>;
  const scale = scales.find((s) => s.some((l) => l.toLowerCase() === level.toLowerCase())) ?? [];
  const step = scale.length - 1 - scale.findIndex((l) => l.toLowerCase() === level.toLowerCase());
  return <span className="severity" data-step={Math.min(step, 4)}>{level}</span>;
}
