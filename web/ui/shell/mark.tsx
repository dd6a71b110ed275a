/** The mark: a stalk of fennel that carries fire, which is what a narthex was to Prometheus. */
export function Mark({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" fill="none" aria-hidden>
      <g stroke="var(--nx-stalk)" strokeLinecap="round">
        <path d="M16 31V17" strokeWidth="3.4" />
        <path d="M16 28.5c-4 0-6.6-2-7.6-5.4M16 24.5c3.8 0 6.2-1.8 7.2-4.8" strokeWidth="2.4" />
      </g>
      <path
        fill="var(--nx-flame)"
        d="M16.4 1c.5 3.9 5.9 6.1 5.9 10.9a6.3 6.3 0 0 1-12.6 0c0-2.7 1.5-4.3 2.9-5.9.3 1.7.9 2.7 1.9 3.1C14.5 6 14.6 3.5 16.4 1z"
      />
      <path
        fill="#ffc078"
        d="M16.1 9.6c.3 1.3 2.5 2.1 2.5 4.2a2.6 2.6 0 0 1-5.2 0c0-1.7 1.8-2.5 2.7-4.2z"
      />
    </svg>
  );
}
