/** The migrated database that every test database is copied from. */
export const templateName = 'hoop_test_template';

/** A copy of `url` that names another database. */
export function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
