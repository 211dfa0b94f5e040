import type { Schemas } from "../../api/client";

export type Row = Schemas["SensorRow"];

/** The states of a node's sensor, blind ones first. */
export const states = ["none", "silent", "partial", "seeing"] as const;

export const words: Record<Schemas["SensorState"], string> = {
  none: "no sensor",
  silent: "silent",
  partial: "partial",
  seeing: "seeing",
};

export const key = (r: Row) => `${r.cluster}/${r.node}`;

/** Records that the sensor lost, for any reason. */
export const lost = (r: Row) => Object.values(r.lost).reduce((sum, n) => sum + n, 0);
