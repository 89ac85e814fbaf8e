import { ibexVersion } from '../../shared/version.js';
import { StoreError, type Store } from '../store/store.js';
import { text, type Reply } from './reply.js';
import type { Handler } from './request.js';

const STORE_ANSWERS_WITHIN_MS = 2_000;

export const ping: Handler = () => text('pong');
export const pid: Handler = () => text(String(process.pid));
export const version: Handler = () => text(ibexVersion());
/** The caller's address and port as seen here. */
export const addr: Handler = (request) => text(request.remote);

/** GET /healthz: 200 while the database answers */
export function healthz(store: Store): Handler {
  return async () => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Reply>((resolve) => {
      timer = setTimeout(() => resolve(text('the database does not answer in time', 503)), STORE_ANSWERS_WITHIN_MS);
    });
    try {
      return await Promise.race([late, store.ping().then(() => text('ok'))]);
    } catch (error) {
      if (error instanceof StoreError) return text(error.message, 503);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };
}
