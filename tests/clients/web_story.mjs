// The stories through gRPC-Web with Connect's client, as a browser sends it; the schema is an image that buf built.
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import assert from "node:assert/strict";
import { createFileRegistry, fromBinary, fromJson, toJson } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(process.env.IMAGE)));
const transport = createGrpcWebTransport({ baseUrl: process.env.GATEWAY });
const stories = JSON.parse(readFileSync(new URL("stories.json", import.meta.url)));
const tokens = new Map();

function token(who) {
  const key = JSON.stringify(who);
  if (!tokens.has(key)) {
    const named = Object.entries(who).flatMap(([name, value]) => [`--${name}`, value]);
    const args = ["token", "--data-dir", process.env.DATA_DIR, ...named];
    tokens.set(key, execFileSync(process.env.JINGWEI, args, { encoding: "utf8" }).trim());
  }
  return tokens.get(key);
}

async function call(step, request) {
  const [serviceName, methodName] = step.call.split("/");
  const service = registry.getService(serviceName);
  const method = service.methods.find((m) => m.name === methodName);
  const client = createClient(service, transport);
  const headers = { authorization: `Bearer ${token(step.as)}` };
  const answer = await client[method.localName](fromJson(method.input, request, { registry }), { headers });
  return toJson(method.output, answer, { registry });
}

function look(answer, path) {
  return path.split(".").reduce((value, part) => value?.[part], answer);
}

function check(expected, answer, where) {
  for (const [path, value] of Object.entries(expected)) {
    if (path.endsWith(".atLeast")) {
      assert.ok(look(answer, path.slice(0, -8)).length >= value, `${where}: ${path}`);
    } else if (value !== null && typeof value === "object") {
      check(value, look(answer, path), `${where}: ${path}`);
    } else {
      assert.equal(look(answer, path), value, `${where}: ${path}`);
    }
  }
}

async function refused(step, request) {
  try {
    await call(step, request);
  } catch (error) {
    return error;
  }
  throw new Error("no error");
}

for (const story of stories) {
  let text = JSON.stringify(story.steps).replaceAll("${uuid}", randomUUID());
  for (let number = 0; number < story.steps.length; number++) {
    const step = JSON.parse(text)[number];
    const where = `${story.title}, step ${number + 1} (${step.call})`;
    if (step.error) {
      const error = await refused(step, step.request);
      assert.equal(error.code, 3, `${where}: ${error}`); // INVALID_ARGUMENT
      continue;
    }
    const answer = await call(step, step.request).catch((error) => assert.fail(`${where}: ${error}`));
    check(step.expect, answer, where);
    if (step.call.endsWith("/ReportEvent")) text = text.replaceAll("${event}", answer.name);
  }
  console.log(`  ok: ${story.title}`);
}
