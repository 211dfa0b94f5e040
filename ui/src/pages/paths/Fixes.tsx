import type { Schemas } from "../../api/client";
import { Section } from "../../components/Page";

const effects = { breaks: "Breaks the path", lowers: "Lowers the risk" } as const;

/** What to do, what ends the path first. */
export function Fixes({ fixes }: { fixes: Schemas["Fix"][] }) {
  return (
    <Section title="Fixes">
      {(["breaks", "lowers"] as const).map((effect) => {
        const of = fixes.filter((f) => f.effect === effect);
        return of.length > 0 && (
          <div key={effect}>
            <h3>{effects[effect]} ({of.length})</h3>
            <ul className="plain">{of.map((f) => <li key={f.id}><b>{f.title}</b><p>{f.text}</p></li>)}</ul>
          </div>
        );
      })}
    </Section>
  );
}
