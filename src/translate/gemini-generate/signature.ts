// Proofs of reasoning in Gemini's one place for them, `thoughtSignature`, which holds base64 and nothing else.

import type { Signature } from '../../exchange/prompt.ts';

const origin = 'gemini-generate';
const redactedMark = 'redacted:';

export interface ReadSignature {
  readonly signature: Signature;
  /** The block behind it had no readable text at its origin. */
  readonly redacted: boolean;
}

/** What a Gemini client is shown. Its own signatures stand as they are; others are tagged, and base64 as the field demands. */
export function writeSignature(signature: Signature, redacted = false): string {
  if (signature.origin === origin) return signature.value;
  const mark = redacted ? redactedMark : '';
  return Buffer.from(`tg1.${signature.origin}.${mark}${signature.value}`, 'utf8').toString('base64');
}

/** The way back. */
export function readSignature(value: string): ReadSignature {
  // `dGcxL` is how base64 begins for every text that begins with `tg1.`: nothing else is decoded.
  if (value.startsWith('dGcxL')) {
    const match = /^tg1\.(openai-chat|anthropic-messages)\.(redacted:)?([\s\S]*)$/.exec(
      Buffer.from(value, 'base64').toString('utf8'),
    );
    if (match?.[1] === 'openai-chat' || match?.[1] === 'anthropic-messages') {
      return { signature: { origin: match[1], value: match[3] ?? '' }, redacted: match[2] !== undefined };
    }
  }
  return { signature: { origin, value }, redacted: false };
}

/** The value that a Gemini provider may be sent; undefined for what another format signed. */
export function ownSignature(signature: Signature | undefined): string | undefined {
  return signature?.origin === origin ? signature.value : undefined;
}
