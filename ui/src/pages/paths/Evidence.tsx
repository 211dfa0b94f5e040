import { Button } from "@mantine/core";
import { Link } from "react-router";
import type { Drawing } from "../../graph/model";
import { kindAndId, short } from "../../lib/format";
import { thingPage } from "../../lib/links";

function Thing({ text }: { text: string }) {
  const { kind, id } = kindAndId(text);
  return <Link to={thingPage(kind, id)}>{kind} {short(id)}</Link>;
}

/** What proves the chosen step, or what the chosen thing is. */
export function Evidence({ chosen, drawing, close }: { chosen: string; drawing: Drawing; close: () => void }) {
  const edge = drawing.edges.find((e) => e.id === chosen);
  const thing = drawing.nodes.find((n) => n.id === chosen)?.thing;
  return (
    <aside className="pane" aria-label="Evidence">
      <Button size="compact-xs" variant="default" onClick={close}>Close (Esc)</Button>
      {edge && (
        <>
          <h2>{edge.step.ruleTitle ?? edge.label}</h2>
          {edge.step.why && <p>{edge.step.why}</p>}
          <ul>{edge.step.evidence.map((e, i) => <li key={i}>{e.text}{e.nodes?.map((n) => <div key={n}><Thing text={n} /></div>)}</li>)}</ul>
          {edge.step.uncertain && <p role="note" className="partial">Uncertain: {edge.step.uncertain}</p>}
          {edge.step.attack?.length ? <p><small>MITRE ATT&CK {edge.step.attack.join(", ")}</small></p> : null}
        </>
      )}
      {thing && (
        <>
          <h2>{thing.kind} {thing.name}</h2>
          {(thing.insights ?? []).map((i) => <p key={i}>{i}</p>)}
          <ul className="plain">
            {(thing.images ?? []).map((i) => <li key={i.id}><Thing text={`Image ${i.id}`} /> <small>{i.name}</small></li>)}
            {(thing.members?.length ? thing.members : [thing.id]).map((m) => <li key={m}><Link to={thingPage(thing.kind, m)}>{m}</Link></li>)}
          </ul>
        </>
      )}
    </aside>
  );
}
