import "./alert.css";
import type { Schemas } from "../../api/client";
import { Section } from "../../components/Page";
import { count, moment, plural } from "../../lib/format";
import { lineages, type Program } from "./lineage";

const most = 3;

/** Who started the program, who started that, and where the container begins. Alerts of other sources have none. */
export function Lineage({ events }: { events: Schemas["AlertPage"]["events"] }) {
  const all = lineages(events);
  if (all.length === 0) return null;
  return (
    <Section
      title="How it was started"
      aside={
        all.length > most && (
          <small>
            {most} of {count(all.length)} ways; the others are among the events
          </small>
        )
      }
    >
      {all.slice(0, most).map(({ programs, times, first }, i) => (
        <div key={i}>
          {(all.length > 1 || first) && (
            <p className="counts">
              {plural(times, "event")}
              {first && (
                <>
                  {times > 1 ? ", the first" : ","} at <time dateTime={first}>{moment(first)}</time>
                </>
              )}
            </p>
          )}
          <ol className="lineage">
            {programs.map((p, n) => (
              <Step
                key={n}
                of={p}
                depth={n}
                last={n === programs.length - 1}
                enters={p.container !== programs[n - 1]?.container}
              />
            ))}
          </ol>
        </div>
      ))}
    </Section>
  );
}

function Step({ of: p, depth, last, enters }: { of: Program; depth: number; last: boolean; enters: boolean }) {
  return (
    <li style={{ paddingLeft: `${Math.min(depth, 12) * 12}px` }}>
      {enters && <small className="enters">{place(p.container)}</small>}
      <div>
        {depth > 0 && <span aria-hidden>└ </span>}
        {last ? <b>{p.name || "unknown"}</b> : p.name || <span className="unknown">unknown</span>}{" "}
        <small>
          {p.path && p.path !== p.line && `${p.path} · `}pid {p.pid} · uid {p.uid}
        </small>
      </div>
      {p.line && (
        <div>
          <code>
            {p.line}
            {p.cut && " …"}
          </code>
        </div>
      )}
    </li>
  );
}

function place(container: string): string {
  if (container === "") return "on the node itself";
  return container === "unknown"
    ? "in a container or not: unknown"
    : `in container ${container.length === 64 ? container.slice(0, 12) : container}`;
}
