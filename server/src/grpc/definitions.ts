/** From the generated definitions to what grpc-js serves. Messages pass as ready bytes wherever a handler wants them so. */
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import { type Codec, type GenericDefinition, type GenericMethod, toBytes } from "../api/definition.ts";

/** How requests reach their handlers. For what cannot be decoded, grpc-js has no better status than INTERNAL. */
export type Requests = "bytes" | "decoded";

/** Responses may always be given as a Buffer. */
export function toServiceDefinition(
  { fullName, methods }: GenericDefinition,
  requests: Requests = "decoded",
): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(methods).map(([key, method]) => [key, toMethod(fullName, method, requests)]),
  );
}

function toMethod(service: string, method: GenericMethod, requests: Requests): MethodDefinition<unknown, unknown> {
  const { name, requestType, responseType, requestStream, responseStream } = method;
  const serialize = (codec: Codec) => (message: unknown) => toBytes(codec, message);
  return {
    path: `/${service}/${name}`,
    requestStream,
    responseStream,
    requestSerialize: serialize(requestType),
    requestDeserialize: (bytes: Buffer) => (requests === "bytes" ? bytes : requestType.decode(bytes)),
    responseSerialize: serialize(responseType),
    responseDeserialize: (bytes: Buffer) => responseType.decode(bytes),
  };
}
