/** A producer, brokers whose streams are held by the test, and what both are asked in the tests of the producer. */
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { type EnqueueStreamRequest, ErrorInfo, RetryInfo } from "@taskwire/proto";
import { afterEach, beforeEach, vi } from "vitest";
import { SingleCaller } from "./caller.ts";
import type { StreamSource } from "./enqueue-stream.ts";
import { FakeStream } from "./fake-stream.ts";
import { Producer, type StreamSources } from "./producer.ts";
import { taskParts } from "./task-bytes.ts";

export const streams: FakeStream[] = [];
export const left = new Map<string, () => void>();
export let producer: Producer;

export function newBrokers(names: readonly string[]): StreamSources {
  const sources = names.map((name): StreamSource => {
    return {
      openStream: () => {
        const stream = new FakeStream(name);
        streams.push(stream);
        // As much of a stream as the producer uses.
        return stream as unknown as ClientDuplexStream<Buffer, Buffer>;
      },
      onLeft: (listener) => {
        left.set(name, listener);
        return () => left.delete(name);
      },
    };
  });
  let current = 0;
  return {
    current: () => sources[current % sources.length] as StreamSource,
    moveOn: () => {
      current++;
    },
    backoffMs: (_failures, retryAfterMs = 0) => Math.max(100, retryAfterMs),
  };
}

interface CallChoice {
  readonly queue?: string;
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

export function enqueue(type: string, { queue = "q", deadlineMs = 30_000, signal }: CallChoice = {}) {
  const caller = new SingleCaller({ deadlineAt: performance.now() + deadlineMs, deadlineMs, signal }, type);
  producer.enqueue(taskParts(type, null, { queue }), caller);
  // What a test does not look at must not be reported as unhandled.
  caller.promise.catch(() => {});
  return caller.promise;
}

/** Lets the frames of this tick leave. */
export function flushed(): Promise<void> {
  // After the microtasks of this tick, and the ticks that they ask for.
  return new Promise((resolve) => setImmediate(resolve));
}

export function any(name: string, value: Uint8Array) {
  return { typeUrl: `type.googleapis.com/google.rpc.${name}`, value };
}

export const reason = (name: string) =>
  any("ErrorInfo", ErrorInfo.encode(ErrorInfo.fromPartial({ reason: name })).finish());
export const retryInfo = (seconds: number) =>
  any("RetryInfo", RetryInfo.encode({ retryDelay: { seconds, nanos: 0 } }).finish());

export function typesOf(frame: EnqueueStreamRequest | undefined): string[] | undefined {
  return frame?.tasks.map(({ type }) => type);
}

/** A new producer for each test of the file, on a clock that the test moves. */
export function useProducer(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    streams.length = 0;
    left.clear();
    producer = new Producer(newBrokers(["one", "two"]), 1024 * 1024);
  });

  afterEach(() => {
    vi.useRealTimers();
  });
}

export function replaceProducer(brokers: StreamSources, maxBufferedBytes: number): void {
  producer = new Producer(brokers, maxBufferedBytes);
}
