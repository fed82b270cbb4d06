export { scratchImplementation } from './scratch';
