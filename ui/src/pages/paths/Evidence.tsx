import { Link } from "react-router";
import type { Schemas } from "../../api/client";
import { Icon } from "../../components/Icon";
import { Section } from "../../components/Page";
import { Pane } from "../../components/Pane";
import { Prose } from "../../components/Prose";
import { Severity } from "../../components/Severity";
import { kindLabel, useVocabulary } from "../../components/Vocabulary";
import { fold } from "../../graph/fold";
import type { Drawing, DrawnEdge, DrawnNode } from "../../graph/model";
import { count, kindAndId, nameOf, plural, short } from "../../lib/format";
import { thingPage, vulnerabilityList } from "../../lib/links";
import { sentence } from "../../lib/text";
import { weaknesses } from "./weaknesses";

/** What proves the chosen step, or what the chosen thing is. Folded or not, it is found. */
export function Evidence({
  chosen,
  drawing,
  path,
  focus,
  close,
}: {
  chosen: string;
  drawing: Drawing;
  path: Schemas["Path"];
  focus?: string;
  close: () => void;
}) {
  const folded = fold(drawing, new Set());
  const all = fold(drawing, new Set([...drawing.nodes, ...folded.nodes].flatMap((n) => (n.fold ? [n.fold] : []))));
  const of = [drawing, folded, all];
  const edge = of.flatMap((d) => d.edges).find((e) => e.id === chosen);
  const node = of.flatMap((d) => d.nodes).find((n) => n.id === chosen);
  if (edge)
    return (
      <Pane
        label="Evidence"
        close={close}
        focus={focus}
        title={edge.number ? `Step ${edge.number}: ${edge.label}` : edge.label}
      >
        <Proof key={chosen} edge={edge} />
      </Pane>
    );
  if (node)
    return (
      <Pane
        label="Evidence"
        close={close}
        focus={focus}
        title={
          <>
            <Icon kind={node.thing.kind} /> {node.between ? "" : node.kind} {short(node.thing.name)}
          </>
        }
      >
        <Known node={node} path={path} />
      </Pane>
    );
  return null;
}

function Thing({ text }: { text: string }) {
  const schema = useVocabulary();
  const { kind, id } = kindAndId(text);
  return (
    <span className="ref">
      <Icon kind={kind} />
      <Link to={thingPage(kind, id)} title={id}>
        {nameOf(id)}
      </Link>{" "}
      <small>{kindLabel(schema, kind)}</small>
    </span>
  );
}

const most = 12;

/** The rule, the objects and fields it rests on, and what could not be seen. */
function Proof({ edge }: { edge: DrawnEdge }) {
  return (
    <>
      {edge.steps.slice(0, most).map((step) => (
        <div key={`${step.from} ${step.to}`}>
          <p>
            <small>
              {step.derived ? "Follows by a rule" : "A fact that was read"}
              {step.attack?.length ? ` · MITRE ATT&CK ${step.attack.join(", ")}` : ""}
            </small>
          </p>
          {step.ruleTitle && (
            <p>
              <b>{step.ruleTitle}.</b>
            </p>
          )}
          {step.why && (
            <p>
              <Prose text={step.why} />
            </p>
          )}
          {step.uncertain && (
            <p role="note" className="partial">
              <b>Uncertain.</b> <Prose text={sentence(step.uncertain)} />
            </p>
          )}
          <Section title="Because">
            <ol className="because">
              {step.evidence.map((e, i) => (
                <li key={i}>
                  <Prose text={sentence(e.text)} />
                  <ul className="plain">
                    {e.nodes?.map((n) => (
                      <li key={n}>
                        <Thing text={n} />
                      </li>
                    ))}
                  </ul>
                </li>
              ))}
            </ol>
          </Section>
        </div>
      ))}
      {edge.steps.length > most && <p>{plural(edge.steps.length - most, "more step")} of the same kind.</p>}
    </>
  );
}

/** A thing: its insights, its image with the vulnerabilities that open the path, and what it stands for. */
function Known({ node: { thing, notes, between }, path }: { node: DrawnNode; path: Schemas["Path"] }) {
  if (between)
    return (
      <ol className="because">
        {between.map((n) => (
          <li key={n.id}>
            <Thing text={`${n.thing.kind} ${n.thing.members?.[0] ?? n.thing.id}`} />
          </li>
        ))}
      </ol>
    );
  const members = thing.members?.length ? thing.members : [thing.id];
  return (
    <>
      <p className="counts">{[thing.cluster, thing.namespace, thing.workload].filter(Boolean).join(" · ")}</p>
      {notes.length > 0 && (
        <ul className="insights">
          {notes.map((n) => (
            <li key={n.text}>
              <b>{sentence(n.text)}</b> {n.why}
            </li>
          ))}
        </ul>
      )}
      {(thing.images ?? []).map((image) => (
        <Image key={image.id} image={image} path={path} />
      ))}
      <Section title={thing.count > 1 ? `Stands for ${count(thing.count)}` : "Its page"}>
        <ul className="plain">
          {members.slice(0, 50).map((m) => (
            <li key={m}>
              <Thing text={`${thing.kind} ${m}`} />
            </li>
          ))}
        </ul>
        {members.length > 50 && <small>and {count(members.length - 50)} more</small>}
      </Section>
    </>
  );
}

function Image({ image, path }: { image: Schemas["PathImage"]; path: Schemas["Path"] }) {
  const found = weaknesses(path.vulnerabilities.filter((v) => v.image === image.id));
  return (
    <Section title="Image">
      <p>
        <Icon kind="Image" /> <Link to={thingPage("Image", image.id)}>{image.name}</Link>
      </p>
      {!image.scanned && <p className="partial">It was never scanned: what is in it is unknown.</p>}
      {found.length > 0 && (
        <>
          <ul className="plain choice">
            {found.map((v) => (
              <li key={v.id}>
                <Severity level={v.severity} />
                <span>
                  <Link to={thingPage("Vulnerability", v.id)} title={v.title}>
                    {v.id}
                  </Link>{" "}
                  {v.kev && <small>exploited</small>}
                  {v.packages.map((p) => (
                    <div key={`${p.package} ${p.installed}`}>
                      <small>
                        {p.package} {p.installed}
                        {p.fixed ? `, fixed in ${p.fixed}` : ", no fix yet"}
                      </small>
                    </div>
                  ))}
                </span>
              </li>
            ))}
          </ul>
          <p>
            <Link to={vulnerabilityList({ cluster: path.cluster, path: path.id })}>
              Open the vulnerability page for {found.length === 1 ? "it" : `these ${count(found.length)}`}
            </Link>
          </p>
        </>
      )}
    </Section>
  );
}
