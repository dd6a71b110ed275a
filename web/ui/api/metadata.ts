/** GET /api/v1/metadata: type, help and unit of metrics. */
import { useQuery } from '@tanstack/react-query';
import { apiGet } from './client.ts';
import type { MetadataByName } from './metric-metadata.ts';
import { queryClient } from './query-client.ts';

const metadataQuery = {
  queryKey: ['metadata'],
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    apiGet<MetadataByName>('metadata', {}, signal).then((answer) => answer.data),
  staleTime: 60_000,
};

export const useMetadata = () => useQuery(metadataQuery);
export const fetchMetadata = () => queryClient.fetchQuery(metadataQuery);
