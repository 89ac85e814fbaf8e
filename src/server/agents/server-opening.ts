import { randomBytes } from 'node:crypto';
import { ProtocolError } from '../../shared/errors.js';
import type { ChallengeFrame, HelloFrame, ProofFrame } from '../../shared/protocol/agent-frames.js';
import { CloseCode } from '../../shared/protocol/close-codes.js';
import { AGENT_VERSIONS } from '../../shared/protocol/limits.js';
import { checkProofInPool, NONCE_BYTES, proveInPool, type Opening } from '../../shared/protocol/opening.js';
import type { ClusterIdentity } from '../store/store.js';

/** The server's side of one opening: it proves its own key first, then checks the agent's proof. */
export class ServerOpening {
  readonly hello: HelloFrame;
  readonly #cluster: ClusterIdentity;
  readonly #opening: Opening;

  /** Throws ProtocolError (version) where no version is shared. */
  constructor(hello: HelloFrame, cluster: ClusterIdentity) {
    const version = AGENT_VERSIONS.find((known) => hello.versions.includes(known));
    if (version === undefined) {
      throw new ProtocolError(CloseCode.version, `this server speaks session version ${AGENT_VERSIONS.join(', ')}`);
    }
    this.hello = hello;
    this.#cluster = cluster;
    this.#opening = {
      version,
      host: hello.host,
      cluster: cluster.id,
      agentKey: hello.key,
      agentNonce: hello.nonce,
      serverKey: cluster.identity.publicKey,
      serverNonce: randomBytes(NONCE_BYTES).toString('base64url'),
    };
  }

  /** `instance`: of this server process. */
  async challenge(instance: string): Promise<ChallengeFrame> {
    const { version, cluster, serverKey, serverNonce } = this.#opening;
    const proof = await proveInPool('server', this.#opening, this.#cluster.identity);
    return { t: 'challenge', version, cluster, instance, key: serverKey, nonce: serverNonce, proof };
  }

  /** Rejects with ProtocolError (badProof). */
  async check(frame: ProofFrame): Promise<void> {
    if (await checkProofInPool('agent', this.#opening, Buffer.from(frame.proof, 'base64url'))) return;
    throw new ProtocolError(CloseCode.badProof, 'the proof does not fit the key of the hello');
  }
}
