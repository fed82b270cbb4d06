export { referenceAnswer, scratchImplementation } from './scratch';
