import "./path.css";
import { Checkbox } from "@mantine/core";
import { api, type Schemas } from "../../api/client";
import type { paths } from "../../api/schema.gen";
import { Section } from "../../components/Page";
import { Prose } from "../../components/Prose";
import { Answered, Partial } from "../../components/States";
import { kindAndId, nameOf, plural } from "../../lib/format";
import { type useWhatIf, WhatIf } from "./WhatIf";

type Filter = NonNullable<paths["/cut"]["get"]["parameters"]["query"]>;

/** The fewest fixes that end the paths of the list, and what would be lost by those that are ticked. */
export function Cut({
  filter,
  chosen,
  toggle,
  whatIf,
}: {
  filter: Filter;
  chosen: string[];
  toggle: (id: string) => void;
  whatIf: ReturnType<typeof useWhatIf>;
}) {
  const cut = api.useQuery("get", "/cut", { params: { query: filter } });
  return (
    <Section title="Fewest fixes">
      <Answered asked={cut}>
        {(d) => (
          <>
            <p className="counts" role="status">
              {plural(d.fixes.length, "fix", "fixes")} for {plural(d.paths, "attack path")}; no fewer than {d.atLeast}{" "}
              could do
              {d.left.length > 0 ? ` · ${plural(d.left.length, "path")} would stay` : " · tried on a copy: none stays"}
            </p>
            {!!d.stale && (
              <Partial>
                {plural(d.stale, "more path")} could not be judged again: no fix is chosen for{" "}
                {d.stale === 1 ? "it" : "them"}, and whether these end {d.stale === 1 ? "it" : "them"} is not known.
              </Partial>
            )}
            <ol className="fixes">
              {d.fixes.map((f) => (
                <li key={f.fix.id}>
                  <Checkbox
                    size="xs"
                    checked={chosen.includes(f.fix.id)}
                    onChange={() => toggle(f.fix.id)}
                    aria-label={`What if: ${f.fix.title}`}
                  />
                  <div>
                    <b>
                      <Prose text={f.fix.title} />
                    </b>
                    <p>
                      <small>
                        {f.cluster} · {subject(f.fix)} ·{" "}
                        {f.ends.length
                          ? `ends ${plural(f.ends.length, "path")}`
                          : "ends the ways that show themselves then"}
                      </small>
                    </p>
                  </div>
                </li>
              ))}
            </ol>
          </>
        )}
      </Answered>
      {chosen.length > 0 ? (
        <WhatIf asked={whatIf} />
      ) : (
        <p>Tick fixes to see what each would end and what would be lost.</p>
      )}
    </Section>
  );
}

function subject(fix: Schemas["Fix"]): string {
  const first = fix.concerns.map(kindAndId).find((c) => c.kind !== "Image" && c.kind !== "NetClass");
  return first ? nameOf(first.id) : "an image";
}
