// Nothing: what a page holds before any engine.

export async function load() {}
