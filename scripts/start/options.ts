/** What `npm start` can be told. */
import { parseArgs } from "node:util";

export interface Options {
  /** Ends by itself when the workload has ended. */
  readonly once: boolean;
  /** Where the broker serves gRPC: host:port; port 0 picks a free one. */
  readonly grpcListen: string;
  /** The same for HTTP. */
  readonly httpListen: string;
  /** The pause between two emails, in ms. */
  readonly emailEveryMs: number;
  /** When the last image is due, in ms. */
  readonly imageDelayMs: number;
}

/** Where a broker serves, each host:port. */
export interface Addresses {
  readonly grpc: string;
  readonly http: string;
}

const HELP = `Starts a broker, a worker and a producer, and shows 110 tasks on their way.

  npm start                     stays up when they have ended, for you to try more; Ctrl-C stops it
  npm start -- --once           leaves when they have ended: exit code 0 if each came to its end, 1 if not

Options, after --:
  --grpc-listen <host:port>     where the broker serves gRPC; port 0 picks a free one [127.0.0.1:50051]
  --http-listen <host:port>     where it serves HTTP; the same [127.0.0.1:8080]
  --email-every-ms <ms>         the pause between two emails [100]
  --image-delay-ms <ms>         when the last image is due; the others before it, evenly [15000]
  --help                        this text

The tasks are kept in a temporary folder, which is deleted at the end. For a broker that keeps them: npm run broker
`;

/** @returns the options; or text to print and the code to exit with */
export function readOptions(args: string[]): Options | { readonly text: string; readonly exitCode: number } {
  try {
    const { values } = parseArgs({
      args,
      options: {
        once: { type: "boolean", default: false },
        "grpc-listen": { type: "string", default: "127.0.0.1:50051" },
        "http-listen": { type: "string", default: "127.0.0.1:8080" },
        "email-every-ms": { type: "string", default: "100" },
        "image-delay-ms": { type: "string", default: "15000" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return { text: HELP, exitCode: 0 };
    return {
      once: values.once,
      grpcListen: address("--grpc-listen", values["grpc-listen"]),
      httpListen: address("--http-listen", values["http-listen"]),
      emailEveryMs: milliseconds("--email-every-ms", values["email-every-ms"]),
      imageDelayMs: milliseconds("--image-delay-ms", values["image-delay-ms"]),
    };
  } catch (error) {
    return { text: `${error instanceof Error ? error.message : String(error)}\n\n${HELP}`, exitCode: 2 };
  }
}

function address(name: string, text: string): string {
  const port = Number(/^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(text)?.[1]);
  if (port <= 65_535) return text;
  throw new Error(`${name} is ${text}: it must be host:port, such as 127.0.0.1:50051`);
}

function milliseconds(name: string, text: string): number {
  const ms = Number(text);
  if (text.trim() !== "" && Number.isInteger(ms) && ms >= 0 && ms <= 600_000) return ms;
  throw new Error(`${name} is ${text}: it must be a whole number of milliseconds, at most 600000`);
}
