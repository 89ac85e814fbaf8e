/** Values as these agents write them, to the MessagePack spec of before there were str8 and bin: for tests. */
export type Plain = null | number | string | Uint8Array | readonly Plain[] | { readonly [key: string]: Plain };

export function encodeOld(value: Plain): Buffer {
  if (value === null) return Buffer.from([0xc0]);
  if (typeof value === 'number') return oldInteger(value);
  if (typeof value === 'string') return oldRaw(Buffer.from(value));
  if (value instanceof Uint8Array) return oldRaw(value);
  if (isList(value)) return Buffer.concat([head(0x90, 0xdc, value.length), ...value.map(encodeOld)]);
  const fields = Object.entries(value).flatMap(([key, field]) => [encodeOld(key), encodeOld(field)]);
  return Buffer.concat([head(0x80, 0xde, fields.length / 2), ...fields]);
}

/** A call; its number is written unsigned, unlike all others. */
export function encodeCall(seq: number, method: string, param: Plain): Buffer {
  const parts = [Buffer.from([0x94, 0x00]), unsigned(seq), encodeOld(method), encodeOld([param])];
  return Buffer.concat(parts);
}

function isList(value: object): value is readonly Plain[] {
  return Array.isArray(value);
}

function head(fix: number, wide: number, count: number): Buffer {
  if (count < 16) return Buffer.from([fix | count]);
  const bytes = Buffer.from([wide, 0, 0]);
  bytes.writeUInt16BE(count, 1);
  return bytes;
}

function oldRaw(bytes: Uint8Array): Buffer {
  if (bytes.length < 32) return Buffer.concat([Buffer.from([0xa0 | bytes.length]), bytes]);
  const size = Buffer.alloc(bytes.length < 65_536 ? 3 : 5);
  size[0] = bytes.length < 65_536 ? 0xda : 0xdb;
  if (bytes.length < 65_536) size.writeUInt16BE(bytes.length, 1);
  else size.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([size, bytes]);
}

function oldInteger(value: number): Buffer {
  if (value >= 0 && value < 128) return Buffer.from([value]);
  const bytes = Buffer.alloc(9);
  if (value < 32_768) {
    bytes[0] = 0xd1;
    bytes.writeInt16BE(value, 1);
    return bytes.subarray(0, 3);
  }
  if (value < 2 ** 31) {
    bytes[0] = 0xd2;
    bytes.writeInt32BE(value, 1);
    return bytes.subarray(0, 5);
  }
  bytes[0] = 0xd3;
  bytes.writeBigInt64BE(BigInt(value), 1);
  return bytes;
}

function unsigned(value: number): Buffer {
  if (value < 128) return Buffer.from([value]);
  if (value < 256) return Buffer.from([0xcc, value]);
  if (value < 65_536) return Buffer.from([0xcd, value >> 8, value & 0xff]);
  const bytes = Buffer.from([0xce, 0, 0, 0, 0]);
  bytes.writeUInt32BE(value, 1);
  return bytes;
}
