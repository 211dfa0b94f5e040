import { Link } from "react-router";
import { api } from "../../api/client";
import { EntityView } from "../../components/EntityView";
import { Icon } from "../../components/Icon";
import { Pane } from "../../components/Pane";
import type { Thing } from "../../components/Ref";
import { Answered, LoadingThing } from "../../components/States";
import { kindLabel, useVocabulary } from "../../components/Vocabulary";
import { nameOf, short } from "../../lib/format";
import { thingPage } from "../../lib/links";

/** A thing of the answer beside it. */
export function Details({ thing, close }: { thing: Thing; close: () => void }) {
  const schema = useVocabulary();
  const asked = api.useQuery("get", "/entity", { params: { query: { kind: thing.kind, id: thing.id } } });
  return (
    <Pane
      label="Details"
      focus={`${thing.kind} ${thing.id}`}
      close={close}
      title={
        <>
          <Icon kind={thing.kind} /> {kindLabel(schema, thing.kind)} {short(asked.data?.ref.name ?? nameOf(thing.id))}
        </>
      }
    >
      <p>
        <Link to={thingPage(thing.kind, thing.id)}>Open its page</Link>
      </p>
      <Answered asked={asked} loading={<LoadingThing />}>
        {(t) => <EntityView thing={t} narrow />}
      </Answered>
    </Pane>
  );
}
