/** The reference of all RPCs and messages, from the descriptor set, which keeps the comments of the .proto files. */
import { fromBinary, isFieldSet } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
  type ServiceDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import { descriptorSet } from "../../proto/gen/descriptors.ts";
import { generatedFrom, table } from "./markdown.ts";

/** Numbers of the fields in FileDescriptorProto, DescriptorProto and so on, of which the paths of comments consist. */
const PATH = { message: 4, enum: 5, service: 6, member: 2, nestedMessage: 3, nestedEnum: 4, field: 2 } as const;

/** The comment at a path. */
type Comments = (path: readonly number[]) => string;

export function rpcReference(): string {
  const { file } = fromBinary(FileDescriptorSetSchema, descriptorSet);
  const ours = file.filter((one) => one.package.startsWith("taskwire."));
  const pages = ours.map((one) => ({ file: one, comments: commentsOf(one) }));
  const services = pages.flatMap(({ file: { service }, comments }) =>
    service.map((one, i) => serviceSection(one, [PATH.service, i], comments)),
  );
  const messages = pages.flatMap(({ file: { messageType }, comments }) =>
    messageType.flatMap((one, i) => messageSections("", one, [PATH.message, i], comments)),
  );
  const enums = pages.flatMap(({ file: { enumType }, comments }) =>
    enumType.map((one, i) => enumSection("", one, [PATH.enum, i], comments)),
  );
  return `# RPCs and messages

${generatedFrom("proto/taskwire/v1")}
Package \`taskwire.v1\`. The broker also serves \`grpc.health.v1\` and \`grpc.reflection\`, so grpcurl shows the same text.

${[...services, "## Messages\n", ...messages, "## Enums\n", ...enums].join("\n")}`;
}

function commentsOf({ sourceCodeInfo }: FileDescriptorProto): Comments {
  const byPath = new Map(
    sourceCodeInfo?.location.map(({ path, leadingComments }) => [path.join(), leadingComments.trim()]),
  );
  return (path) => (byPath.get(path.join()) ?? "").replaceAll(/\s+/g, " ");
}

function serviceSection({ name, method }: ServiceDescriptorProto, path: number[], comments: Comments): string {
  const rows = method.map(({ name: rpc, inputType, outputType, clientStreaming, serverStreaming }, i) => {
    const takes = `${clientStreaming ? "stream of " : ""}${link(inputType)}`;
    const gives = `${serverStreaming ? "stream of " : ""}${link(outputType)}`;
    return [`\`${rpc}\``, takes, gives, comments([...path, PATH.member, i])];
  });
  return `## ${name}\n\n${comments(path)}\n\n${table(["RPC", "Request", "Response", "What it does"], rows)}`;
}

function messageSections(prefix: string, message: DescriptorProto, path: number[], comments: Comments): string[] {
  const name = prefix + message.name;
  const rows = message.field.map((field, i) => [
    `\`${field.name}\``,
    String(field.number),
    fieldType(field, message),
    comments([...path, PATH.field, i]),
  ]);
  const fields = rows.length > 0 ? table(["Field", "Number", "Type", "Meaning"], rows) : "No fields.\n";
  const nested = message.nestedType.flatMap((one, i) =>
    one.options?.mapEntry ? [] : messageSections(`${name}.`, one, [...path, PATH.nestedMessage, i], comments),
  );
  const enums = message.enumType.map((one, i) => enumSection(`${name}.`, one, [...path, PATH.nestedEnum, i], comments));
  return [`### ${name}\n\n${comments(path)}\n\n${fields}`, ...nested, ...enums];
}

function enumSection(prefix: string, { name, value }: EnumDescriptorProto, path: number[], comments: Comments): string {
  const rows = value.map((one, i) => [`\`${one.name}\``, String(one.number), comments([...path, PATH.member, i])]);
  return `### ${prefix}${name}\n\n${comments(path)}\n\n${table(["Value", "Number", "Meaning"], rows)}`;
}

function fieldType(field: FieldDescriptorProto, within: DescriptorProto): string {
  const entry = within.nestedType.find(
    (one) => one.options?.mapEntry && field.typeName.endsWith(`.${within.name}.${one.name}`),
  );
  const [key, value] = entry?.field ?? [];
  if (key && value) return `map of ${singular(key)} to ${singular(value)}`;
  if (field.label === FieldDescriptorProto_Label.REPEATED) return `repeated ${singular(field)}`;
  if (field.proto3Optional) return `optional ${singular(field)}`;
  // An index that is not set reads as 0.
  const inOneof = isFieldSet(field, FieldDescriptorProtoSchema.field.oneofIndex);
  return inOneof ? `${singular(field)}, one of \`${within.oneofDecl[field.oneofIndex]?.name}\`` : singular(field);
}

function singular({ type, typeName }: FieldDescriptorProto): string {
  return typeName ? link(typeName) : FieldDescriptorProto_Type[type].toLowerCase();
}

/** Messages of ours are linked to their section; the well-known ones have their full name. */
function link(typeName: string): string {
  const full = typeName.replace(/^\./, "");
  if (!full.startsWith("taskwire.v1.")) return `\`${full}\``;
  const name = full.slice("taskwire.v1.".length);
  return `[${name}](#${name.toLowerCase().replaceAll(".", "")})`;
}
