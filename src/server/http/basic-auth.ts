import { hash, timingSafeEqual } from 'node:crypto';

/** Checks `Authorization: Basic` headers. The time a check takes does not depend on how much of a password is right. */
export class BasicAuth {
  readonly #passwords: ReadonlyMap<string, Buffer>;
  readonly #nobody = digest('');

  constructor(users: Readonly<Record<string, string>>) {
    this.#passwords = new Map(Object.entries(users).map(([user, password]) => [user, digest(password)]));
  }

  /** The user, or undefined for missing, malformed or wrong credentials. */
  user(header: string): string | undefined {
    const encoded = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header)?.[1];
    if (encoded === undefined) return undefined;
    const decoded = Buffer.from(encoded, 'base64').toString();
    const colon = decoded.indexOf(':');
    if (colon < 0) return undefined;
    const user = decoded.slice(0, colon);
    const expected = this.#passwords.get(user);
    // An unknown user costs the same comparison, so that user names can't be told by time.
    const right = timingSafeEqual(digest(decoded.slice(colon + 1)), expected ?? this.#nobody);
    return right && expected !== undefined ? user : undefined;
  }
}

function digest(password: string): Buffer {
  return hash('sha256', password, 'buffer');
}
