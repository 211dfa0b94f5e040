/** The same for tests and the development server. */
import * as react from "react/jsx-dev-runtime";
import { shown } from "./shown";

export { Fragment } from "react/jsx-dev-runtime";
export type { JSX } from "react/jsx-dev-runtime";

export const jsxDEV: typeof react.jsxDEV = (type, props, ...rest) => react.jsxDEV(type, shown(props), ...rest);
