import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';
import { MariadbProcess } from '../../src/server/store/testing/mariadb-process.ts';

const MISSING = 'no MySQL or MariaDB here; get one with: apt-get install -y mariadb-server';

interface Address {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** A database of a test's own, dropped in the end. */
export class TestMysql implements AsyncDisposable {
  readonly name = `ibex_test_${process.pid}_${randomBytes(4).toString('hex')}`;
  readonly #address: Address;
  readonly #own: MariadbProcess | undefined;

  private constructor(address: Address, own: MariadbProcess | undefined) {
    this.#address = address;
    this.#own = own;
  }

  /** Why there is none to be had here; false where there is. With CI=true it is an error if there is none. */
  static async missing(): Promise<string | false> {
    if (MariadbProcess.installed() || (await answers(configured()))) return false;
    if (process.env['CI'] === 'true') throw new Error(MISSING);
    return MISSING;
  }

  /**
   * On IBEX_TEST_MYSQL, else on what answers on 127.0.0.1:3306 as root without a password, else on a MariaDB of the
   * test's own.
   */
  static async open(): Promise<TestMysql> {
    if (await answers(configured())) return new TestMysql(configured(), undefined);
    const own = await MariadbProcess.start();
    return new TestMysql(rootAt(own.port), own);
  }

  /** The part of server.conf that names it. */
  get config(): string {
    const { host, port, user, password } = this.#address;
    return `[MySQL]\nAddress = "${host}:${port}"\nUser = "${user}"\nPassword = "${password}"\nDBName = "${this.name}"\nCreate = true\n`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const connection = await mysql.createConnection({ ...this.#address });
    await connection.query(`drop database if exists \`${this.name}\``);
    await connection.end();
    await this.#own?.[Symbol.asyncDispose]();
  }
}

function configured(): Address {
  const url = process.env['IBEX_TEST_MYSQL'];
  return url === undefined || url === '' ? rootAt(3_306) : addressOf(new URL(url));
}

async function answers(address: Address): Promise<boolean> {
  try {
    const connection = await mysql.createConnection({ ...address });
    await connection.end();
    return true;
  } catch {
    return false;
  }
}

function rootAt(port: number): Address {
  return { host: '127.0.0.1', port, user: 'root', password: '' };
}

function addressOf({ hostname, port, username, password }: URL): Address {
  return {
    host: hostname,
    port: Number(port) || 3_306,
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
  };
}
