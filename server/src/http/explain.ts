/**
 * What is wrong with JSON that is no message of a kind, in the form that wrong fields have everywhere: all of them at once, with
 * their paths, and what they must be. The library that reads it stops at the first, and of some it names no path.
 */
import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { Fields } from "../api/parse/fields.ts";
import { TaskwireError } from "../domain/errors.ts";
import { LIMITS } from "../domain/limits.ts";
import { JSON_OPTIONS } from "./json.ts";

const SHOWN_LETTERS = 100;

/** @throws INVALID_ARGUMENT when the bytes are no JSON of such a message */
export function checkJson(body: Buffer, desc: DescMessage): void {
  readJson(parse(body), desc);
}

/** @throws INVALID_ARGUMENT */
export function readJson(json: JsonValue, desc: DescMessage): Message {
  try {
    return fromJson(desc, json, JSON_OPTIONS);
  } catch (cause) {
    if (!isObject(json)) throw invalid(`the request is ${shown(json)}; must be an object, such as {}`, cause);
    const fields = new Fields();
    checkFields(json, desc, { path: "", fields });
    fields.check();
    // What only the library sees: two fields of which one may be given, for instance.
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function parse(body: Buffer): JsonValue {
  try {
    return JSON.parse(body.toString());
  } catch (cause) {
    throw invalid(`the request is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

/** Where in a request one looks. */
interface Place {
  readonly path: string;
  readonly fields: Fields;
}

function checkFields(json: JsonObject, desc: DescMessage, { path, fields }: Place): void {
  for (const [key, value] of entriesOf(json)) {
    const field = desc.fields.find(({ name, jsonName }) => key === name || key === jsonName);
    if (field) checkField(value, field, { path: `${path}${field.name}`, fields });
    else fields.wrong(path + key.slice(0, SHOWN_LETTERS), `is no field of ${desc.name}: ${namesOf(desc)}`);
  }
}

/** As many as any request may have: to look at all that are sent could take seconds. */
function entriesOf(json: JsonObject): readonly [string, JsonValue][] {
  return Object.entries(json).slice(0, LIMITS.batchTasks);
}

function checkField(value: JsonValue, field: DescField, place: Place): void {
  if (reads(value, field)) return;
  const { path, fields } = place;
  switch (field.fieldKind) {
    case "list":
      if (!Array.isArray(value)) return fields.wrong(path, `is ${shown(value)}; must be a list`);
      for (const [i, one] of value.slice(0, LIMITS.batchTasks).entries())
        if (!reads([one], field)) explain(one, field, { path: `${path}[${i}]`, fields });
      return;
    case "map":
      if (!isObject(value)) return fields.wrong(path, `is ${shown(value)}; must be an object`);
      for (const [key, one] of entriesOf(value))
        if (!reads({ [key]: one }, field)) explain(one, field, { path: `${path}[${shown(key)}]`, fields });
      return;
    default:
      return explain(value, field, place);
  }
}

/** Whether the library takes the value of a field. */
function reads(value: JsonValue, field: DescField): boolean {
  try {
    fromJson(field.parent, { [field.name]: value }, JSON_OPTIONS);
    return true;
  } catch {
    return false;
  }
}

/** What is wrong with a value, one of perhaps several, that the library does not take. */
function explain(value: JsonValue, field: DescField, { path, fields }: Place): void {
  const { message } = field;
  if (!message || !isObject(value)) fields.wrong(path, `is ${shown(value)}; must be ${wanted(field)}`);
  // Of an object that may have any JSON, only the library knows what it does not take.
  else if (!(message.typeName in MESSAGES)) checkFields(value, message, { path: `${path}.`, fields });
}

/** What a value of a field must be. */
function wanted(field: DescField): string {
  if (field.enum)
    return `one of ${field.enum.values
      .filter(({ number }) => number !== 0)
      .map(({ name }) => name)
      .join(", ")}`;
  if (field.message) return MESSAGES[field.message.typeName] ?? "an object";
  return (field.scalar && SCALARS[field.scalar]) ?? "a whole number";
}

/** Messages whose JSON is not an object with their fields. */
const MESSAGES: Readonly<Record<string, string>> = {
  "google.protobuf.Duration": 'seconds, such as "1.5s"',
  "google.protobuf.Timestamp": 'a time, such as "2030-12-31T23:59:59Z"',
  "google.protobuf.Struct": "an object",
};

/** All others are whole numbers of 64 bits. */
const SCALARS: Readonly<Partial<Record<ScalarType, string>>> = {
  [ScalarType.STRING]: "a string, of valid Unicode",
  [ScalarType.BYTES]: "a string in base64",
  [ScalarType.BOOL]: "true or false",
  [ScalarType.DOUBLE]: "a number",
  [ScalarType.FLOAT]: "a number",
  [ScalarType.INT32]: "a whole number from -2147483648 to 2147483647",
  [ScalarType.SINT32]: "a whole number from -2147483648 to 2147483647",
  [ScalarType.UINT32]: "a whole number from 0 to 4294967295",
};

function namesOf({ fields }: DescMessage): string {
  return fields.length === 0 ? "it has none" : `it has ${fields.map(({ jsonName }) => jsonName).join(", ")}`;
}

/** What is nested is not looked into: it may be nested deeply. */
function shown(value: JsonValue): string {
  if (Array.isArray(value)) return "a list";
  if (isObject(value)) return "an object";
  return JSON.stringify(typeof value === "string" ? value.slice(0, SHOWN_LETTERS) : value);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(message: string, cause: unknown): TaskwireError {
  return new TaskwireError("INVALID_ARGUMENT", message, { cause });
}
