import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { UserError } from '../../shared/errors.js';
import { readServerConfig } from './server-config.js';

function read(toml: string): ReturnType<typeof readServerConfig> {
  const folder = mkdtempSync(join(tmpdir(), 'ibex-config-'));
  try {
    const file = join(folder, 'server.conf');
    writeFileSync(file, toml);
    return readServerConfig(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const STOCK = `
[Gorm]
Debug = false
DBType = "mysql"
MaxLifetime = 7200
MaxOpenConns = 150
MaxIdleConns = 50
TablePrefix = ""
[MySQL]
Address = "10.0.0.5:3307"
User = "root"
Password = "12/34@x"
DBName = "ibex"
Parameters = "charset=utf8mb4&parseTime=True&loc=Local&allowNativePasswords=true"
[Postgres]
Address = "127.0.0.1:5432"
SSLMode = "disable"
`;

describe('the database of server.conf', () => {
  it('is SQLite where none is configured', () => {
    for (const toml of ['', '[Gorm]\nDBType = "mysql"', '[DB]\nDSN = ""']) {
      assert.deepEqual(read(toml).config.database, { kind: 'sqlite', path: 'data/ibex.db' });
    }
    assert.deepEqual(read('[SQLite]\nPath = "x.db"').config.database, { kind: 'sqlite', path: 'x.db' });
  });

  it('is MySQL by the sections of a Go ibex', () => {
    assert.deepEqual(read(`${STOCK}[SQLite]\nPath = "x.db"`).config.database, {
      kind: 'mysql',
      target: {
        address: { host: '10.0.0.5', port: 3_307 },
        user: 'root',
        password: '12/34@x',
        database: 'ibex',
        createDatabase: true,
        tls: 'off',
        connectTimeoutMs: 3_000,
        answerTimeoutMs: 10_000,
        readConnections: 10,
        idleConnections: 10,
        maxAgeMs: 7_200_000,
      },
    });
  });

  it('is MySQL by the DSN of a later Go ibex', () => {
    const dsn = 'u:p@ss/w@unix(/run/my.sock)/tasks?tls=skip-verify&timeout=1s&readTimeout=5s';
    const { database } = read(`[DB]\nDSN = "${dsn}"\nMaxOpenConns = 3\nMaxLifetime = 0`).config;
    assert.deepEqual(database, {
      kind: 'mysql',
      target: {
        address: { socketPath: '/run/my.sock' },
        user: 'u',
        password: 'p@ss/w',
        database: 'tasks',
        createDatabase: false,
        tls: 'skip-verify',
        connectTimeoutMs: 1_000,
        answerTimeoutMs: 5_000,
        readConnections: 2,
        idleConnections: 2,
        maxAgeMs: 0,
      },
    });
  });

  it('is made where it is missing only by its own name, or where that is said', () => {
    for (const [toml, created] of [
      ['[MySQL]\nDBName = "ibex"', true],
      ['[MySQL]\nDBName = "ibxe"', false],
      ['[MySQL]\nDBName = "tasks"\nCreate = true', true],
      ['[DB]\nDSN = "root@/ibex"', true],
      ['[DB]\nDSN = "root@/tasks"', false],
      ['[DB]\nDSN = "root@/tasks"\nCreate = true', true],
    ] as const) {
      const { database } = read(toml).config;
      assert.equal(database.kind === 'mysql' && database.target.createDatabase, created, toml);
    }
  });

  it('may have a password of digits without quotes', () => {
    const { database } = read('[MySQL]\nPassword = 1234').config;
    assert.equal(database.kind === 'mysql' && database.target.password, '1234');
  });

  it('is warned about for what has no meaning', () => {
    const { warnings } = read('[MySQL]\nParameters = "tls=preferred&serverPubKey=x"\n[BasicAuth]\na = "b"');
    assert.equal(warnings.length, 2);
  });

  const refused: Readonly<Record<string, RegExp>> = {
    '[Gorm]\nDBType = "postgres"\n[Postgres]\nUser = "x"': /Gorm\.DBType.*PostgreSQL is not supported/,
    '[DB]\nDBType = "postgres"\nDSN = "host=x password=secret"': /DB\.DBType.*PostgreSQL is not supported/,
    '[DB]\nDSN = "root:secret@tcp(h:1)"': /DB\.DSN has no slash/,
    '[DB]\nDSN = "root:secret@/"': /DB\.DSN names no database/,
    '[DB]\nDSN = "root:secret@/x"\n[MySQL]\nUser = "x"': /both DB\.DSN and \[MySQL\]/,
    '[MySQL]\nAddress = "a:b"': /MySQL\.Address must be host:port/,
    '[MySQL]\nDBName = ""': /MySQL\.DBName names no database/,
    '[MySQL]\nParameters = "tls=custom"': /MySQL\.Parameters: tls must be true, false or skip-verify, not "custom"/,
    '[MySQL]\nParameters = "timeout=10"': /timeout is no duration/,
    '[Gorm]\nTablePrefix = "n9e_"\n[MySQL]\nUser = "x"': /Gorm\.TablePrefix is not supported/,
    '[MySQL]\nAdress = "x"': /MySQL\.Adress.*Address/,
  };
  for (const [toml, wanted] of Object.entries(refused)) {
    it(`is refused as ${JSON.stringify(toml)}`, () => {
      assert.throws(
        () => read(toml),
        (error: unknown) => {
          assert.ok(error instanceof UserError, String(error));
          assert.match(error.message, wanted);
          assert.doesNotMatch(error.message, /secret/);
          return true;
        },
      );
    });
  }
});
