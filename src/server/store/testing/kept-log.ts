import type { Log } from '../../../shared/log.js';

/** Keeps what is logged, for tests that look at it. */
export class KeptLog implements Log {
  readonly lines: { readonly fields: object; readonly message: string }[] = [];
  readonly warnings: { readonly fields: object; readonly message: string }[] = [];

  debug(fields: object, message: string): void {
    this.lines.push({ fields, message });
  }

  info(fields: object, message: string): void {
    this.debug(fields, message);
  }

  warn(fields: object, message: string): void {
    this.warnings.push({ fields, message });
    this.debug(fields, message);
  }

  error(fields: object, message: string): void {
    this.debug(fields, message);
  }

  child(): Log {
    return this;
  }
}
