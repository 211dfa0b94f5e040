/** A program of a line of descent, as a sensor's record tells it. */
export interface Program {
  name: string;
  pid: number;
  uid: number;
  path: string;
  line: string;
  cut: boolean;
  /** The id of its container; empty: the node itself; "unknown". */
  container: string;
}

type Raw = Record<string, unknown>;

const object = (v: unknown): Raw | undefined =>
  typeof v === "object" && v !== null && !Array.isArray(v) ? (v as Raw) : undefined;
const text = (v: unknown): string => (typeof v === "string" ? v : "");
const number = (v: unknown): number => (typeof v === "number" ? v : 0);

function program(p: Raw, container: string): Program {
  const line = Array.isArray(p.arguments) ? p.arguments.map(String).join(" ") : "";
  return {
    name: text(p.name),
    pid: number(p.pid),
    uid: number(p.uid),
    path: text(p.path),
    line,
    cut: p.cut === true,
    container,
  };
}

/** The program that an event is about with its parents, the farthest first; undefined for an event of another shape. */
export function lineage(event: Raw): Program[] | undefined {
  const own = object(event.process);
  if (!own) return undefined;
  const parents = (Array.isArray(event.ancestors) ? (event.ancestors as unknown[]) : []).map((a) => object(a) ?? {});
  return [
    ...parents.map((a) => program(a, text(a.container))).reverse(),
    program(own, text(object(event.container)?.id)),
  ];
}

interface Line {
  programs: Program[];
  times: number;
  /** When the first of them was, by the node's clock; empty if not told. */ first: string;
}

/** The different lines of descent among events, in their order: who differs only by process numbers is one. */
export function lineages(events: Raw[]): Line[] {
  const out = new Map<string, Line>();
  for (const { programs, at } of events.flatMap((e) => {
    const l = lineage(e);
    return l ? [{ programs: l, at: text(e.time) }] : [];
  })) {
    const key = JSON.stringify(programs.map((p) => [p.name, p.path, p.line, p.uid, p.container]));
    const seen = out.get(key);
    if (seen) seen.times++;
    else out.set(key, { programs, times: 1, first: at });
  }
  return [...out.values()];
}
