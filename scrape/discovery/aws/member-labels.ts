/** Labels made of what Amazon calls members: a name of its own for each, written in another style. */
import type { LabelRecord } from '../../config.ts';
import { labelNamePart } from '../platform-api.ts';
import { childrenAt, childOf, textAt, type XmlElement } from '../xml.ts';

/** Names of members, with white space between them. */
export function memberNames(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

/**
 * A label for each member that `element` has.
 * @param members  their names, as the API reference writes them
 * @param own      what names begin with that the label leaves out
 */
export function memberLabels(
  element: XmlElement,
  prefix: string,
  members: readonly string[],
  own = /^$/,
): LabelRecord {
  const labels: Record<string, string> = {};
  for (const member of members) {
    const found = childOf(element, member);
    if (found === undefined) continue;
    labels[prefix + labelNameOf(member.replace(own, ''))] = withoutFraction(found.text);
  }
  return labels;
}

export function xmlTagLabels(prefix: string, element: XmlElement): LabelRecord {
  const tags = childrenAt(element, 'TagList').map((tag): [string, string] => [
    `${prefix}tag_${labelNamePart(textAt(tag, 'Key'))}`,
    textAt(tag, 'Value'),
  ]);
  return Object.fromEntries(tags);
}

/** `IAMDatabaseAuthenticationEnabled` is `iam_database_authentication_enabled`. */
function labelNameOf(member: string): string {
  return member.replaceAll(/([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])/g, '$1$3_$2').toLowerCase();
}

/** Times are told to the second. */
function withoutFraction(text: string): string {
  return text.replace(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+Z$/, '$1Z');
}
