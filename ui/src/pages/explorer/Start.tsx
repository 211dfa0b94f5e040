import { Button } from "@mantine/core";
import { Link } from "react-router";
import type { Schemas } from "../../api/client";
import { api } from "../../api/client";
import { Section } from "../../components/Page";
import { Answered } from "../../components/States";
import { question } from "../../lib/links";
import { start, type Query } from "../../query/tree";

/** The empty Explorer: what can be looked for, and prepared questions. */
export function Start({ schema, choose, chooseText }: { schema: Schemas["Schema"]; choose: (q: Query) => void; chooseText: (q: string) => void }) {
  const templates = api.useQuery("get", "/templates", {}, { staleTime: Infinity });
  return (
    <>
      <Section title="Find">
        <div className="kinds">
          {schema.groups.map((g) => (
            <div key={g.name}>
              <h3>{g.name}</h3>
              {g.kinds.map((k) => <Button key={k.name} size="compact-sm" variant="default" title={k.sentence} onClick={() => choose(start(k.name))}>{k.plural}</Button>)}
            </div>
          ))}
        </div>
        <Button size="compact-sm" variant="subtle" onClick={() => chooseText("MATCH (p:Pod)")}>or write a question</Button>
      </Section>
      <Answered asked={templates}>{(list) => (
        <>{[...new Set(list.map((t) => t.group))].map((group) => (
          <Section key={group} title={group}>
            <ul className="plain">{list.filter((t) => t.group === group).map((t) => (
              <li key={t.id}><Link to={question(t.text)}>{t.title}</Link> <small>{t.sentence}</small></li>
            ))}</ul>
          </Section>
        ))}</>
      )}</Answered>
    </>
  );
}
