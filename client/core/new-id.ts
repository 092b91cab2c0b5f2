/** An id that no other client chooses: 128 random bits in hexadecimal. */
export function newId(): string {
  // `crypto.randomUUID` needs HTTPS in a browser; this does not.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
