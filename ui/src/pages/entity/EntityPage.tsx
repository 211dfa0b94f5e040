import { useSearchParams } from "react-router";
import { api } from "../../api/client";
import { EntityView } from "../../components/EntityView";
import { Page } from "../../components/Page";
import { Answered, LoadingThing } from "../../components/States";
import { kindLabel, useVocabulary } from "../../components/Vocabulary";
import { nameOf } from "../../lib/format";

/** Any thing of the graph. */
export function EntityPage() {
  const [params] = useSearchParams();
  const kind = params.get("kind") ?? "",
    id = params.get("id") ?? "";
  const schema = useVocabulary();
  const asked = api.useQuery("get", "/entity", { params: { query: { kind, id } } });
  return (
    <Page title={`${kindLabel(schema, kind)} ${asked.data?.ref.name ?? nameOf(id)}`}>
      <Answered asked={asked} loading={<LoadingThing />}>
        {(thing) => <EntityView thing={thing} />}
      </Answered>
    </Page>
  );
}
