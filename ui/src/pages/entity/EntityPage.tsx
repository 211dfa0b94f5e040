import { Link, useSearchParams } from "react-router";
import { api } from "../../api/client";
import { Page, Section } from "../../components/Page";
import { PathTable } from "../../components/PathTable";
import { Ref } from "../../components/Ref";
import { Answered } from "../../components/States";
import { count } from "../../lib/format";
import { question } from "../../lib/links";

function shown(value: unknown): string {
  if (value === null || value === undefined) return "unknown";
  if (Array.isArray(value)) return value.map(String).join(", ") || "none";
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
}

/** Any thing of the graph: what it is, why it matters, what it is joined to. */
export function EntityPage() {
  const [params] = useSearchParams();
  const asked = api.useQuery("get", "/entity", { params: { query: { kind: params.get("kind") ?? "", id: params.get("id") ?? "" } } });
  return (
    <Page title={asked.data ? `${asked.data.kindLabel} ${asked.data.ref.name}` : "A thing"}>
      <Answered asked={asked}>{(thing) => (
        <>
          <p className="counts">{[thing.ref.cluster, thing.ref.namespace].filter(Boolean).join(" · ")} <small>{thing.kindSentence}</small></p>
          {thing.insights.map((i) => <p key={i.name} className="insight"><b>{i.label}.</b> {i.evidence || i.sentence}</p>)}
          <div className="beside">
            <Section title="Relations">{thing.relations.map((r) => (
              <div key={`${r.edge}${r.dir}`}>
                <h3>{r.label} <Link to={question(r.query)}>{count(r.count)}</Link></h3>
                <ul className="plain">{r.items.map((i) => <li key={`${i.ref.kind} ${i.ref.id}`}>{i.ref.kind} <Ref to={i.ref} where={false} /></li>)}</ul>
              </div>
            ))}</Section>
            <Section title="Properties"><dl>{thing.properties.map((p) => <div key={p.name}><dt title={p.sentence}>{p.label}</dt><dd>{shown(p.value)}</dd></div>)}</dl></Section>
          </div>
          {thing.paths.length > 0 && <Section title={`Attack paths (${count(thing.pathsTotal)})`}><PathTable rows={thing.paths} /></Section>}
        </>
      )}</Answered>
    </Page>
  );
}
