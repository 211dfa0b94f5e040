import { Ago } from "../../components/Ago";
import { Section } from "../../components/Page";
import { Pane } from "../../components/Pane";
import { Ref } from "../../components/Ref";
import { bytes, count, known, moment } from "../../lib/format";
import { sentence } from "../../lib/text";
import { lost, words, type Row } from "./state";

/** What a node's sensor says of itself: what it sees, what it lost, what it costs. */
export function Sensor({ row: r, focus, close }: { row: Row; focus?: string; close: () => void }) {
  return (
    <Pane label="Sensor" title={`Node ${r.node}: ${words[r.state]}`} close={close} focus={focus}>
      <p className="counts">{r.ref ? <Ref to={r.ref} /> : `${r.cluster}: the graph does not hold this node.`}</p>
      {r.why && <p>{sentence(r.why)}</p>}
      {r.seenAt && <Reported r={r} at={r.seenAt} />}
    </Pane>
  );
}

function Reported({ r, at }: { r: Row; at: string }) {
  return (
    <>
      <Section title="Probes">
        {r.probes.length === 0 && <p>It names none.</p>}
        <ul className="plain">
          {r.probes.map((p) => (
            <li key={p.name}>
              <b>{p.name}</b> {p.state}
              {p.why && (
                <div>
                  <small>{sentence(p.why)}</small>
                </div>
              )}
            </li>
          ))}
        </ul>
      </Section>
      <Section title="Records">
        <dl className="numeric">
          <dt>Made</dt>
          <dd>{count(r.seen)} since the sensor started</dd>
          <dt>Sent</dt>
          <dd>
            {count(r.sent)}, {count(r.waiting)} waiting
          </dd>
          <dt>Lost</dt>
          <dd>
            {count(lost(r))} of {count(r.seen)}
            <ul className="plain">
              {Object.entries(r.lost)
                .filter(([, n]) => n > 0)
                .map(([why, n]) => (
                  <li key={why}>
                    <small>
                      {count(n)}: {why}
                    </small>
                  </li>
                ))}
            </ul>
          </dd>
          <dt>Analysed</dt>
          <dd>
            {count(r.received)} since the node started{r.missing > 0 && `, ${count(r.missing)} never came`}
          </dd>
        </dl>
      </Section>
      <Section title="The sensor">
        <dl>
          <dt>Last report</dt>
          <dd>
            <Ago at={at} /> ago
          </dd>
          <dt>Started</dt>
          <dd>{known(r.started) ? moment(r.started) : <span className="unknown">unknown</span>}</dd>
          <dt>Version</dt>
          <dd>{r.build ?? <span className="unknown">unknown</span>}</dd>
          <dt>Kernel</dt>
          <dd>{r.kernel ?? <span className="unknown">unknown</span>}</dd>
          <dt>Processor</dt>
          <dd>{load(r, at)}</dd>
          <dt>Memory</dt>
          <dd>{bytes(r.memoryBytes)}</dd>
        </dl>
      </Section>
    </>
  );
}

/** Processor time, and what share of one processor that was. */
function load(r: Row, at: string): string {
  const used = `${r.processorSeconds.toFixed(1)} s`;
  const ran = known(r.started) ? (Date.parse(at) - Date.parse(r.started)) / 1000 : 0;
  return ran > 0 ? `${used}, ${((100 * r.processorSeconds) / ran).toFixed(1)} % of one processor` : used;
}
