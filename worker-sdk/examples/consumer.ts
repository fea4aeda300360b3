/**
 * A worker for emails and images, five at a time.
 *
 *     node --import tsx worker-sdk/examples/consumer.ts [host:port]
 */
import { Worker } from "@taskwire/worker";
import { emailHandler } from "./handlers/email.ts";
import { imageProcessingHandler } from "./handlers/image-processing.ts";

const [address = "127.0.0.1:50051"] = process.argv.slice(2);

const worker = new Worker({ address, queues: ["email", "image_processing"], concurrency: 5 });
worker.handle("email", emailHandler());
worker.handle("image_processing", imageProcessingHandler());

// Until SIGINT or SIGTERM: then it finishes what it has and leaves.
await worker.run();
