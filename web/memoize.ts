/** Label sets repeat their texts, and writing one anew costs more than a look into a map. */
export function memoize(write: (text: string) => string): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    let written = known.get(text);
    if (written === undefined) known.set(text, (written = write(text)));
    return written;
  };
}
