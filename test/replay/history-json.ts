import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import type { History } from '@temporalio/common/lib/proto-utils';
import * as proto from '@temporalio/proto';
import { patchProtobufRoot } from '@temporalio/proto/lib/patch-protobuf-root';

/** Part of `protobufjs/ext/protojson`: messages in proto3's own JSON, as Temporal's tools write and read it. */
interface ProtoJson {
  toJson: (type: unknown, message: unknown) => unknown;
  fromJson: (type: unknown, json: unknown, options: { ignoreUnknownFields: boolean }) => unknown;
}

/*
 * The SDK's `historyToJSON` and `historyFromJSON` throw “type must be a Type” where npm has installed a protobufjs for
 * each SDK package, as it does as soon as anything else wants another version: a message type is known only to the copy
 * that made it. So this takes the copy of @temporalio/proto, which makes the types.
 */
const { toJson, fromJson } = createRequire(require.resolve('@temporalio/proto'))(
  'protobufjs/ext/protojson',
) as ProtoJson;

const root = patchProtobufRoot(proto) as unknown as { lookupType(name: string): unknown };
const historyType = root.lookupType('temporal.api.history.v1.History');

/** How this process calls itself towards Temporal, also in the name of its sticky queue: `pid@host`. */
const MYSELF = `${process.pid}@${hostname()}`;

/**
 * A history that this process recorded, in the JSON form of Temporal's own tools, without anything that names a
 * machine; an event a line, so that it is small and can still be read and compared.
 */
export function historyToText(history: History): string {
  const json = toJson(historyType, proto.temporal.api.history.v1.History.fromObject(history));
  const { events } = JSON.parse(JSON.stringify(json).replaceAll(MYSELF, 'worker'), (key, value: unknown) =>
    // It names the folders of a machine; what a replay branches on are type and message.
    key === 'stackTrace' ? undefined : value,
  ) as { events: unknown[] };
  return `{"events":[\n${events.map((event) => JSON.stringify(event)).join(',\n')}\n]}\n`;
}

/** @throws Error for a text that isn't the JSON of a history */
export function historyFromText(text: string): History {
  return fromJson(historyType, JSON.parse(text), { ignoreUnknownFields: true }) as History;
}
