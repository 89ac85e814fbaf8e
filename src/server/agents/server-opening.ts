import { randomBytes } from 'node:crypto';
import { ProtocolError } from '../../shared/errors.js';
import type { ChallengeFrame, HelloFrame, ProofFrame } from '../../shared/protocol/agent-frames.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { AGENT_VERSIONS } from '../../shared/protocol/limits.js';
import { checkProof, NONCE_BYTES, prove, type Opening } from '../../shared/protocol/opening.js';
import type { ClusterIdentity } from '../store/store.js';

/** The server's side of one opening: it proves its own key first, then checks the agent's proof. */
export class ServerOpening {
  readonly hello: HelloFrame;
  readonly challenge: ChallengeFrame;
  readonly #opening: Opening;

  /** `instance`: of this server process. Throws ProtocolError (version) where no version is shared. */
  constructor(hello: HelloFrame, cluster: ClusterIdentity, instance: string) {
    const version = AGENT_VERSIONS.find((known) => hello.versions.includes(known));
    if (version === undefined) {
      throw new ProtocolError(CloseCode.version, `this server speaks session version ${AGENT_VERSIONS.join(', ')}`);
    }
    const opening: Opening = {
      version,
      host: hello.host,
      cluster: cluster.id,
      agentKey: hello.key,
      agentNonce: hello.nonce,
      serverKey: cluster.identity.publicKey,
      serverNonce: randomBytes(NONCE_BYTES).toString('base64url'),
    };
    this.hello = hello;
    this.#opening = opening;
    this.challenge = {
      t: 'challenge',
      version,
      cluster: cluster.id,
      instance,
      key: opening.serverKey,
      nonce: opening.serverNonce,
      proof: prove('server', opening, cluster.identity),
    };
  }

  /** Throws ProtocolError (badProof). */
  check(frame: ProofFrame): void {
    if (checkProof('agent', this.#opening, Buffer.from(frame.proof, 'base64url'))) return;
    throw new ProtocolError(CloseCode.badProof, 'the proof does not fit the key of the hello');
  }
}
