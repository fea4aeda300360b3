/** The part of ts-proto's generic definitions that the doors use. */

export interface GenericDefinition {
  readonly fullName: string;
  readonly methods: Readonly<Record<string, GenericMethod>>;
}

export interface GenericMethod {
  readonly name: string;
  readonly requestType: Codec;
  readonly responseType: Codec;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

export interface Codec {
  // The generated codecs are each of their own message; here any will do.
  // biome-ignore lint/suspicious/noExplicitAny: the message type is the handler's business
  encode(message: any): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
}

/** The encoded message. What is a Buffer is encoded already: a handler wrote it by hand. */
export function toBytes(codec: Codec, message: unknown): Buffer {
  return Buffer.isBuffer(message) ? message : Buffer.from(codec.encode(message).finish());
}
