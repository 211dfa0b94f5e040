import { useSearchParams } from "react-router";
import { changed } from "../lib/url";

export interface Sort {
  column: string;
  down: boolean;
}

/** Which column sorts a table, in the URL as sort=severity or sort=-severity. */
export function useSort(name: string): [Sort | undefined, (sort: Sort | undefined) => void] {
  const [params, setParams] = useSearchParams();
  const text = params.get(name) ?? "";
  const sort = text ? { column: text.replace(/^-/, ""), down: text.startsWith("-") } : undefined;
  const set = (to: Sort | undefined) =>
    setParams((p) => changed(p, { [name]: to && `${to.down ? "-" : ""}${to.column}` }), {
      replace: true,
      preventScrollReset: true,
    });
  return [sort, set];
}

/** A column's name in the URL: "Fixed in" is fixed-in. */
export const slug = (title: string) =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
