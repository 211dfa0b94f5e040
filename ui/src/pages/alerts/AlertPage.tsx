import { useSearchParams } from "react-router";
import { api, type Schemas } from "../../api/client";
import { Page, Section } from "../../components/Page";
import { Prose } from "../../components/Prose";
import { Severity } from "../../components/Severity";
import { Answered, LoadingThing } from "../../components/States";
import { moment, plural } from "../../lib/format";
import { Decide } from "./Decide";
import { Entities } from "./Entities";
import { Lineage } from "./Lineage";
import { Notes } from "./Notes";

/** One alert: who did what, what the graph knows of it, and what to do. */
export function AlertPage() {
  const [params] = useSearchParams();
  const asked = api.useQuery("get", "/alert", {
    params: { query: { cluster: params.get("cluster") ?? "", id: params.get("id") ?? "" } },
  });
  return (
    <Page
      title={asked.data?.alert.title ?? "Alert"}
      aside={
        asked.data && (
          <>
            <Severity level={asked.data.alert.severity} />
            <Decide alerts={[asked.data.alert]} you={asked.data.you} />
          </>
        )
      }
    >
      <Answered asked={asked} loading={<LoadingThing />}>
        {(a) => <Shown a={a} />}
      </Answered>
    </Page>
  );
}

function Shown({ a }: { a: Schemas["AlertPage"] }) {
  const { alert } = a;
  return (
    <>
      <p className="counts" role="status">
        {alert.cluster} ·{" "}
        <span className="status" data-status={alert.status}>
          {alert.status}
        </span>
        {a.decidedBy && ` by ${a.decidedBy}`}
        {a.decidedAt && (
          <>
            {" "}
            <time dateTime={a.decidedAt}>{moment(a.decidedAt)}</time>
          </>
        )}
        {a.reason && `: ${a.reason}`}
        {alert.assignee && ` · ${alert.assignee} works on it`} · {plural(alert.count, "time")} · first{" "}
        <time dateTime={alert.firstSeen}>{moment(alert.firstSeen)}</time>
        {alert.lastSeen !== alert.firstSeen && (
          <>
            , last <time dateTime={alert.lastSeen}>{moment(alert.lastSeen)}</time>
          </>
        )}
        {alert.techniques.map((t) => (
          <span key={t}>
            {" "}
            · <Technique id={t} />
          </span>
        ))}
      </p>
      <div className="beside">
        <Section title="What happened">
          <ol className="happened">
            {a.evidence.map((s, i) => (
              <li key={i}>
                <Prose text={s} />
              </li>
            ))}
          </ol>
        </Section>
        <Section title="What to do">
          <p>
            <Prose text={a.fix} />
          </p>
          <p>
            <Prose text={a.why} />
          </p>
        </Section>
      </div>
      <Lineage events={a.events} />
      <Section title="Who and what">
        <Entities of={a.entities} cluster={alert.cluster} />
      </Section>
      <Section title="What people did">
        <Notes of={a.notes} alert={alert} />
      </Section>
      <Section title="The events">
        <details>
          <summary>
            {plural(a.events.length, "event")}, secret values taken out
            {a.events.some((e) => e.omitted) && "; of very large ones parts are left out, which omitted names"}
          </summary>
          {a.events.map((e, i) => (
            <pre key={i} className="code">
              {JSON.stringify(e, null, 2)}
            </pre>
          ))}
        </details>
      </Section>
    </>
  );
}

/** A technique of MITRE ATT&CK, by its page there; what does not look like one stays text. */
function Technique({ id }: { id: string }) {
  if (!/^T\d{4}(\.\d{3})?$/.test(id)) return id;
  return (
    <a
      href={`https://attack.mitre.org/techniques/${id.replace(".", "/")}/`}
      rel="noreferrer"
      target="_blank"
      title="MITRE ATT&CK"
    >
      {id}
    </a>
  );
}
