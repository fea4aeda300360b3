/**
 * Server reflection from the descriptor set that is generated with the code. It keeps the comments, which the usual
 * libraries drop: `grpcurl describe` shows them. v1 and v1alpha differ in name only.
 */
import { type DescFile, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { Server, ServerDuplexStream } from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";
import {
  ServerReflectionDefinition,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
} from "@taskwire/proto/reflection";
import type { GenericDefinition } from "../api/definition.ts";
import { contract } from "../api/descriptors.ts";
import { toServiceDefinition } from "./definitions.ts";

type Answer = NonNullable<ServerReflectionResponse["messageResponse"]>;
type Question = ServerReflectionRequest["messageRequest"];

export function addReflection(server: Server, services: readonly string[]): void {
  for (const version of ["v1", "v1alpha"]) {
    const fullName = `grpc.reflection.${version}.ServerReflection`;
    const definition: GenericDefinition = { ...ServerReflectionDefinition, fullName };
    server.addService(toServiceDefinition(definition), {
      serverReflectionInfo: (call: ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse>) => {
        call.on("data", (request: ServerReflectionRequest) => {
          call.write({
            validHost: request.host,
            originalRequest: request,
            messageResponse: answer(request.messageRequest, services),
          });
        });
        call.on("end", () => call.end());
      },
    });
  }
}

function answer(question: Question, services: readonly string[]): Answer {
  switch (question?.$case) {
    case "listServices":
      return { $case: "listServicesResponse", value: { service: services.map((name) => ({ name })) } };
    case "fileByFilename":
      return files(contract.getFile(question.value), `file ${question.value}`);
    case "fileContainingSymbol":
      return files(fileOf(question.value), `symbol ${question.value}`);
    case "fileContainingExtension":
    case "allExtensionNumbersOfType":
      return notFound("there are no extensions");
    case undefined:
      return {
        $case: "errorResponse",
        value: { errorCode: status.INVALID_ARGUMENT, errorMessage: "the request asks nothing that this server knows" },
      };
  }
}

/** The file that declares a name, or the message, service or enum that the name is inside of. */
function fileOf(symbol: string): DescFile | undefined {
  for (let name = symbol; name !== ""; name = name.slice(0, Math.max(0, name.lastIndexOf(".")))) {
    const found = contract.get(name);
    if (found) return found.file;
  }
  return undefined;
}

/** A file with all that it imports. */
function files(file: DescFile | undefined, what: string): Answer {
  if (!file) return notFound(`no ${what}`);
  const all = new Set<DescFile>();
  const add = (one: DescFile) => {
    if (all.has(one)) return;
    all.add(one);
    one.dependencies.forEach(add);
  };
  add(file);
  const fileDescriptorProto = [...all].map((one) => Buffer.from(toBinary(FileDescriptorProtoSchema, one.proto)));
  return { $case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function notFound(errorMessage: string): Answer {
  return { $case: "errorResponse", value: { errorCode: status.NOT_FOUND, errorMessage } };
}
