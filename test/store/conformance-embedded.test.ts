import { embedded } from "./backends/embedded.ts";
import { conform } from "./conformance.ts";

await conform(embedded);
