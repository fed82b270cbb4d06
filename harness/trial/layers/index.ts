export { formatLayersTrial } from './document';
export { emulatedHost, sideHost, type LayersHost } from './hosts';
export type { LayersTrialReport } from './report';
export { runLayersTrial, type LayersTrialOptions } from './trial';
