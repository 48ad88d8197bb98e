// Virtual keys: from a credential to the caller it stands for. Only HMACs of keys are kept; a wrong key is never repeated.

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Caller, ClaimRules, KeyRecord, Period, Unit } from '../exchange/caller.ts';
import type { NanoUsd } from '../exchange/money.ts';
import { Refusal } from '../exchange/refusal.ts';
import type { Clock, Random } from '../world/world.ts';
import { createUnits, scopeOf } from './units.ts';

export interface KeyWants {
  readonly name: string;
  /** Names or globs; absent or empty allows every model. */
  readonly allowedModels?: readonly string[];
  /** Epoch ms. */
  readonly expiresAt?: number;
  readonly budget?: { readonly limit: NanoUsd; readonly per: Period };
  /** Scope of a unit, which the maker of the key has looked up. */
  readonly owner?: string;
  readonly claims?: ClaimRules;
  readonly tier?: string;
}

export interface Identify {
  /** Throws `invalid_key`. The caller of a key keeps its identity until the key's record changes. */
  identify(credential: string | undefined): Caller;
  /** Makes a new key and lets it in at once. `key` is shown this once and kept nowhere. */
  mint(random: Random, wants: KeyWants): { record: KeyRecord; key: string };
  /** Adds a key, or replaces the one of the same id. Throws RangeError where its id could not be a scope. */
  add(record: KeyRecord): void;
  /** Acts on the next request. Undefined where there is no such key; a key once revoked keeps its first date. */
  revoke(id: string, at: number): KeyRecord | undefined;
  /** The same caller as its key stands now. */
  current(known: Caller): Caller;
  list(): readonly KeyRecord[];
  units(): readonly Unit[];
  /** Adds a unit or replaces the one of its scope; the callers under it are others from here. Throws `invalid_request`. */
  addUnit(unit: Unit): void;
  /** Undefined where there is none. Throws `invalid_request` (409) where units or keys that can be used stand under it. */
  removeUnit(scope: string): Unit | undefined;
  /** What another instance has changed: all units, and the keys that are new or other than here. */
  renew(units: readonly Unit[], keys: readonly KeyRecord[]): void;
}

/** What one id stands for now. Replaced as a whole, so that nothing holds on to an older record. */
interface Entry {
  record: KeyRecord;
  caller: Caller;
  readonly hash: Buffer;
}

const prefix = 'sk-tg-';
/** 40 characters of 62: 238 bits. */
const secretLength = 40;
/** Longer ones are refused unhashed: a flood of long credentials must not buy work. */
const credentialLengthMax = 200;
/** Credentials remembered with their entry. By the whole credential, never by a short hash of it. Spares an HMAC a request. */
const rememberedMax = 10_000;

