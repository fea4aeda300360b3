/** From the generated definitions to what grpc-js serves. Messages pass as ready bytes wherever a handler wants them so. */
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";

/** The part of ts-proto's generic definitions that we use. */
export interface GenericDefinition {
  readonly fullName: string;
  readonly methods: Readonly<Record<string, GenericMethod>>;
}

interface GenericMethod {
  readonly name: string;
  readonly requestType: Codec;
  readonly responseType: Codec;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

interface Codec {
  // The generated codecs are each of their own message; here any will do.
  // biome-ignore lint/suspicious/noExplicitAny: the message type is the handler's business
  encode(message: any): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
}

/** Which requests reach their handlers as bytes. Responses may always be given as a Buffer. */
export type RawRequests = ReadonlySet<string>;

export function toServiceDefinition({ fullName, methods }: GenericDefinition, raw: RawRequests): ServiceDefinition {
  return Object.fromEntries(Object.entries(methods).map(([key, method]) => [key, toMethod(fullName, method, raw)]));
}

function toMethod(service: string, method: GenericMethod, raw: RawRequests): MethodDefinition<unknown, unknown> {
  const { name, requestType, responseType, requestStream, responseStream } = method;
  const serialize = (codec: Codec) => (message: unknown) =>
    Buffer.isBuffer(message) ? message : Buffer.from(codec.encode(message).finish());
  const deserialize = (codec: Codec) => (bytes: Buffer) => codec.decode(bytes);
  return {
    path: `/${service}/${name}`,
    requestStream,
    responseStream,
    requestSerialize: serialize(requestType),
    requestDeserialize: raw.has(`${service}/${name}`) ? (bytes: Buffer) => bytes : deserialize(requestType),
    responseSerialize: serialize(responseType),
    responseDeserialize: deserialize(responseType),
  };
}
