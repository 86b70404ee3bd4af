// SHA-256 for pages where the platform has none: a file of its own, as few need it.
export { sha256 } from '@noble/hashes/sha2';
