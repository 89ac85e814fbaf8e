import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseGoDsn, parseGoDuration, parseMysqlAddress } from './go-dsn.js';

describe('a DSN of the Go driver', () => {
  it('is read with its parts and parameters', () => {
    const dsn = parseGoDsn('root:1234@tcp(10.0.0.1:3307)/ibex?charset=utf8mb4&loc=Asia%2FShanghai&tls=skip-verify');
    assert.deepEqual(dsn, {
      user: 'root',
      password: '1234',
      address: { host: '10.0.0.1', port: 3_307 },
      database: 'ibex',
      parameters: new Map([
        ['charset', 'utf8mb4'],
        ['loc', 'Asia/Shanghai'],
        ['tls', 'skip-verify'],
      ]),
    });
  });

  const addresses: Readonly<Record<string, unknown>> = {
    'u:p@/db': { host: '127.0.0.1', port: 3_306 },
    '/db': { host: '127.0.0.1', port: 3_306 },
    'u@tcp(db.example)/db': { host: 'db.example', port: 3_306 },
    'u@tcp([fe80::1]:33)/db': { host: 'fe80::1', port: 33 },
    'u@tcp(:3308)/db': { host: '127.0.0.1', port: 3_308 },
    'u@unix(/run/mysqld/mysqld.sock)/db': { socketPath: '/run/mysqld/mysqld.sock' },
    'u@unix/db': { socketPath: '/tmp/mysql.sock' },
  };
  for (const [dsn, address] of Object.entries(addresses)) {
    it(`leads from ${dsn} to its address`, () => {
      assert.deepEqual(parseGoDsn(dsn).address, address);
      assert.equal(parseGoDsn(dsn).database, 'db');
    });
  }

  for (const password of ['p@ss', 'a:b:c', 'x/y@z(1)?&=%', '', '密码 🔥', '100%']) {
    it(`takes the password ${JSON.stringify(password)} as it is`, () => {
      const dsn = parseGoDsn(`ibex:${password}@tcp(127.0.0.1:3306)/ibex?parseTime=true`);
      assert.equal(dsn.user, 'ibex');
      assert.equal(dsn.password, password);
      assert.equal(dsn.database, 'ibex');
    });
  }

  for (const wrong of [
    'root:secret@tcp(h:1)',
    'root:secret@udp(h:1)/d',
    'root:secret@tcp(h:1/d',
    'root:secret@tcp(h:99999)/d',
    'root:secret@tcp(h:1)/d?loc=%zz',
    'root:secret@/d?secrets',
  ]) {
    it(`is refused as ${wrong} without its password being told`, () => {
      assert.throws(
        () => parseGoDsn(wrong),
        (error: unknown) => error instanceof Error && !/secret\b|secret@/.test(error.message),
      );
    });
  }
});

describe('an address', () => {
  it('is a host with a port, or a socket', () => {
    assert.deepEqual(parseMysqlAddress('db'), { host: 'db', port: 3_306 });
    assert.deepEqual(parseMysqlAddress('/run/my.sock'), { socketPath: '/run/my.sock' });
    assert.throws(() => parseMysqlAddress('a:b'));
  });
});

describe('a duration of Go', () => {
  it('is read in milliseconds', () => {
    assert.equal(parseGoDuration('10s'), 10_000);
    assert.equal(parseGoDuration('1m30s'), 90_000);
    assert.equal(parseGoDuration('1.5s'), 1_500);
    assert.throws(() => parseGoDuration('10'));
  });
});
