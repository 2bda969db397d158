// The slot that is chosen, as an instant: what the reader chose stays as long as the timeline holds
// it, what the page chose until it is over; then the one that runs is.
/** @import { Scene } from "../plan/scene.js" */

/**
 * @type {(
 *   chosen: number,
 *   scene: Pick<Scene, "at" | "past" | "count">,
 *   by: { byReader: boolean },
 * ) => number}
 */
export function keepChosen(chosen, scene, { byReader }) {
  const first = byReader ? 0 : scene.past;
  return chosen >= scene.at(first) && chosen < scene.at(scene.count)
    ? chosen
    : scene.at(scene.past);
}
