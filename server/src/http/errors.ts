import { fromBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { contract } from "../api/descriptors.ts";
import { toStatus } from "../api/status.ts";
import { TaskwireError } from "../domain/errors.ts";
import type { Logger } from "../observe/logger.ts";

/** The same code, sentence and details that the error has over gRPC: the numbers of the codes are the same. */
export function toConnectError(error: unknown, logger: Logger): ConnectError {
  if (error instanceof ConnectError) return error;
  // Nobody is there to read it.
  if (error instanceof Error && error.name === "AbortError") return ConnectError.from(error);
  if (!(error instanceof TaskwireError)) logger.error({ err: error }, "a call failed");
  const { code, message, details } = toStatus(error);
  return new ConnectError(message, code, undefined, details.flatMap(toDetail), error);
}

/** As a message whose type is known, so that JSON shows what is in it. All that we send are in the contract. */
function toDetail({ typeUrl, value }: ReturnType<typeof toStatus>["details"][number]) {
  const desc = contract.getMessage(typeUrl.slice(typeUrl.lastIndexOf("/") + 1));
  return desc ? [{ desc, value: fromBinary(desc, value) }] : [];
}
