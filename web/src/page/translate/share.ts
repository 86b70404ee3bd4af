// A link that holds the text: in the part behind #, which browsers do not send to any server.
// "#en-de" names the languages, "#en-de&text=..." holds a text as it is, "#en-de&z=..." a packed one.

/** The id a fragment names; '' where it names none. */
export function idIn(hash: string): string {
  const id = hash.replace(/^#/, '').split('&', 1)[0]!;
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

/** The text a fragment holds, or null. Rejects where it is damaged. */
export async function textIn(hash: string): Promise<string | null> {
  const [, ...parts] = hash.replace(/^#/, '').split('&');
  for (const part of parts) {
    if (part.startsWith('text=')) return decodeURIComponent(part.slice(5));
    if (part.startsWith('z=')) return unpack(part.slice(2));
  }
  return null;
}

/** The shorter of the two ways to write it. */
export async function fragmentFor(id: string, text: string): Promise<string> {
  const plain = `text=${encodeURIComponent(text)}`;
  const packed = `z=${await pack(text)}`;
  return `#${encodeURIComponent(id)}&${packed.length < plain.length ? packed : plain}`;
}

async function pack(text: string): Promise<string> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

async function unpack(packed: string): Promise<string> {
  const binary = atob(packed.replace(/-/g, '+').replace(/_/g, '/'));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Response(stream).text();
}
