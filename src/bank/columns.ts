// Columns of values as PostgreSQL reads arrays: written here, since the driver quotes each number, at half of a call's cost.

/** For `bigint[]` and `integer[]`; null for NULL. */
export function numbers(values: readonly (number | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`;
}

/** For `boolean[]`. */
export function flags(values: readonly boolean[]): string {
  return `{${values.map((value) => (value ? 't' : 'f')).join(',')}}`;
}

/** For `text[]`. */
export function texts(values: readonly string[]): string {
  return `{${values.map((value) => `"${special.test(value) ? value.replace(/["\\]/g, '\\$&') : value}"`).join(',')}}`;
}

const special = /["\\]/;
