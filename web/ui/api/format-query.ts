/** GET /api/v1/format_query: the expression as the server would write it. */
import { apiGet } from './client.ts';

export async function formatQuery(expr: string): Promise<string> {
  return (await apiGet<string>('format_query', { query: expr })).data;
}
