/**
 * Which form of a kernel suits the adapter. On a CPU (lavapipe) an invocation that works through a row
 * by itself is fastest; a card wants many small workgroups that share what they read.
 */
let card = false;

/** Whether kernels are to be written for a card. */
export function onCard(): boolean {
  return card;
}

/** Says what adapter computes from now on; `openDevice` does. Both forms are right on both kinds. */
export function setCard(isCard: boolean): void {
  card = isCard;
}
