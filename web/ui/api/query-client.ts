import { QueryClient } from '@tanstack/react-query';
import { ApiError } from './transport.ts';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: false,
      // An answer that says no will say no again; only silence is worth a second try.
      retry: (failureCount, error) => !(error instanceof ApiError) && failureCount < 2,
      // The default waits while the browser believes itself offline, yet a server on this very
      // machine answers without any network.
      networkMode: 'always',
    },
  },
});
