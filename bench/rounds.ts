// Rounds in turn: each variant once a round, the first one another in each, so that a machine that slows down slows all alike.

import { median, type Outcome, type Plan } from './plan.ts';
import type { Server } from './process.ts';
import { digits, type Row } from './report.ts';
import { type Bench, type Subject, type SubjectName, startScript, startSubject } from './subjects.ts';

export interface Session {
  readonly bench: Bench;
  /** Who stands for the gateway. */
  readonly judged: SubjectName;
  readonly seed: number;
  /** Divides counts and rounds: 1 measures, more than 1 proves that the harness works. */
  readonly shrink: number;
  /** How many times as long this machine takes as the one on which the goals were set; undefined where nothing told it. */
  readonly slower?: number | undefined;
  say(line: string): void;
}

export type Role = 'gateway' | 'relay' | 'nginx' | 'direct';

export interface Variant {
  readonly name: string;
  readonly role: Role;
  plan(round: number): Plan;
}

export interface Loader {
  run(plan: Plan): Promise<Outcome>;
  stop(): Promise<void>;
}

/** A load generator that has been idle: its own code is warm after the first plan. */
export function startLoader(session: Session): Loader {
  const server: Server = startScript('load', session.bench.folder);
  return {
    run(plan) {
      return new Promise((resolve, reject) => {
        const ended = (): void => reject(new Error(`the load generator ended:\n${server.output()}`));
        server.process.once('exit', ended);
        server.process.once('message', (answer: { outcome?: Outcome; failure?: string }) => {
          server.process.off('exit', ended);
          if (answer.outcome) resolve(answer.outcome);
          else reject(new Error(answer.failure));
        });
        server.process.send(plan);
      });
    },
    stop: server.stop,
  };
}

export async function withSubjects<T>(
  session: Session,
  roles: readonly Role[],
  use: (subjects: (role: Role) => Subject) => Promise<T>,
): Promise<T> {
  const started = new Map<Role, Subject>();
  try {
    for (const role of roles)
      started.set(role, await startSubject(role === 'gateway' ? session.judged : role, session.bench));
    return await use((role) => {
      const subject = started.get(role);
      if (!subject) throw new Error(`${role} was not started`);
      return subject;
    });
  } finally {
    for (const subject of started.values()) await subject.stop();
  }
}

export async function inTurn(
  session: Session,
  loader: Loader,
  rounds: number,
  variants: readonly Variant[],
): Promise<Map<string, Outcome[]>> {
  const outcomes = new Map<string, Outcome[]>(variants.map((variant) => [variant.name, []]));
  const count = Math.max(2, Math.round(rounds / session.shrink));
  for (let round = 0; round < count; round++) {
    for (let place = 0; place < variants.length; place++) {
      const variant = variants[(place + round + session.seed) % variants.length];
      if (!variant) continue;
      outcomes.get(variant.name)?.push(trusted(variant.role, await loader.run(variant.plan(round))));
    }
  }
  return outcomes;
}

/** What the gateway gets wrong is a failed row; a reference that errs would move the goal, so that nothing may be reported. */
export function trusted<T extends Outcome>(role: Role, outcome: T): T {
  if (role === 'gateway' || Object.keys(outcome.errors).length === 0) return outcome;
  throw new Error(`the reference ${role} failed: ${JSON.stringify(outcome.errors)}`);
}

/** Median over the rounds, how far they lie apart, and what went wrong in any of them. */
export interface Figure {
  readonly value: number;
  readonly values: readonly number[];
  readonly apart: string;
  readonly errors?: string;
}

export function figure(
  outcomes: readonly Outcome[] | undefined,
  read: (outcome: Outcome, round: number) => number,
): Figure {
  const values = (outcomes ?? []).map(read);
  const value = median(values);
  const errors = (outcomes ?? []).flatMap((outcome) =>
    Object.entries(outcome.errors).map(([why, times]) => `${times} × ${why}`),
  );
  return {
    value,
    values,
    apart: `${digits(Math.min(...values))} to ${digits(Math.max(...values))}`,
    ...(errors.length > 0 ? { errors: [...new Set(errors)].slice(0, 3).join('; ') } : {}),
  };
}

export function row(
  what: string,
  unit: string,
  figured: Figure,
  notes: string,
  goal?: { bound: number; words?: string; absolute?: true },
): Row {
  return {
    what,
    unit,
    value: figured.value,
    notes: `${figured.apart}${notes === '' ? '' : `; ${notes}`}`,
    ...(goal ? { bound: goal.bound, ...(goal.words === undefined ? {} : { goal: goal.words }) } : {}),
    ...(goal?.absolute ? { absolute: true } : {}),
    ...(figured.errors === undefined ? {} : { errors: figured.errors }),
  };
}
