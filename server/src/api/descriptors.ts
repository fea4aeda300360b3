/** The contract, as programs can look at it. It keeps the comments of the .proto files. */
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { descriptorSet } from "@taskwire/proto/descriptors";

export const contract = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet));
