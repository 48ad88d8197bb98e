// A model name as one segment of a path: percent-encoded, and refused where it could leave its place.

import { Refusal } from '../exchange/refusal.ts';

export function segment(name: string): string {
  if (name === '' || name.includes('..') || /[/\\]/.test(name) || name === '.') {
    throw new Refusal('invalid_request', 'The model name cannot be part of this provider’s address.', {
      param: 'model',
    });
  }
  // `@` is how Vertex writes versions, and means nothing special inside a segment.
  return encodeURIComponent(name).replace(/%40/g, '@');
}
