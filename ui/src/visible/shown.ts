import { visible } from "./visible";

/** The properties that people read; others are addresses, values of fields and names of classes. */
const read = ["children", "title", "alt", "placeholder", "label", "description", "aria-label", "aria-description"];

/** Properties of an element as people read them. */
export function shown<P>(props: P): P {
  if (typeof props !== "object" || props === null) return props;
  let out = props as Record<string, unknown>;
  for (const name of read) {
    const was = out[name];
    const is = text(was);
    if (is !== was) out = { ...out, [name]: is };
  }
  return out as P;
}

function text(of: unknown): unknown {
  if (typeof of === "string") return visible(of);
  if (!Array.isArray(of) || !of.some((each) => text(each) !== each)) return of;
  return of.map(text);
}
