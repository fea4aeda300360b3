/** From the generated definitions to what grpc-js serves. Messages pass as ready bytes wherever a handler wants them so. */
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import { type Codec, type GenericDefinition, type GenericMethod, toBytes } from "../api/definition.ts";

/** The methods whose requests reach their handlers as bytes. Responses may always be given as a Buffer. */
export type RawRequests = ReadonlySet<string>;

export function toServiceDefinition({ fullName, methods }: GenericDefinition, raw: RawRequests): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(methods).map(([key, method]) => [key, toMethod(fullName, method, raw.has(key))]),
  );
}

function toMethod(service: string, method: GenericMethod, isRaw: boolean): MethodDefinition<unknown, unknown> {
  const { name, requestType, responseType, requestStream, responseStream } = method;
  const serialize = (codec: Codec) => (message: unknown) => toBytes(codec, message);
  const deserialize = (codec: Codec) => (bytes: Buffer) => codec.decode(bytes);
  return {
    path: `/${service}/${name}`,
    requestStream,
    responseStream,
    requestSerialize: serialize(requestType),
    requestDeserialize: isRaw ? (bytes: Buffer) => bytes : deserialize(requestType),
    responseSerialize: serialize(responseType),
    responseDeserialize: deserialize(responseType),
  };
}
