/**
 * The workload that everything starts with: 100 emails, one each 100 ms, every 10th with priority 1; then 10 image tasks,
 * each some time from now. Its worker: worker-sdk/examples/consumer.ts.
 *
 *     node --import tsx client/examples/producer.ts [host:port] [longest delay of an image in seconds]
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "@taskwire/client";

const EMAILS = 100;
const EMAIL_EVERY_MS = 100;
const IMAGES = 10;
const OPERATIONS = ["resize", "compress", "watermark"];

const [address = "127.0.0.1:50051", longestDelay = "300"] = process.argv.slice(2);
const longestDelayMs = Number(longestDelay) * 1_000;

await using client = new Client({ address });

for (let i = 1; i <= EMAILS; i++) {
  const email = { to: `user${i}@example.com`, subject: `Welcome, user ${i}`, body: "Good to have you here." };
  await client.enqueue("email", email, { priority: i % 10 === 0 ? 1 : 0 });
  await sleep(EMAIL_EVERY_MS);
}
console.log(`${EMAILS} emails enqueued`);

for (let i = 1; i <= IMAGES; i++) {
  const image = { image_url: `https://example.com/images/${i}.jpg`, operations: OPERATIONS };
  const delayMs = Math.round((longestDelayMs * i) / IMAGES);
  const { taskId, runTime } = await client.enqueue("image_processing", image, { delayMs });
  console.log(`image ${i} is ${taskId}, due at ${runTime?.toISOString() ?? "once"}`);
}
