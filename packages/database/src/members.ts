const members = new Map<string, string>();

/** The name that a column has in Prisma's models. */
export function memberOf(column: string): string {
  let member = members.get(column);
  if (member === undefined) members.set(column, (member = column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())));
  return member;
}
