import type { Percentiles as WirePercentiles } from "@taskwire/proto";
import type { Percentiles } from "../../stats/percentiles.ts";
import { toDuration } from "../status.ts";

export function presentPercentiles({ p50Ms, p95Ms, p99Ms, count }: Percentiles): WirePercentiles {
  return { p50: toDuration(p50Ms), p95: toDuration(p95Ms), p99: toDuration(p99Ms), count };
}
