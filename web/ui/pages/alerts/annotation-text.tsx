/** An annotation; when it is nothing but an address, a link. */
export function AnnotationText({ text }: { text: string }) {
  // Only these two: a rule file must not be able to put script into the page.
  const isAddress = /^https?:\/\/\S+$/.test(text);
  if (!isAddress) return text;
  return (
    <a href={text} target="_blank" rel="noreferrer">
      {text}
    </a>
  );
}
