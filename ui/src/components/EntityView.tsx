import { Link } from "react-router";
import type { Schemas } from "../api/client";
import { count, plural } from "../lib/format";
import { alertPage, assumed, imageList, pathList, pathPage, question, thingPage } from "../lib/links";
import { sentence } from "../lib/text";
import { Section } from "./Page";
import { PathTable } from "./PathTable";
import { Prose } from "./Prose";
import { Ref } from "./Ref";
import { Severity } from "./Severity";
import { useVocabulary } from "./Vocabulary";

type Entity = Schemas["Entity"];

/** A thing: what it is, why it matters, what it is joined to. Narrow, it stands in a pane. */
export function EntityView({ thing, narrow = false }: { thing: Entity; narrow?: boolean }) {
  const assume = assumed(thing.ref, useVocabulary()?.kinds[thing.ref.kind]?.family);
  const place = [thing.ref.cluster, thing.ref.namespace].filter(Boolean).join(" · ");
  return (
    <>
      <p className="counts">
        {place && (
          <>
            {place}
            <br />
          </>
        )}
        <small>{thing.kindSentence}</small>
      </p>
      {thing.ref.kind === "Cluster" && (
        <p>
          <Link to={pathList({ cluster: thing.ref.name })}>Its attack paths</Link> ·{" "}
          <Link to={imageList({ cluster: thing.ref.name })}>Its images</Link>
        </p>
      )}
      {assume && (
        <p>
          <Link to={pathList({ assume, cluster: thing.ref.cluster })}>Assume breach</Link>{" "}
          <small>what an attacker who is in here already can reach, and what stops it</small>
        </p>
      )}
      {thing.insights.length > 0 && (
        <ul className="insights">
          {thing.insights.map((i) => (
            <li key={i.name}>
              <b>{i.label}.</b> <Prose text={sentence(i.evidence || i.sentence)} />
            </li>
          ))}
        </ul>
      )}
      <Alerts thing={thing} />
      <Images thing={thing} />
      {narrow && <Paths thing={thing} narrow />}
      <div className="beside">
        <Relations thing={thing} />
        <Section title="Properties">
          <dl>
            {thing.properties.map((p) => (
              <div key={p.name}>
                <dt title={p.sentence}>{p.label}</dt>
                <dd>
                  <Value of={p.value} />
                </dd>
              </div>
            ))}
          </dl>
        </Section>
      </div>
      {!narrow && <Paths thing={thing} />}
    </>
  );
}

/** Open alerts that name it, or a pod or container of it. */
function Alerts({ thing }: { thing: Entity }) {
  if (thing.alerts.length === 0) return null;
  return (
    <Section title={`Open alerts (${count(thing.alertsTotal)})`} aside={<Link to="/alerts">All alerts</Link>}>
      <ul className="plain">
        {thing.alerts.map((a) => (
          <li key={a.id}>
            <Severity level={a.severity} /> <Link to={alertPage(a)}>{a.title}</Link>{" "}
            <small>
              {a.actor} · {a.about}
            </small>
          </li>
        ))}
      </ul>
    </Section>
  );
}

const mostImages = 12;

/** What its containers run; what was never read is unknown, not clean. */
function Images({ thing }: { thing: Entity }) {
  if (thing.images.length === 0 || thing.ref.kind === "Image") return null;
  return (
    <Section title={`Images (${count(thing.images.length)})`}>
      <ul className="plain">
        {thing.images.slice(0, mostImages).map((i) => (
          <li key={i.id}>
            <Severity level={i.severity} /> <Link to={thingPage("Image", i.id)}>{i.name}</Link>{" "}
            <small>
              {i.vulnerabilities === null || i.vulnerabilities === undefined
                ? `${i.state}: what is in it is unknown`
                : i.partly && i.vulnerabilities === 0
                  ? "none known in what was read of it"
                  : plural(i.vulnerabilities, "vulnerability", "vulnerabilities")}
            </small>
          </li>
        ))}
      </ul>
      {thing.images.length > mostImages && <p>and {count(thing.images.length - mostImages)} more</p>}
    </Section>
  );
}

function Paths({ thing, narrow = false }: { thing: Entity; narrow?: boolean }) {
  if (thing.paths.length === 0) return null;
  return (
    <Section
      title={`Attack paths (${count(thing.pathsTotal)})`}
      aside={
        thing.pathsTotal > thing.paths.length && (
          <Link
            to={
              thing.ref.kind === "Cluster" ? pathList({ cluster: thing.ref.name }) : pathList({ entity: thing.ref.id })
            }
          >
            All of them
          </Link>
        )
      }
    >
      {narrow ? (
        <ul className="plain">
          {thing.paths.map((p) => (
            <li key={p.id}>
              <Severity level={p.risk} /> <Link to={pathPage(p)}>{p.title}</Link>
            </li>
          ))}
        </ul>
      ) : (
        <PathTable rows={thing.paths} />
      )}
    </Section>
  );
}

function Relations({ thing }: { thing: Entity }) {
  if (thing.relations.length === 0)
    return (
      <Section title="Relations">
        <p>It is joined to nothing that was seen.</p>
      </Section>
    );
  return (
    <Section title="Relations">
      {thing.relations.map((r) => (
        <div key={`${r.edge} ${r.dir} ${r.label}`} className="relation">
          <h3>
            {r.label}{" "}
            <Link to={question(r.query)} aria-label={`All ${plural(r.count, "thing")} it ${r.label}`}>
              {count(r.count)}
            </Link>
          </h3>
          <ul className="plain">
            {r.items.map((i, at) => (
              <li key={at}>
                <Ref
                  to={i.ref}
                  where={i.ref.namespace !== thing.ref.namespace || i.ref.cluster !== thing.ref.cluster}
                />{" "}
                <Edge of={i.properties} />
              </li>
            ))}
          </ul>
          {r.count > r.items.length && <Link to={question(r.query)}>All {count(r.count)}</Link>}
        </div>
      ))}
    </Section>
  );
}

/** What an edge says of itself, such as the binding that gives a permission. */
function Edge({ of }: { of: Record<string, unknown> }) {
  const said = Object.entries(of)
    .filter(([, v]) => v !== null && v !== "" && v !== false && typeof v !== "object")
    .map(([k, v]) => `${k} ${String(v)}`);
  return said.length ? <small>{said.join(" · ")}</small> : null;
}

function Value({ of }: { of: unknown }) {
  if (of === null || of === undefined) return <span className="unknown">unknown</span>;
  if (Array.isArray(of)) return <>{of.map(String).join(", ") || "none"}</>;
  return <>{typeof of === "boolean" ? (of ? "yes" : "no") : String(of)}</>;
}
