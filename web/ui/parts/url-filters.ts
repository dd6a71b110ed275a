/** The filters of a list page, kept in the address so that a link shows the same. */
import { useLocation, useNavigate } from '@tanstack/react-router';

type Filters<Key extends string> = Partial<Record<Key, string>>;

/** Empty texts are left out of the address. */
export function useUrlFilters<Key extends string>(): [
  filters: Filters<Key>,
  change: (part: Filters<Key>) => void,
] {
  const filters = useLocation().search as Filters<Key>;
  const navigate = useNavigate();
  const change = (part: Filters<Key>) => {
    const next = Object.entries<string | undefined>({ ...filters, ...part });
    const search = Object.fromEntries(next.filter(([, text]) => text)) as Record<string, string>;
    void navigate({ to: '.', search, replace: true });
  };
  return [filters, change];
}
