/** Stands between a worker and its broker and writes down what they say, as "worker -> hello". */
import {
  type ClientDuplexStream,
  type handleBidiStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type StatusObject,
  status,
} from "@grpc/grpc-js";
import { Connection } from "@taskwire/client/connection";
import {
  SettleTasksRequest,
  SettleTasksResponse,
  SubscribeRequest,
  SubscribeResponse,
  WorkerServiceDefinition,
} from "@taskwire/proto";

export interface Recorder {
  readonly address: string;
  /** As in docs/writing-workers.md: "worker -> hello". */
  readonly said: readonly string[];
  close(): void;
}

const SERVICE = `/${WorkerServiceDefinition.fullName}`;
const asItIs = (bytes: Buffer) => bytes;
const inBytes = {
  requestSerialize: asItIs,
  requestDeserialize: asItIs,
  responseSerialize: asItIs,
  responseDeserialize: asItIs,
} as const;

/** `name` begins each line. Several recorders may write into one list. */
export async function startRecorder(name: string, target: string, said: string[] = []): Promise<Recorder> {
  const connection = new Connection({ address: target });
  const write = (arrow: "->" | "<-", what: string) => said.push(`${name} ${arrow} ${what}`);

  const subscribe: handleBidiStreamingCall<Buffer, Buffer> = (worker) => {
    const broker = connection.openStream(`${SERVICE}/Subscribe`);
    worker.on("data", (bytes: Buffer) => {
      write("->", SubscribeRequest.decode(bytes).frame?.$case ?? "nothing");
      broker.write(bytes);
    });
    worker.on("end", () => {
      write("->", "end");
      broker.end();
    });
    worker.on("cancelled", () => broker.cancel());
    passOn(broker, worker, (bytes) => write("<-", SubscribeResponse.decode(bytes).frame?.$case ?? "nothing"));
    broker.on("status", ({ code }: StatusObject) => {
      if (code === status.OK) write("<-", "end");
    });
  };
  const settleTasks: handleUnaryCall<Buffer, Buffer> = ({ request }, answer) => {
    const asked = SettleTasksRequest.decode(request);
    write("->", "SettleTasks");
    const response = connection.client(WorkerServiceDefinition).settleTasks(asked);
    response.then(
      (value) => {
        write("<-", "SettleTasks");
        answer(null, Buffer.from(SettleTasksResponse.encode(value).finish()));
      },
      (error: Error) => answer({ code: status.UNAVAILABLE, details: error.message }),
    );
  };

  const server = new Server();
  server.addService(
    {
      subscribe: { path: `${SERVICE}/Subscribe`, requestStream: true, responseStream: true, ...inBytes },
      settleTasks: { path: `${SERVICE}/SettleTasks`, requestStream: false, responseStream: false, ...inBytes },
    },
    { subscribe, settleTasks },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return {
    address: `127.0.0.1:${port}`,
    said,
    close: () => {
      server.forceShutdown();
      connection.close();
    },
  };
}

/** Hands on what the broker says, and its status at the end. */
function passOn(
  broker: ClientDuplexStream<Buffer, Buffer>,
  worker: ServerDuplexStream<Buffer, Buffer>,
  heard: (bytes: Buffer) => void,
): void {
  broker.on("data", (bytes: Buffer) => {
    heard(bytes);
    worker.write(bytes);
  });
  // The status says the same.
  broker.on("error", () => undefined);
  broker.on("status", ({ code, details, metadata }: StatusObject) => {
    if (code === status.OK) worker.end();
    else worker.emit("error", { code, details, metadata });
  });
}
