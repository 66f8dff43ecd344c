// The people and tokens that the API page shows. No token here was ever signed.

/** The account that the examples are about. */
export const exampleUser = {
  id: '0199f6a1-5a3c-7b2e-9d1f-3a5c7e9b1d2f',
  username: 'jonathan',
  email: 'jonathan@example.com',
  email_verified: false,
  disabled: false,
  profile: { level: 'beginner' },
  scopes: [] as string[],
  created_at: '2026-11-25T12:00:00.000Z',
};

/** What a log-in answers with. */
export const exampleTokens = {
  access_token: 'eyJhbGciOiJFZERTQSIs…',
  refresh_token: 'eyJhbGciOiJIUzI1NiIs…',
  token_type: 'Bearer' as const,
  expires_in: 900,
  refresh_expires_in: 2592000,
  scope: '',
};
