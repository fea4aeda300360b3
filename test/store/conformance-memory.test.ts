import { memory } from "./backends/memory.ts";
import { conform } from "./conformance.ts";

await conform(memory);