export function createIdentify(
  pepper: Buffer,
  clock: Clock,
  keys: readonly KeyRecord[],
  unitRecords: readonly Unit[] = [],
  surelyKnown: () => boolean = () => true,
): Identify {
  let units = createUnits(unitRecords);
  const byId = new Map<string, Entry>();
  const byHash = new Map<string, Entry>();
  const remembered = new Map<string, Entry>();
  const callerOf = (record: KeyRecord): Caller => {
    const { id, name, allowedModels, budget, owner, claims } = record;
    const tier = record.tier ?? (owner === undefined ? undefined : units.tierOf(owner));
    return {
      keyId: id,
      keyName: name,
      allowedModels,
      scopes: ['global', `key:${id}`, ...(owner === undefined ? [] : units.above(owner))],
      ...(budget ? { budget } : {}),
      ...(claims ? { claims } : {}),
      ...(tier === undefined ? {} : { tier }),
    };
  };
  /** Callers keep their identity where nothing of them changed: whoever remembers something by it need not begin anew. */
  const refresh = (scope: string): void => {
    for (const entry of byId.values()) {
      if (entry.caller.scopes.includes(scope)) entry.caller = callerOf(entry.record);
    }
  };
  const hashOf = (credential: string): Buffer => createHmac('sha256', pepper).update(credential).digest();

  const add = (record: KeyRecord): void => {
    if (!/^[\w.-]{1,64}$/.test(record.id)) throw new RangeError(`not a key id: ${JSON.stringify(record.id)}`);
    const before = byId.get(record.id);
    if (before?.record.hash === record.hash) {
      before.record = record;
      before.caller = callerOf(record);
      return;
    }
    if (before) {
      byHash.delete(before.record.hash);
      remembered.clear();
    }
    const entry = { record, caller: callerOf(record), hash: Buffer.from(record.hash, 'hex') };
    byId.set(record.id, entry);
    byHash.set(record.hash, entry);
  };

  const find = (credential: string): Entry | undefined => {
    const known = remembered.get(credential);
    if (known) return known;
    const hash = hashOf(credential);
    const entry = byHash.get(hash.toString('hex'));
    if (!entry || entry.hash.length !== hash.length || !timingSafeEqual(entry.hash, hash)) return undefined;
    if (remembered.size >= rememberedMax) remembered.delete(remembered.keys().next().value ?? '');
    remembered.set(credential, entry);
    return entry;
  };

  for (const record of keys) add(record);

  return {
    add,
    identify(credential) {
      if (!credential) throw new Refusal('invalid_key', `No key was sent. Send a key of this gateway (${prefix}…).`);
      if (!credential.startsWith(prefix)) throw new Refusal('invalid_key', foreign);
      const entry = credential.length > credentialLengthMax ? undefined : find(credential);
      if (!entry && !surelyKnown()) throw new Refusal('budget_unavailable', away);
      if (!entry) throw new Refusal('invalid_key', 'This gateway does not know that key.');
      const { record, caller } = entry;
      if (record.revokedAt !== undefined) throw gone(record, 'was revoked at', record.revokedAt);
      if (record.expiresAt !== undefined && clock.now() >= record.expiresAt) {
        throw gone(record, 'expired at', record.expiresAt);
      }
      return caller;
    },
    mint(random, wants) {
      const key = prefix + letters(random, secretLength);
      const { name, allowedModels = [], expiresAt, budget, owner, claims, tier } = wants;
      const record: KeyRecord = {
        id: `k${letters(random, 11)}`,
        name,
        hash: hashOf(key).toString('hex'),
        hint: `${key.slice(0, prefix.length + 4)}…`,
        allowedModels,
        createdAt: clock.now(),
        ...(expiresAt === undefined ? {} : { expiresAt }),
        ...(budget === undefined ? {} : { budget }),
        ...(owner === undefined ? {} : { owner }),
        ...(claims === undefined ? {} : { claims }),
        ...(tier === undefined ? {} : { tier }),
      };
      add(record);
      return { record, key };
    },
    revoke(id, at) {
      const entry = byId.get(id);
      if (!entry) return undefined;
      if (entry.record.revokedAt === undefined) entry.record = { ...entry.record, revokedAt: at };
      return entry.record;
    },
    current: (known) => byId.get(known.keyId)?.caller ?? known,
    list: () => [...byId.values()].map(({ record }) => record),
    units: () => units.list(),
    addUnit(unit) {
      units.add(unit);
      refresh(scopeOf(unit));
    },
    removeUnit(scope) {
      const key = [...byId.values()].find(({ record }) => record.owner === scope && record.revokedAt === undefined);
      if (key)
        throw new Refusal(
          'invalid_request',
          `The key ${key.record.id} (${key.record.name}) belongs to ${scope}; revoke it or give it to another first.`,
          { status: 409 },
        );
      return units.remove(scope);
    },
    renew(unitRecords, keyRecords) {
      units = createUnits(unitRecords);
      for (const record of keyRecords) {
        const known = byId.get(record.id)?.record;
        // A revocation that is not in the store yet holds all the same.
        if (known?.revokedAt !== undefined && record.revokedAt === undefined) continue;
        if (JSON.stringify(known) !== JSON.stringify(record)) add(record);
      }
      for (const entry of byId.values()) {
        const caller = callerOf(entry.record);
        if (JSON.stringify(caller) !== JSON.stringify(entry.caller)) entry.caller = caller;
      }
    },
  };
}

const foreign = `This is no key of this gateway: its keys begin with ${prefix}. Providers' own keys belong in the gateway's configuration.`;

const away = 'This key is not known here, and the store that might know it cannot be reached now; try again soon.';

/** Whoever has the key may know what became of it. */
function gone(record: KeyRecord, what: string, at: number): Refusal {
  return new Refusal('invalid_key', `The key "${record.name}" (${record.hint}) ${what} ${new Date(at).toISOString()}.`);
}

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Bytes of 248 and more are thrown away, so that no letter is likelier than another. */
function letters(random: Random, length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of random.bytes(length)) {
      if (byte < 248 && text.length < length) text += alphabet[byte % 62] ?? '';
    }
  }
  return text;
}
