// Who is present: a set for what comes and goes thousands of times a second, such as calls under way.

/** Where a member sits, kept on the member itself. */
export interface Listed {
  /** -1 while it is on no roster. */
  seat: number;
}

export interface Roster<Member extends Listed> {
  readonly size: number;
  has(member: Member): boolean;
  add(member: Member): void;
  /** Does nothing for who is not there. */
  remove(member: Member): void;
  /** In no order; whoever is removed meanwhile does not make it pass over another. */
  list(): readonly Member[];
}

/**
 * Not a `Set`: whenever a Set grows out of its table, the old table keeps a pointer to the new one. Once one dead table is
 * in the old generation, every later one follows it there with what stood in it, until the next full collection.
 */
export function createRoster<Member extends Listed>(): Roster<Member> {
  const seats: Member[] = [];
  return {
    get size() {
      return seats.length;
    },
    has: (member) => seats[member.seat] === member,
    add(member) {
      if (member.seat < 0) member.seat = seats.push(member) - 1;
    },
    remove(member) {
      const { seat } = member;
      if (seats[seat] !== member) return;
      const last = seats.pop();
      if (last !== undefined && last !== member) {
        seats[seat] = last;
        last.seat = seat;
      }
      member.seat = -1;
    },
    list: () => seats.slice(),
  };
}
