import { Button } from "@mantine/core";
import { Link } from "react-router";
import type { Schemas } from "../../api/client";
import { api } from "../../api/client";
import { Icon } from "../../components/Icon";
import { Section } from "../../components/Page";
import { Answered } from "../../components/States";
import { question } from "../../lib/links";
import { start, type Query } from "../../query/tree";

/** The empty Explorer: what can be looked for, and prepared questions. */
export function Start({
  schema,
  choose,
  chooseText,
}: {
  schema: Schemas["Schema"];
  choose: (q: Query) => void;
  chooseText: (q: string) => void;
}) {
  const templates = api.useQuery("get", "/templates", {}, { staleTime: Infinity });
  return (
    <>
      <Section
        title="Find"
        aside={
          <Button size="compact-xs" variant="subtle" color="gray" onClick={() => chooseText("MATCH (p:Pod)")}>
            or write a question
          </Button>
        }
      >
        <dl className="kinds">
          {schema.groups.map((g) => (
            <div key={g.name}>
              <dt>{g.name}</dt>
              <dd>
                {g.kinds.map((k) => (
                  <button
                    type="button"
                    className="chip"
                    key={k.name}
                    title={k.sentence}
                    onClick={() => choose(start(k.name))}
                  >
                    <Icon kind={k.name} />
                    {k.plural}
                  </button>
                ))}
              </dd>
            </div>
          ))}
        </dl>
      </Section>
      <Section title="Prepared questions">
        <Answered asked={templates}>
          {(list) => (
            <div className="templates">
              {[...new Set(list.map((t) => t.group))].map((group) => (
                <section key={group}>
                  <h3>{group}</h3>
                  <ul className="plain">
                    {list
                      .filter((t) => t.group === group)
                      .map((t) => (
                        <li key={t.id}>
                          <Link to={question(t.text)}>{t.title}</Link>
                          <small>{t.sentence}</small>
                        </li>
                      ))}
                  </ul>
                </section>
              ))}
            </div>
          )}
        </Answered>
      </Section>
    </>
  );
}
