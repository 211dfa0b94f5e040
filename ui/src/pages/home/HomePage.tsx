import { Link } from "react-router";
import { api } from "../../api/client";
import { Gaps } from "../../components/Gaps";
import { Page, Section } from "../../components/Page";
import { PathTable } from "../../components/PathTable";
import { Severity } from "../../components/Scale";
import { Answered, Empty } from "../../components/States";
import { count } from "../../lib/format";
import { thingPage } from "../../lib/links";

/** What is at risk, in numbers with their denominators, and the worst paths. */
export function HomePage() {
  const asked = api.useQuery("get", "/home");
  return (
    <Page title="Home">
      <Answered asked={asked}>{(home) => (
        <>
          <ul className="numbers">{home.counts.map((c) => (
            <li key={c.title}><Link to={c.href}><strong>{count(c.count)}</strong> of {count(c.of)}</Link> <b>{c.title}</b><small>{c.sentence}</small></li>
          ))}</ul>
          <Section title="Worst attack paths">{home.worst.length ? <PathTable rows={home.worst} /> : <Empty title="No open attack path">None was found in what could be seen.</Empty>}</Section>
          {home.choke.length > 0 && <Section title="Choke points"><ul className="plain">{home.choke.map((p) => (
            <li key={`${p.thing.kind} ${p.thing.id}`}><Severity level={p.risk} /> {p.thing.kind} <Link to={thingPage(p.thing.kind, p.thing.members?.[0] ?? p.thing.id)}>{p.thing.name}</Link> is on {count(p.count)} paths</li>
          ))}</ul></Section>}
          <Section title="What we could not see"><Gaps gaps={home.gaps} /></Section>
        </>
      )}</Answered>
    </Page>
  );
}
