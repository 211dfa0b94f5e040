import { Link, useSearchParams } from "react-router";
import { api, type Schemas } from "../../api/client";
import { Page, Section } from "../../components/Page";
import { Prose } from "../../components/Prose";
import { Ref } from "../../components/Ref";
import { Severity } from "../../components/Severity";
import { Answered, LoadingThing, Partial } from "../../components/States";
import { moment, plural } from "../../lib/format";
import { pathPage } from "../../lib/links";
import { Decide } from "./Decide";

/** One alert: who did what, what the graph knows of it, and what to do. */
export function AlertPage() {
  const [params] = useSearchParams();
  const asked = api.useQuery("get", "/alert", { params: { query: { cluster: params.get("cluster") ?? "", id: params.get("id") ?? "" } } });
  return (
    <Page title={asked.data?.alert.title ?? "Alert"} aside={asked.data && <><Severity level={asked.data.alert.severity} /><Decide alert={asked.data.alert} /></>}>
      <Answered asked={asked} loading={<LoadingThing />}>{(a) => <Shown a={a} />}</Answered>
    </Page>
  );
}

function Shown({ a }: { a: Schemas["AlertPage"] }) {
  const { alert } = a;
  const unknown = [...new Set(a.entities.flatMap((e) => e.unknown))];
  return (
    <>
      <p className="counts" role="status">
        {alert.cluster} · <span className="status" data-status={alert.status}>{alert.status}</span>{a.reason && `: ${a.reason}`} · {plural(alert.count, "time")} · first <time dateTime={alert.firstSeen}>{moment(alert.firstSeen)}</time>
        {alert.lastSeen !== alert.firstSeen && <>, last <time dateTime={alert.lastSeen}>{moment(alert.lastSeen)}</time></>} · {alert.techniques.join(", ")}
      </p>
      <div className="beside">
        <Section title="What happened"><ol>{a.evidence.map((s, i) => <li key={i}><Prose text={s} /></li>)}</ol></Section>
        <Section title="What to do"><p><Prose text={a.fix} /></p><p><Prose text={a.why} /></p></Section>
      </div>
      <Section title="Who and what"><ul className="plain entities">{a.entities.map((e, i) => <li key={i}><Entity e={e} cluster={alert.cluster} /></li>)}</ul>{unknown.length > 0 && <Partial>Exposure, paths and reach may be incomplete: {unknown.join("; ")}.</Partial>}</Section>
      <Section title="The events"><details><summary>{plural(a.events.length, "event")}, secret values taken out</summary>{a.events.map((e, i) => <pre key={i} className="code">{JSON.stringify(e, null, 2)}</pre>)}</details></Section>
    </>
  );
}

const words: Record<Schemas["AlertEntity"]["role"], string> = { actor: "By", target: "To", place: "In", related: "With" };

/** An entity and, where the graph holds it, what it means: exposure, paths, reach. */
function Entity({ e, cluster }: { e: Schemas["AlertEntity"]; cluster: string }) {
  return (
    <>
      <span className="word">{words[e.role]}</span> {e.kind} {e.ref ? <Ref to={e.ref} where={false} /> : <b>{e.name}</b>} {e.namespace && <small>{e.namespace}</small>} {e.detail && <code>{e.detail}</code>}
      {e.exposed !== undefined && <small> {e.exposed ? "exposed to the internet" : "not exposed to the internet"}</small>}
      {e.paths.length > 0 && <div>lies on {e.paths.map((p) => <span key={p.id}><Severity level={p.risk} /> <Link to={pathPage({ cluster, id: p.id })}>{p.title}</Link> </span>)}</div>}
      {e.reaches.length > 0 && <div><small>From here: {e.reaches.join("; ")}.</small></div>}
    </>
  );
}
