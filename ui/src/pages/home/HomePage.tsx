import "./home.css";
import { useMemo } from "react";
import { Link } from "react-router";
import { api, type Schemas } from "../../api/client";
import { Gaps } from "../../components/Gaps";
import { Page, Section } from "../../components/Page";
import { PathTable } from "../../components/PathTable";
import { Ref } from "../../components/Ref";
import { rank, Severity } from "../../components/Severity";
import { Answered, Empty } from "../../components/States";
import { Table, type Column } from "../../components/Table";
import { kindLabel, useVocabulary } from "../../components/Vocabulary";
import { count } from "../../lib/format";
import { pathList } from "../../lib/links";
import { Recommended } from "../recommendations/Recommended";

type Count = Schemas["Count"];

/** What is at risk, in numbers with their denominators, and the worst paths. */
export function HomePage() {
  const asked = api.useQuery("get", "/home");
  return (
    <Page title="Home">
      <Answered asked={asked}>
        {(home) =>
          home.clusters.length === 0 ? (
            <Empty title="No cluster was read yet">
              <p>
                Attack paths, exposed workloads and vulnerable images appear here. Connect a cluster with{" "}
                <code>breakwater serve --from context:NAME</code>, or try <code>breakwater serve --sample</code>.
              </p>
            </Empty>
          ) : (
            <>
              <ul className="numbers">
                {home.counts.map((c) => (
                  <Tile key={c.title} of={c} />
                ))}
              </ul>
              <Section title="Worst attack paths" aside={<Link to="/paths">All of them</Link>}>
                {home.worst.length ? <PathTable rows={home.worst} /> : <NoPath of={home.counts[0]} />}
              </Section>
              <Recommended
                title="What to update first"
                none="No scanned image has a vulnerability that an update fixes."
              />
              {home.choke.length > 0 && (
                <Section
                  title="Choke points"
                  aside={<small>Things that many paths go through: closing one ends them together.</small>}
                >
                  <Choke points={home.choke} />
                </Section>
              )}
              <Section title="What we could not see" aside={<Link to="/coverage">Coverage</Link>}>
                <Gaps gaps={home.gaps} />
              </Section>
            </>
          )
        }
      </Answered>
    </Page>
  );
}

/** A number; what nobody could look at is no number. */
function Tile({ of: c }: { of: Count }) {
  const number = c.count === null ? "unknown" : count(c.count);
  return (
    <li>
      <Link to={c.href} aria-label={`${c.title}: ${number} of ${count(c.of)}`}>
        <strong data-unknown={c.count === null || undefined}>{number}</strong> of {count(c.of)}
      </Link>
      <h2>{c.title}</h2>
      <small>{c.sentence}</small>
      {c.unknown && <small className="unknown">{c.unknown}</small>}
    </li>
  );
}

/** No path means something only where it was looked for. */
function NoPath({ of: c }: { of: Count | undefined }) {
  if (c?.count === null)
    return (
      <Empty title="Whether there are attack paths is unknown">
        {c.sentence} <Link to="/coverage">What could not be seen</Link>
      </Empty>
    );
  return (
    <Empty title="No open attack path was found">
      {c?.unknown ? (
        <>
          There may be some: {c.unknown} <Link to="/coverage">What could not be seen</Link>
        </>
      ) : (
        "None was found in what could be seen."
      )}
    </Empty>
  );
}

type Point = Schemas["ChokePoint"];

const asRef = ({ thing }: Point): Schemas["Ref"] => ({
  kind: thing.kind,
  id: thing.members?.[0] ?? thing.id,
  name: thing.name,
  cluster: thing.cluster,
  namespace: thing.namespace,
});

function Choke({ points }: { points: Point[] }) {
  const schema = useVocabulary();
  const columns = useMemo<Column<Point>[]>(
    () => [
      { title: "Risk", cell: (p) => <Severity level={p.risk} />, by: (p) => -(rank(schema?.risks, p.risk) ?? -1) },
      { title: "Thing", cell: (p) => <Ref to={asRef(p)} where={false} />, by: (p) => p.thing.name },
      {
        title: "Kind",
        from: "medium",
        cell: (p) => kindLabel(schema, p.thing.kind),
        by: (p) => kindLabel(schema, p.thing.kind),
      },
      {
        title: "Where",
        from: "medium",
        wraps: true,
        cell: (p) => [p.thing.cluster, p.thing.namespace].filter(Boolean).join(" · "),
        by: (p) => `${p.thing.cluster} ${p.thing.namespace}`,
      },
      {
        title: "Attack paths",
        number: true,
        cell: (p) => <Link to={pathList({ entity: p.thing.members?.[0] ?? p.thing.id })}>{count(p.count)}</Link>,
        by: (p) => p.count,
      },
    ],
    [schema],
  );
  return (
    <Table
      label="Choke points"
      sort="choke-sort"
      short
      rows={points}
      rowKey={(p) => `${p.thing.kind} ${p.thing.id}`}
      columns={columns}
    />
  );
}
