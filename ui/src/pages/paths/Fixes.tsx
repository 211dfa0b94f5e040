import { Button, CopyButton } from "@mantine/core";
import { Link } from "react-router";
import type { Schemas } from "../../api/client";
import { Section } from "../../components/Page";
import { kindAndId, short } from "../../lib/format";
import { thingPage } from "../../lib/links";

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
            <ul className="plain">{of.map((f) => <Fix key={f.id} fix={f} />)}</ul>
          </div>
        );
      })}
    </Section>
  );
}

function Fix({ fix }: { fix: Schemas["Fix"] }) {
  return (
    <li>
      <b>{fix.title}</b>
      <p>{fix.text}</p>
      {fix.concerns.map((c) => { const { kind, id } = kindAndId(c); return <div key={c}><Link to={thingPage(kind, id)}>{kind} {short(id)}</Link></div>; })}
      <CopyButton value={`${fix.title}\n${fix.text}`}>{({ copied, copy }) => (
        <Button size="compact-xs" variant="default" onClick={copy} aria-label={`Copy fix: ${fix.title}`}>{copied ? "Copied" : "Copy"}</Button>
      )}</CopyButton>
    </li>
  );
}
