/** React's own, but that no text reaches a page as strangers wrote it: every element of ours is made here. */
import * as react from "react/jsx-runtime";
import { shown } from "./shown";

export { Fragment } from "react/jsx-runtime";
export type { JSX } from "react/jsx-runtime";

export const jsx: typeof react.jsx = (type, props, key) => react.jsx(type, shown(props), key);
export const jsxs: typeof react.jsxs = (type, props, key) => react.jsxs(type, shown(props), key);
