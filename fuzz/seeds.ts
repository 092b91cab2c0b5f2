/** Seeds that have found a mistake, by target: their inputs are tried again in every run. */
export const keptSeeds: Readonly<Record<string, readonly number[]>> = {
  'frame scanner of the simulator': [1],
  'response of the handshake': [1],
  'chat message': [1],
  'batch between processes': [1],
  'stream of batches': [1],
  'path of a request': [1],
  'question where to connect': [1],
  'position and joined frame': [1],
};
