import { createContext, useContext } from "react";
import type { Schemas } from "../api/client";

type Schema = Schemas["Schema"];

/** The server's words for kinds, insights and orders; undefined until they have come. */
export const Vocabulary = createContext<Schema | undefined>(undefined);

/** A kind as people call it: "Service account". */
export function kindLabel(schema: Schema | undefined, kind: string): string {
  return schema?.kinds[kind]?.label ?? kind;
}

/** What an insight or property of a kind means. */
export function propertyOf(
  schema: Schema | undefined,
  kind: string,
  name: string,
): Schemas["PropertyChoice"] | undefined {
  const menu = schema?.kinds[kind]?.menu;
  return menu?.insights.find((p) => p.name === name) ?? menu?.properties.find((p) => p.name === name);
}

export function useVocabulary(): Schema | undefined {
  return useContext(Vocabulary);
}
