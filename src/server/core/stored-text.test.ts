import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { storedText } from './stored-text.js';

const MOST = 65_535;

describe('the stored text of a stream', () => {
  it('is the text itself, NUL and control characters and a byte order mark included', () => {
    const text = '\ufeffa\u0000\u001b[31m夜莺 🔥\r\n';
    const bytes = Buffer.from(text);
    assert.equal(storedText(bytes, bytes.length), text);
  });

  it('has bytes that are no UTF-8 replaced', () => {
    assert.equal(storedText(Buffer.from([0x6f, 0x6b, 0xff, 0x0a]), 4), 'ok\ufffd\n');
  });

  it('loses the rest of a character that was cut in two, but only where something was cut', () => {
    const bytes = Buffer.from('莺x').subarray(1);
    assert.equal(storedText(bytes, 100), 'x');
    assert.equal(storedText(bytes, bytes.length), '\ufffd\ufffdx');
  });

  it('keeps the end, at most 65,535 bytes, cut at a character', () => {
    const ascii = Buffer.from(`${'x'.repeat(MOST - 1)}end`);
    assert.equal(storedText(ascii, ascii.length).length, MOST);
    assert.ok(storedText(ascii, ascii.length).endsWith('end'));
    const invalid = Buffer.alloc(MOST, 0xff);
    const text = storedText(invalid, invalid.length);
    assert.equal(Buffer.byteLength(text), MOST);
    const wide = Buffer.from('🔥'.repeat(20_000));
    const cut = storedText(wide, wide.length);
    assert.match(cut, /^(🔥)+$/u);
    assert.equal(Buffer.byteLength(cut), Math.floor(MOST / 4) * 4);
  });
});
