import { Button, Checkbox, CopyButton } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import type { Schemas } from "../../api/client";
import { Icon } from "../../components/Icon";
import { Section } from "../../components/Page";
import { Prose } from "../../components/Prose";
import { kindLabel, useVocabulary } from "../../components/Vocabulary";
import { kindAndId, nameOf, plural } from "../../lib/format";
import { thingPage } from "../../lib/links";
import { sentence } from "../../lib/text";
import { StepButton } from "./StepButton";

type Path = Pick<Schemas["Path"], "fixes" | "steps" | "nodes">;
type Fix = Schemas["Fix"];

const effects = { breaks: "Breaks the path", lowers: "Lowers the risk" } as const;

/** What to do, what ends the path first. */
export function Fixes({
  path,
  show,
  tried,
  tryFix,
  untried,
  children,
}: {
  path: Path;
  show: (step: number, byKey: boolean) => void;
  /** The fixes that are tried on a copy, and how one is. */
  tried: string[];
  tryFix: (id: string) => void;
  /** Why none can be tried. */
  untried?: string;
  children?: ReactNode;
}) {
  let number = 0;
  return (
    <Section title="Fixes">
      {path.fixes.length === 0 && <p>No rule on this path knows a fix.</p>}
      {untried && path.fixes.length > 0 && (
        <p>
          What these fixes would change cannot be tried: <Prose text={untried} />.
        </p>
      )}
      {(["breaks", "lowers"] as const).map((effect) => {
        const of = path.fixes.filter((f) => f.effect === effect);
        return (
          of.length > 0 && (
            <div key={effect}>
              <h3>
                {effects[effect]} ({of.length})
                {effect === "breaks" && of.length > 1 && <small> any one of them ends it</small>}
              </h3>
              <ol className="fixes" start={number + 1}>
                {of.map((f) => (
                  <FixItem
                    key={f.id}
                    fix={f}
                    number={++number}
                    path={path}
                    show={show}
                    tried={tried.includes(f.id)}
                    tryFix={untried ? undefined : tryFix}
                  />
                ))}
              </ol>
            </div>
          )
        );
      })}
      {children}
    </Section>
  );
}

/** The step at which a fix acts: that of its rule, or the one that rests most on what the fix is about, the first of several. */
export function actsOn(fix: Fix, steps: Path["steps"]): number {
  if (fix.rule) {
    const rule = fix.rule;
    return steps.findIndex((s) => s.rules?.includes(rule) || s.rule === rule) + 1;
  }
  const named = steps.map((s) => {
    const things = new Set(s.evidence.flatMap((e) => e.nodes ?? []));
    return fix.concerns.filter((c) => things.has(c)).length;
  });
  const most = Math.max(0, ...named);
  return most === 0 ? 0 : named.indexOf(most) + 1;
}

/** The fix as changes of objects, each with the command that makes it; or why there is none. */
function Code({ fix }: { fix: Fix }) {
  if (!fix.code?.length)
    return fix.withoutCode ? (
      <p>
        <small>
          No code: <Prose text={fix.withoutCode} />
        </small>
      </p>
    ) : null;
  return (
    <details className="fixcode">
      <summary>As code ({plural(fix.code.length, "change")})</summary>
      {fix.code.map((c) => (
        <div key={c.object + c.do}>
          <p>
            {sentence(`${c.do} ${c.object}`)} {c.note && <small>{sentence(c.note)}</small>}
          </p>
          {c.yaml && <Copied what="the change" text={c.yaml} />}
          {c.command && <Copied what="the command" text={c.command} />}
        </div>
      ))}
    </details>
  );
}

function Copied({ what, text }: { what: string; text: string }) {
  return (
    <div className="copied">
      <pre tabIndex={0} aria-label={`What to copy: ${what}`}>
        {text.trimEnd()}
      </pre>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <Button size="compact-xs" variant="default" onClick={copy} aria-label={`Copy ${what}`}>
            {copied ? "Copied" : "Copy"}
          </Button>
        )}
      </CopyButton>
    </div>
  );
}

function FixItem({
  fix,
  number,
  path,
  show,
  tried,
  tryFix,
}: {
  fix: Fix;
  number: number;
  path: Path;
  show: (step: number, byKey: boolean) => void;
  tried: boolean;
  tryFix?: (id: string) => void;
}) {
  const schema = useVocabulary();
  const step = actsOn(fix, path.steps),
    verb = path.steps[step - 1]?.verb;
  const images = new Map(path.nodes.flatMap((n) => n.images ?? []).map((i) => [i.id, i.name]));
  const text = fix.text.startsWith(`${fix.title}. `) ? fix.text.slice(fix.title.length + 2) : fix.text;
  return (
    <li data-effect={fix.effect}>
      <span className="fixnumber" aria-hidden>
        {number}
      </span>
      <div>
        <b>
          <Prose text={fix.title} />
        </b>
        <p>
          <Prose text={text} />
        </p>
        <ul className="plain">
          {fix.concerns.map((c) => {
            const { kind, id } = kindAndId(c);
            return (
              <li key={c} className="ref">
                <Icon kind={kind} />
                <Link to={thingPage(kind, id)} title={id}>
                  {images.get(id) ?? nameOf(id)}
                </Link>{" "}
                <small>{kindLabel(schema, kind)}</small>
              </li>
            );
          })}
        </ul>
        <Code fix={fix} />
        <div className="fixfoot">
          {step > 0 && <StepButton number={step} show={show} say={`at step ${step}: ${verb}`} />}
          {!fix.advice && tryFix && (
            <Checkbox
              size="xs"
              label="What if"
              aria-label={`What if: ${fix.title}`}
              checked={tried}
              onChange={() => tryFix(fix.id)}
            />
          )}
          <CopyButton value={`${fix.title}\n${fix.text}`}>
            {({ copied, copy }) => (
              <Button size="compact-xs" variant="default" onClick={copy} aria-label={`Copy fix: ${fix.title}`}>
                {copied ? "Copied" : "Copy"}
              </Button>
            )}
          </CopyButton>
        </div>
      </div>
    </li>
  );
}
