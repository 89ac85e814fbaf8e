import { errorCode } from '../../shared/errors.js';

/** Why a listener could not be had, in words. */
export function listenFailure(error: unknown): string {
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return 'the port is taken by another process';
    case 'EACCES':
      return 'permission denied (ports below 1024 need root)';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'this machine has no such address';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
