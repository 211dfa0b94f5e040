import { Link } from "react-router";
import { api } from "../../api/client";
import { Gaps } from "../../components/Gaps";
import { Page, Section } from "../../components/Page";
import { Answered } from "../../components/States";
import { ago, count, moment } from "../../lib/format";
import { thingPage } from "../../lib/links";

/** What was read, what was not, and what that means. */
export function CoveragePage() {
  const asked = api.useQuery("get", "/coverage");
  return (
    <Page title="Coverage and gaps">
      <Answered asked={asked}>{(c) => (
        <>
          <Section title={`Gaps (${count(c.gaps.length)})`}><Gaps gaps={c.gaps} /></Section>
          {c.clusters.map((k) => (
            <Section key={k.name} title={`Cluster ${k.name}`}>
              <p>{k.state}{k.asOf && <>, as of <time dateTime={k.asOf} title={moment(k.asOf)}>{ago(k.asOf)}</time> ago</>} · {k.source} · Kubernetes {k.kubernetes || "unknown"}</p>
              <p><small>{Object.entries(k.counts).map(([kind, n]) => `${count(n)} ${kind}`).join(" · ")}</small></p>
              {Object.keys(k.unread).length > 0 && <p className="partial">Seen and not interpreted: {Object.entries(k.unread).map(([kind, n]) => (n < 0 ? kind : `${count(n)} ${kind}`)).join(", ")}</p>}
            </Section>
          ))}
          <Section title={`Images: ${count(c.images.done)} of ${count(c.images.total)} scanned`}>
            <ul className="plain">{c.unscanned.map((i) => <li key={i.id}><Link to={thingPage("Image", i.id)}>{i.name}</Link> {i.state}{i.error && `: ${i.error}`}</li>)}</ul>
          </Section>
          <Section title="Advisories">
            <p>{count(c.advisories.records)} records of {count(c.advisories.sources)} sources{c.advisories.importedAt && `, imported ${moment(c.advisories.importedAt)}`}. Known exploited: {c.advisories.kev ? "imported" : "not imported, so unknown"}. EPSS: {c.advisories.epss ? "imported" : "not imported, so unknown"}.</p>
            <p><small>{Object.entries(c.ecosystems).map(([e, n]) => `${e} ${count(n)}`).join(" · ")}</small></p>
          </Section>
        </>
      )}</Answered>
    </Page>
  );
}
