/** What an empty installation shows. */
import { grpcurl } from "../../api/grpcurl.ts";
import { Command } from "../../parts/copy.tsx";

export function FirstSteps({ workers }: { readonly workers: number }) {
  const enqueue = grpcurl({ method: "TaskService/Enqueue", request: { type: "hello", json: { name: "Ada" } } });
  return (
    <section class="panel first-steps">
      <h2>No task was enqueued yet</h2>
      <p>The broker is up, and its store is empty. A task comes from anything that speaks gRPC or HTTP:</p>
      <Command text={enqueue} />
      <p>Without grpcurl:</p>
      <Command
        text={`curl -H 'content-type: application/json' -d '{"type":"hello","json":{"name":"Ada"}}' ${location.origin}/taskwire.v1.TaskService/Enqueue`}
      />
      {workers === 0 && (
        <>
          <p>No worker is connected, so it would wait. From the folder of Taskwire, a worker that greets:</p>
          <Command text="node --import tsx worker-sdk/examples/hello.ts" />
        </>
      )}
    </section>
  );
}
