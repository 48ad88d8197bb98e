// Data URLs, in which the chat format carries media inside its JSON.

/** `data:image/png;base64,AAAA` in its two pieces. */
export function dataUrl(url: string): { mediaType: string; data: string } | undefined {
  if (!url.startsWith('data:')) return undefined;
  const comma = url.indexOf(',');
  const head = url.slice(5, comma);
  if (comma < 0 || !head.endsWith(';base64')) return undefined;
  return { mediaType: head.slice(0, -7), data: url.slice(comma + 1) };
}
